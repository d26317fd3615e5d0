"""What looks back and ahead: the parts that judge series, logs and changes over time. Each listens to the ring or takes
its turn in the loop `insight`; what they find becomes findings, lines of the diary, and evidence. They never act."""
