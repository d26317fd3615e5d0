"""How likely a thing that has gone wrong goes wrong again: two ways to say it, and the score that each has earned.

`logistic` judges by frequency, `hazard` by the times between; `score` holds what was said against what came; `book`
does that for every component and pattern, day by day, each day judged by what was known before it began. Pure."""
