"""The verbs of `autonomyctl`, one file each with a click command named `command`; imported when called, not before."""
