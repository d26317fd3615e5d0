"""Values of metrics where only the metric's name is known: the unit is read from the name's last word."""

from autonomyd.cli.words import clean, with_unit

# Longest ending first: "kb_s" before "_s".
_ENDINGS = (
    ("percent", "%"),
    ("kb_s", "KB/s"),
    ("uptime_s", "s"),
    ("age_s", "s"),
    ("lag_s", "s"),
    ("_s", "1/s"),
    ("_ms", "ms"),
    ("_mb", "MB"),
)


def unit_of(name: str) -> str:
    """The unit that a metric's name ends with: "cpu.percent" is in "%", "network.errors_s" in "1/s"."""
    return next((unit for ending, unit in _ENDINGS if clean(name).lower().endswith(ending)), "")


def metric_text(name: str, value: float | None) -> str:
    """A value with the unit of its name."""
    return with_unit(value, unit_of(name))
