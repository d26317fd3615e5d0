"""Words that many messages share."""

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400


def counted(count: int, noun: str, many: str = "") -> str:
    """`1 service`, `3 services`; `many` where an s does not make it."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def duration(seconds: float | None) -> str:
    """A span as people say it: "40 ms", "0.4 s", "12 s", "3 min", "1 h 40 min", "5 days"."""
    if seconds is None:
        return "-"
    seconds = max(0.0, seconds)
    if 0.0 < seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < MINUTE_S:
        return f"{int(seconds)} s"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} min"
    if seconds < 10 * HOUR_S:
        hours, rest = divmod(int(seconds), HOUR_S)
        return f"{hours} h {rest // MINUTE_S} min" if rest >= MINUTE_S else f"{hours} h"
    if seconds < 2 * DAY_S:
        return f"{int(seconds // HOUR_S)} h"
    return f"{int(seconds // DAY_S)} days"
