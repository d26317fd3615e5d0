"""The store: issues, fixes, goals, candidates and events in SQLite. It keeps and gives back values; it decides nothing.

`Store` is the one door to the database; each noun has one repository (`Issues`, `Fixes`, ...) that turns the model's
values into writes and back."""
