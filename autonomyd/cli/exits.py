"""The exit codes of both commands, and how `--help` tells them."""

OK = 0
DEGRADED = 1
NOT_DONE = 1
CRITICAL = 2
UNKNOWN = 3
NO_DAEMON = 4
REFUSED = 5
USAGE = 64
CANT_CREATE = 73
TRY_LATER = 75
DENIED = 77
CONFIG = 78
INTERRUPTED = 130

_COMMON = {
    NO_DAEMON: "no daemon answers",
    REFUSED: "the daemon refused, or does not know the name",
    USAGE: "wrong usage",
    DENIED: "you may not talk to the daemon",
}
SHOWN = {OK: "shown"}
HEALTH = {OK: "healthy", DEGRADED: "degraded", CRITICAL: "critical or failing", UNKNOWN: "unknown"}

_BY_HEALTH = {"healthy": OK, "degraded": DEGRADED, "critical": CRITICAL, "failing": CRITICAL}


def of_health(status: object) -> int:
    """The exit code for a health word of the wire."""
    return _BY_HEALTH.get(str(status), UNKNOWN)


def explained(own: dict[int, str], *, talks: bool = True) -> str:
    """The exit codes of one verb as the last lines of its help; `talks` adds those of talking to the daemon."""
    codes = own | (_COMMON if talks else {USAGE: _COMMON[USAGE]})
    lines = "\n".join(f"  {code:<3} {meaning}" for code, meaning in sorted(codes.items()))
    return f"\b\nExit codes:\n{lines}"
