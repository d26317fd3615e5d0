"""Where the level of a series moved for good: one detector a series, and the exact place of the move."""
