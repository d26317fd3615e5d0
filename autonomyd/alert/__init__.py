"""When people are told, what, and how often: judgement about alerts. Pure: times, facts and settings come in."""
