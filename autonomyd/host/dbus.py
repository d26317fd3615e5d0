"""One connection to the system's D-Bus, kept up. Plain messages, no introspection: each question is one round trip.

dbus-fast is imported at the first connection, so that a daemon without units does not pay for it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog

from autonomyd.aio.backoff import Backoff

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

CALL_TIMEOUT_S = 25.0
CONNECT_TIMEOUT_S = 5.0
RECONNECT = Backoff(first_s=0.1, cap_s=30.0)
MISSING = "systemd units need the package dbus-fast: install autonomyd[systemd]"

Signal = Callable[[str, str, list[Any]], None]
"""Called with a signal's object path, its member name and its arguments."""

log = structlog.get_logger(__name__)


class BusError(Exception):
    """A call that was not answered with a result. `name` is the D-Bus error name, "" when there was no answer."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class BusMissingError(BusError):
    """This installation cannot speak D-Bus at all; the text says what to install."""


class SystemBus:
    """Connects on `open`, and again with backoff whenever the connection is lost.

    `on_up` runs after each connect (subscribe there); `on_down` gets words when it is lost or cannot be had."""

    def __init__(
        self, *, on_signal: Signal, on_up: Callable[[], Awaitable[None]], on_down: Callable[[str], None]
    ) -> None:
        self._on_signal = on_signal
        self._on_up = on_up
        self._on_down = on_down
        self._bus: MessageBus | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._bus is not None and self._bus.connected

    async def open(self) -> None:
        """Returns after the first attempt, successful or not. Raises BusMissingError."""
        try:
            import dbus_fast.aio  # noqa: F401
        except ImportError as error:
            raise BusMissingError(MISSING) from error
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="system-bus")
        await self._tried.wait()

    async def close(self) -> None:
        """Ends the connection and the attempts to have one."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def call(
        self, destination: str, path: str, interface: str, member: str, signature: str = "", body: tuple[Any, ...] = ()
    ) -> list[Any]:
        """The arguments of the answer. Raises BusError."""
        from dbus_fast import Message, MessageType

        bus = self._bus
        if bus is None or not bus.connected:
            raise BusError("no connection to the system bus")
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                reply = await bus.call(message)
        except TimeoutError as error:
            raise BusError(f"{member}: no answer within {CALL_TIMEOUT_S:g} s") from error
        except (OSError, EOFError) as error:
            raise BusError(f"{member}: the connection to the system bus was lost") from error
        if reply is None:
            raise BusError(f"{member}: the connection to the system bus was lost")
        if reply.message_type is MessageType.ERROR:
            text = str(reply.body[0]) if reply.body else ""
            raise BusError(text or str(reply.error_name), str(reply.error_name))
        return list(reply.body)

    async def add_match(self, rule: str) -> None:
        """Asks the bus to deliver the signals that fit. Raises BusError."""
        await self._bus_call("AddMatch", rule)

    async def remove_match(self, rule: str) -> None:
        """Raises BusError."""
        await self._bus_call("RemoveMatch", rule)

    async def _bus_call(self, member: str, rule: str) -> None:
        name = "org.freedesktop.DBus"
        await self.call(name, "/org/freedesktop/DBus", name, member, "s", (rule,))

    async def _keep(self) -> None:
        attempt = 0
        while True:
            try:
                lost = await self._connected_once()
                attempt = 0
            except (OSError, EOFError, TimeoutError, BusError) as error:
                lost = str(error) or type(error).__name__
            finally:
                self._drop()
            self._on_down(f"no connection to the system bus ({lost}); trying again")
            self._tried.set()
            await asyncio.sleep(RECONNECT.delay_s(attempt, luck=random.random()))
            attempt += 1

    async def _connected_once(self) -> str:
        """Connects and returns words when the connection is lost. Raises when it cannot be had."""
        from dbus_fast import AuthError, BusType
        from dbus_fast.aio import MessageBus

        bus = MessageBus(bus_type=BusType.SYSTEM)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await bus.connect()
        except AuthError as error:
            raise BusError(f"refused: {error}") from error
        self._bus = bus
        bus.add_message_handler(self._heard)
        await self._on_up()
        self._tried.set()
        log.info("system_bus_connected")
        try:
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        except (OSError, EOFError) as error:
            return str(error) or "the bus closed the connection"
        return "the bus closed the connection"

    def _drop(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()

    def _heard(self, message: "Message") -> None:
        from dbus_fast import MessageType

        if message.message_type is MessageType.SIGNAL:
            self._on_signal(message.path or "", message.member or "", message.body)
