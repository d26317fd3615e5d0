"""E: carries plans out. One runner: journal, backup, apply, validate, commit or roll back."""
