"""Where a database server listens, read from a URL."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """`socket` is the path of a Unix socket; without one `host` and `port` count. `database` is "" for none."""

    host: str
    port: int
    socket: str | None
    user: str | None
    password: str | None = field(repr=False)
    database: str
    tls: bool

    @property
    def shown(self) -> str:
        """The server in words that hold no secret: `127.0.0.1:6379`, `/run/redis.sock`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.socket or f"{host}:{self.port}"

    @property
    def here(self) -> bool:
        """Whether the server certainly runs on this machine."""
        return self.socket is not None or self.host == "localhost" or _is_loopback(self.host)


def server_address(url: str, *, schemes: frozenset[str], default_port: int) -> ServerAddress:
    """Read `scheme://user:password@host:port/database?socket=/path`; a scheme that ends in "ss" or `?tls=true` asks for
    TLS. `?host=/folder` is PostgreSQL's way to name a socket. Raises ValueError, without the URL in its words."""
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"expected a URL that begins with {' or '.join(f'{each}://' for each in sorted(schemes))}")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host, port = _host_and_port(parts, query, default_port)
    socket = query.get("socket")
    if host.startswith("/"):
        socket = f"{host}/.s.PGSQL.{port}"
    return ServerAddress(
        host=host,
        port=port,
        socket=socket,
        user=unquote(parts.username) if parts.username else query.get("user"),
        password=unquote(parts.password) if parts.password else query.get("password"),
        database=unquote(parts.path.lstrip("/")),
        tls=parts.scheme.endswith("ss") or query.get("tls") == "true",
    )


def _host_and_port(parts: SplitResult, query: dict[str, str], default_port: int) -> tuple[str, int]:
    try:
        port = parts.port or int(query.get("port", default_port))
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise ValueError("its port is not a number from 1 to 65535")
    return unquote(parts.hostname or query.get("host") or "127.0.0.1"), port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
