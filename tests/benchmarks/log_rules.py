"""How many raw log lines a second all shipped rules are held against, on one core: an access log, an application log,
and one where every tenth line is an error."""

import statistics
import time

from figure import Figure, Options

from autonomyd.model.log_rules import LogRules
from autonomyd.settings.log_rules import shipped_rules

LINES = 20_000
ERRORS = (
    "2026-05-04 10:11:12,345 ERROR web.orders: sqlalchemy.exc.OperationalError: could not connect to server: refused",
    "2026-05-04 10:11:12,345 ERROR web.client: request to https://api.example.org/v1/x timed out after 5.0 s",
    "Traceback (most recent call last):",
    '10.0.0.7 - - [04/May/2026:10:11:12 +0000] "GET /orders/17 HTTP/1.1" 503 312 "-" "curl/8.5.0" 0.214',
)
ACCESS = '10.0.{0}.{1} - - [04/May/2026:10:11:{2:02} +0000] "GET /orders/{3} HTTP/1.1" 200 {3} "-" "Mozilla/5.0 (X11)"'
APP = "2026-05-04 10:11:{2:02},345 INFO web.orders: order {3} of customer {1} placed, total {0}.{1} EUR, queue {2}"
WARNING = "2026-05-04 10:11:{2:02},345 WARNING web.stock: item {3} is low: {1} left of {0}, next delivery in {2} days"


def measure(options: Options) -> list[Figure]:
    rules = LogRules(shipped_rules())
    rounds = int(options.pick(9, 3))
    blocks = {"access log": _block((ACCESS,), 0), "application log": _block((APP, APP, WARNING), 0)}
    blocks["one line of ten an error"] = _block((ACCESS, APP), 10)
    took = {name: statistics.median(_seconds(rules, block) for _ in range(rounds)) for name, block in blocks.items()}
    rates = ", ".join(f"{name} {LINES / seconds:,.0f} lines/s" for name, seconds in took.items())
    return [
        Figure(
            what="log rules",
            value=1e6 * max(took.values()) / LINES,
            unit="us a line",
            target=10.0,
            bound=20.0,
            note=f"{len(shipped_rules())} rules; {rates}",
        )
    ]


def _block(shapes: tuple[str, ...], error_every: int) -> str:
    lines = []
    for number in range(LINES):
        if error_every and number % error_every == 0:
            lines.append(ERRORS[number // error_every % len(ERRORS)])
        else:
            lines.append(shapes[number % len(shapes)].format(number % 251, number % 97, number % 60, number * 7919))
    return "\n".join(lines) + "\n"


def _seconds(rules: LogRules, block: str) -> float:
    began = time.thread_time()
    rules.found(block)
    return time.thread_time() - began
