"""Words that many messages share."""


def counted(count: int, noun: str) -> str:
    """`1 service`, `3 services`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
