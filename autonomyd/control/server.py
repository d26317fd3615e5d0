"""Serves the routes on the Unix socket: 0660, and who asks is told by the kernel (peer credentials)."""

import asyncio
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from autonomyd.control.resource import ApiProblem, Call, Hooks, Route, arguments_of, json_answer, problem_answer
from autonomyd.control.resources import ROUTES
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.host.paths import ensure_private_dir

SOCKET_MODE = 0o660
BACKLOG = 64
MAX_CONNECTIONS = 64
CLOSE_TIMEOUT_S = 2
SILENT_S = 10.0
"""A connection that has not sent a whole head by then is closed: silent ones would use up MAX_CONNECTIONS."""

log = structlog.get_logger(__name__)


class SocketRefused(Exception):  # noqa: N818 - the message is for the operator
    """The socket can't be had: in use, not ours, too long, or its folder can't be made."""


def open_socket(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0660. A socket that nobody answers on is replaced. Raises SocketRefused."""
    try:
        ensure_private_dir(path.parent, 0o750)
        _make_room(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(0o777 & ~SOCKET_MODE)
            try:
                listener.bind(str(path))
            finally:
                os.umask(before)
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SocketRefused(f"the control socket {path} can't be made: {error.strerror or error}") from error
    return listener


def _make_room(path: Path) -> None:
    """Remove a dead socket. Raises SocketRefused when something lives there, or it is no socket at all."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketRefused(
            f"{path} exists and is not a socket: it is not ours to remove; set [daemon] socket elsewhere"
        )
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.settimeout(1.0)
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SocketRefused(f"the control socket {path} is taken: {error.strerror or error}") from error
    else:
        raise SocketRefused(f"another daemon answers on {path}; stop it, or set [daemon] socket elsewhere")
    finally:
        probe.close()


class _PeerProtocol(HttpToolsProtocol):
    """Puts the peer's credentials where a network address would be, and lets go of those who say nothing."""

    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.client = (peer_of(transport.get_extra_info("socket")), 0)
        self._silence = self.loop.call_later(SILENT_S, self._end_silence)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._silence is not None:
            self._silence.cancel()
        super().connection_lost(exc)

    def _end_silence(self) -> None:
        cycle: Any = self.cycle  # None until the first whole head came
        if cycle is None:
            self.transport.close()


class ControlServer:
    """`await start()`, `await stop()`."""

    def __init__(self, system: AutonomousOperationSystem, hooks: Hooks, path: Path) -> None:
        self._system = system
        self._hooks = hooks
        self._path = path
        self._listener = open_socket(path)
        self._config = uvicorn.Config(
            self.application(),
            http=_PeerProtocol,
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=5,
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    def application(self) -> Starlette:
        routes = [StarletteRoute(each.path, self._endpoint(each), methods=[each.method]) for each in ROUTES]
        return Starlette(routes=routes, exception_handlers={HTTPException: _http_problem, Exception: _fault})

    async def start(self) -> None:
        """Answer from now on. uvicorn's protocol serves each connection; its Server, which wakes ten times a second
        and takes the signals, is not needed for one socket."""

        def protocol() -> asyncio.Protocol:
            return _PeerProtocol(config=self._config, server_state=self._state, app_state={})

        self._server = await asyncio.get_running_loop().create_unix_server(protocol, sock=self._listener)
        self._system.socket = str(self._path)

    async def stop(self) -> None:
        """Take no new request, let those under way end (bounded), and remove the socket."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=CLOSE_TIMEOUT_S)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _endpoint(self, route: Route) -> Any:
        async def endpoint(request: Request) -> Response:
            actor = request.client.host if request.client else "unknown"
            try:
                arguments = await arguments_of(request)
                call = Call(system=self._system, hooks=self._hooks, request=request, actor=actor, arguments=arguments)
                return json_answer(await route.handler(call))
            except ApiProblem as problem:
                return problem_answer(problem)

        return endpoint


def peer_of(connection: Any) -> str:
    """Who is at the other end of a Unix socket, as the kernel says: `uid=1000 pid=77`."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            pid, uid, _ = struct.unpack("3i", raw)
            return f"uid={uid} pid={pid}"
        # macOS and BSD: LOCAL_PEERCRED gives struct xucred: version, uid, group count, groups
        raw = connection.getsockopt(0, 1, 76)
        return f"uid={struct.unpack('II', raw[:8])[1]}"
    except (OSError, AttributeError, struct.error):
        return "unknown"


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_answer(
            ApiProblem(404, f"there is no {request.url.path}", "GET /v1/openapi.json lists what there is")
        )
    return problem_answer(ApiProblem(error.status_code, str(error.detail)))


async def _fault(request: Request, error: Exception) -> Response:
    log.error("control_request_failed", path=request.url.path, exc_info=error)
    return problem_answer(ApiProblem(500, f"{type(error).__name__}: {error}", "the daemon's log has the details"))
