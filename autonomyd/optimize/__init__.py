"""Lowering the daemon's own cost: which changes are worth a try, and whether a try has helped. Pure."""
