"""What all repositories do with a stored value: dump it to JSON text, and read a list of rows back."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, TypeVar

import structlog

from autonomyd.knowledge.decode import DecodeError, decode
from autonomyd.model.wire import plain

T = TypeVar("T")

log = structlog.get_logger(__name__)


def dump(value: Any) -> str:
    """A value of the model as JSON text (ASCII, so that undecodable bytes in names come back as they were)."""
    return json.dumps(plain(value), separators=(",", ":"))


def load(kind: type[T], body: str) -> T:
    """JSON text as a value of the model. Raises DecodeError."""
    try:
        return decode(kind, json.loads(body))
    except json.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error}") from error


def load_all(kind: type[T], rows: Iterable[sqlite3.Row]) -> list[T]:
    """The `body` of each row as a value. One that cannot be read is logged and left out: it must not hide the rest."""
    found = []
    for row in rows:
        try:
            found.append(load(kind, row["body"]))
        except DecodeError as error:
            log.error("stored_value_unreadable", kind=kind.__name__, reason=str(error))
    return found
