"""Asyncio parts without a domain: clock, backoff, supervised loops, events."""
