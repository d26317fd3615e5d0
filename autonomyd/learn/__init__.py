"""Outcomes to confidence. Pure."""
