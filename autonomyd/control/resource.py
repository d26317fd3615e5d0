"""What a resource is made of: routes with the types that travel, and answers that are the values themselves."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.model.secrets import masked_plain
from autonomyd.model.wire import plain

MOST_DIGITS = 15
MAX_BODY_BYTES = 65536
BODY_TIMEOUT_S = 10.0

Handler = Callable[["Call"], Awaitable[Any]]


class ApiProblem(Exception):  # noqa: N818 - it is an answer, not a fault of the daemon
    """An answer other than success: HTTP status, what happened, and what to do."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What only the daemon itself can do."""

    reload: Callable[[], Awaitable[Mapping[str, Any]]]
    config: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`query` and `body` describe the arguments (name to JSON type), `answer` the type that comes back."""

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `actor` is who asks, by the socket's peer credentials."""

    system: AutonomousOperationSystem
    hooks: Hooks
    request: Request
    actor: str
    arguments: Mapping[str, Any]

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def named(self, name: str) -> str:
        """The part of the path that names one of many, as people write it: `12` or `#12`."""
        return self.path(name).lstrip("#")

    def identifier(self, name: str) -> int | None:
        """The same as a number; None when it is none: then it names nothing."""
        text = self.named(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None

    def number(self, name: str, default: float, *, least: float = 0, most: float = 1e12) -> float:
        """A numeric argument. Raises ApiProblem(400)."""
        value = self.arguments.get(name, default)
        if value is None:
            value = default
        try:
            found = float(value)
        except (TypeError, ValueError):
            raise ApiProblem(400, f"{name} must be a number, got {value!r}") from None
        if not least <= found <= most:
            raise ApiProblem(400, f"{name} must be between {least:g} and {most:g}, got {found:g}")
        return found

    def text(self, name: str, default: str = "", *, limit: int = 500) -> str:
        value = self.arguments.get(name, default)
        if not isinstance(value, str):
            raise ApiProblem(400, f"{name} must be a text, got {value!r}")
        return value[:limit]

    def flag(self, name: str) -> bool:
        value = self.arguments.get(name, False)
        return value is True or value in ("1", "true", "yes")


def json_answer(value: Any, status: int = 200) -> Response:
    """`value` as the daemon's answer. The one place where everything that is told passes: secrets are masked here."""
    text = json.dumps(masked_plain(plain(value)), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status_code=status, media_type="application/json")


def problem_answer(problem: ApiProblem) -> Response:
    return json_answer({"error": {"message": problem.message, "hint": problem.hint}}, problem.status)


async def arguments_of(request: Request) -> Mapping[str, Any]:
    """Query and JSON body in one mapping; the body is bounded. Raises ApiProblem(400, 408 or 413)."""
    found: dict[str, Any] = dict(request.query_params)
    if request.method == "GET":
        return found
    body = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ApiProblem(413, f"a body of more than {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise ApiProblem(408, f"the body did not come within {BODY_TIMEOUT_S:g} s") from None
    except ClientDisconnect:
        raise ApiProblem(400, "who asked left before the body was whole") from None
    if not body.strip():
        return found
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiProblem(400, "the body is not JSON") from None
    if not isinstance(given, dict):
        raise ApiProblem(400, "the body must be a JSON object")
    return found | given
