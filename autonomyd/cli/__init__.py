"""The two commands: `autonomyd` (daemon.py) and `autonomyctl` (ctl.py), which talks to control.client only."""
