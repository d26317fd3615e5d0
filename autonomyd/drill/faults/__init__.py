"""One file a fault. A new one is one file and one line in drill/scenarios.py."""
