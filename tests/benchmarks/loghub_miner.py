"""The miner that the daemon uses, in the form that a grouping scorer takes: make_miner() -> add(line), final(id)."""

from autonomyd.analyze.templates import TemplateMiner


def make_miner() -> TemplateMiner:
    """A fresh miner with the daemon's own settings."""
    return TemplateMiner()
