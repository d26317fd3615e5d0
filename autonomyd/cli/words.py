"""Figures as words: durations, times, bytes, counts; and text from outside made safe for a terminal. Pure."""

import re
import time
from typing import Any

from autonomyd.model.words import DAY_S as DAY_S
from autonomyd.model.words import HOUR_S as HOUR_S
from autonomyd.model.words import MINUTE_S as MINUTE_S
from autonomyd.model.words import duration as duration

NOTHING = "-"

# Control characters (C0, DEL, C1) and the marks that turn or hide text: a terminal must not obey outside text.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# Whole terminal sequences go as one, else their visible rest ("[31m") stays in the text.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)|\x1b[ -~]"
)
_SPACE = re.compile("[\t\n\v\f\r]+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|m|sec|s|h|d|w)?", re.IGNORECASE)
_BYTES_IN = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}
_UNIT_S = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S, "": 1}


def clean(text: object) -> str:
    """`text` on one line, without anything that a terminal would obey. None becomes the empty text."""
    if text is None:
        return ""
    return _UNSAFE.sub("", _SPACE.sub(" ", _SEQUENCE.sub("", str(text))))


def whose(subject: object) -> str:
    """A subject as people call it: a service by its name alone."""
    return clean(subject).removeprefix("service:")


def seconds_of(text: str) -> float:
    """The seconds of "90", "30m", "1h30m", "2 days". Raises ValueError."""
    compact = re.sub(r"\s+", "", text.lower()).replace("days", "d").replace("day", "d")
    parts = list(_DURATION.finditer(compact))
    bare = len(parts) > 1 and not all(part.group(2) for part in parts)  # "1h30": minutes or seconds?
    if not parts or bare or "".join(part.group(0) for part in parts) != compact:
        raise ValueError(f"not a span of time: {clean(text)!r}; expected something like 30s, 15m, 1h30m or 2d")
    return sum(float(part.group(1)) * _UNIT_S[part.group(2) or ""] for part in parts)


def ago(at: float | None, now: float) -> str:
    """How long before `now` the epoch time `at` was: "just now", "3 min ago"."""
    if at is None:
        return "never"
    return "just now" if now - at < 1.0 else f"{duration(now - at)} ago"


def ahead(at: float, now: float) -> str:
    """How long after `now` the epoch time `at` comes: "now", "in 40 s"."""
    return "now" if at - now < 0.5 else f"in {duration(at - now)}"


def moment(at: float | None, now: float) -> str:
    """The epoch time `at` in local time: "14:02:11", with the date when it is another day."""
    if at is None:
        return NOTHING
    local, today = time.localtime(at), time.localtime(now)
    same_day = local[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M", local)


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 thing", "2 things"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def data_size(size: float) -> str:
    """Bytes with a unit that keeps the figure short: "512 B", "1.5 GB" (steps of 1024, as the metrics count)."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{figure(size)} {unit}"
        size /= 1024.0
    return f"{figure(size)} TB"


def figure(value: float) -> str:
    """A number with the digits that matter: 0.05, 1.5, 23.4, 123."""
    size = abs(value)
    if size >= 1e6:
        return f"{value:.3g}"
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(value: float | None, unit: str) -> str:
    """A metric's value for people; None is "-"."""
    if value is None:
        return NOTHING
    if unit.lower() in ("b", "byte", "bytes"):
        return data_size(value)
    if unit.upper() in _BYTES_IN:
        return data_size(value * _BYTES_IN[unit.upper()])
    if unit.upper().removesuffix("/S") in _BYTES_IN:
        return data_size(value * _BYTES_IN[unit.upper().removesuffix("/S")]) + "/s"
    if unit == "s" and value >= MINUTE_S:
        return duration(value)
    return f"{figure(value)} {unit}".rstrip()


def person(actor: object) -> str:
    """Who acted, by login name where the machine knows it: "uid=1000 pid=77" is "anna"."""
    text = clean(actor)
    found = re.match(r"uid=(\d+)\b", text)
    if found is None:
        return text
    import pwd  # only when a person acted

    try:
        return clean(pwd.getpwuid(int(found.group(1))).pw_name)
    except (KeyError, OverflowError):
        return f"user {found.group(1)}"


def listed(value: object, *keys: str) -> list[dict[str, Any]]:
    """The objects of a wire answer that may be a list, a list under one of `keys`, or a mapping by name."""
    if isinstance(value, dict):
        for key in keys:
            if isinstance(value.get(key), list):  # a mapping there is a thing of that name
                return listed(value[key])
        value = list(value.values())
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
