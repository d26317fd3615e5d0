"""A write as a value, and as one line of the operation log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | None


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
        return (json.dumps([self.seq, self.query, dict(self.params)], separators=(",", ":")) + "\n").encode()


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
    return Op(seq=seq, query=query, params=params, durable=True)


def _clean(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
