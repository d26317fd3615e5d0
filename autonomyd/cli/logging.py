"""The daemon's log: structlog to stderr, as text for people or one JSON object a line.

Under the journal a line carries its priority instead of a time, which the journal adds itself.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from types import ModuleType
from typing import Any

from autonomyd.cli.words import clean

LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# syslog priorities, as sd-daemon(3) wants them at the beginning of a line
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2, "exception": 3}
_HIDDEN = ("event", "level", "timestamp", "exception", "_record", "_from_structlog")


def import_structlog() -> ModuleType:
    """structlog without rich: its console renderer imports rich where it is installed, which costs the daemon 5 MB
    that it never uses. rich is hidden for the time of the import only; the drill may import it later."""
    absent = object()
    before: Any = sys.modules.get("rich", absent)
    sys.modules["rich"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        import structlog
    finally:
        if before is absent:
            del sys.modules["rich"]
        else:
            sys.modules["rich"] = before
    return structlog


def configure_logging(level: str = "info", shape: str = "auto") -> None:
    """Send all logging to stderr from `level` on. `shape` is console, json, or auto: console on a terminal and under
    the journal, else json. Also the standard library's loggers (of dependencies), from warning on."""
    structlog = import_structlog()
    journal = is_journal(sys.stderr.fileno())
    as_json = shape == "json" or (shape == "auto" and not journal and not sys.stderr.isatty())
    shared: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    shared += [] if journal else [structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json)]
    shared += [structlog.processors.format_exc_info]
    render: Any = structlog.processors.JSONRenderer(default=str) if as_json else TextRenderer(journal=journal)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)


def is_journal(fd: int) -> bool:
    """Whether what `fd` writes goes to the systemd journal (by $JOURNAL_STREAM, device and inode)."""
    stream = os.environ.get("JOURNAL_STREAM", "")
    try:
        facts = os.fstat(fd)
    except OSError:
        return False
    return stream == f"{facts.st_dev}:{facts.st_ino}"


class TextRenderer:
    """A structlog processor: "12:30:01 warning service_exited service=web code=1"."""

    def __init__(self, *, journal: bool) -> None:
        self._journal = journal

    def __call__(self, _logger: Any, _method: str, entry: MutableMapping[str, Any]) -> str:
        level = str(entry.get("level", "info"))
        start = f"<{_PRIORITIES.get(level, 6)}>" if self._journal else f"{entry.get('timestamp', '')} {level:<7} "
        fields = " ".join(f"{clean(key)}={_quoted(value)}" for key, value in entry.items() if key not in _HIDDEN)
        line = f"{start}{clean(entry.get('event'))} {fields}".rstrip()
        trace = entry.get("exception")
        return line if not trace else "\n".join([line, *(clean(each) for each in str(trace).splitlines())])


def _quoted(value: Any) -> str:
    text = clean(value)
    return f'"{text}"' if " " in text or not text else text
