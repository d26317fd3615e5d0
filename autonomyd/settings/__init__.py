"""The configuration: one file per TOML table, read with file, line and key in every error."""
