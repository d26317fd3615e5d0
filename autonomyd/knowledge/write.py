"""A write as a value, and as one line of the operation log."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | bytes | None
_BYTES = "base64"
"""The key of the object that stands for bytes in a line of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A named statement with its parameters. It must be an upsert keyed by ids that the caller gives, or a removal.

    Every statement may also use `:seq`, the number the store gives this write (never reused)."""

    query: str
    params: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """A write that the store has taken. `durable`: it must survive a power cut once acknowledged."""

    seq: int
    query: str
    params: Mapping[str, Value]
    durable: bool = False

    def line(self) -> bytes:
        """As one line of the log. Raises TypeError for a parameter that JSON has no word for."""
        parts = [self.seq, self.query, dict(self.params)]
        return (json.dumps(parts, separators=(",", ":"), default=_as_object) + "\n").encode()


def clean(params: Mapping[str, Value]) -> dict[str, Value]:
    """Parameters as SQLite takes them: undecodable bytes in names of files and processes (lone surrogates) as `?`."""
    return {name: _clean(value) if isinstance(value, str) else value for name, value in params.items()}


def op_of(line: bytes) -> Op | None:
    """The write of a log line; None when it was torn or is not one."""
    try:
        seq, query, params = json.loads(line)
    except (ValueError, TypeError):
        return None
    if not isinstance(seq, int) or not isinstance(query, str) or not isinstance(params, dict):
        return None
    try:
        values = {name: _bytes_of(value) if isinstance(value, dict) else value for name, value in params.items()}
    except (binascii.Error, KeyError, TypeError, ValueError):
        return None
    return Op(seq=seq, query=query, params=values, durable=True)


def _as_object(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"no value of a statement: {type(value).__name__}")
    return {_BYTES: base64.b64encode(value).decode("ascii")}


def _bytes_of(value: dict[str, str]) -> bytes:
    return base64.b64decode(value[_BYTES], validate=True)


def _clean(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
