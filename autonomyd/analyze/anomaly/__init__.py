"""Surprise: how far a value of a series is from everything that its own history has shown, on one scale for all."""
