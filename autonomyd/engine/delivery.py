"""Sends the messages that wait, one lane a target: a target that fails or hangs holds up no other.

It decides nothing about what is told; a message is on disk before it comes here, and is marked when it is sent."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from autonomyd.aio.backoff import Backoff
from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies, DependencyOpen
from autonomyd.alert.pace import batch
from autonomyd.alert.words import summed
from autonomyd.host.notifying import Mood, NotifyFailure, target_kind
from autonomyd.model.alert import Delivered, Message, MessageState, NoticeKind, TargetStatus
from autonomyd.model.health import Severity
from autonomyd.settings.alerts import AlertSettings

FAMILY = "alerts"
"""Of the dependencies: each target is one."""
RETRY = Backoff(first_s=5.0, cap_s=300.0)
SOON_S = 1.0
MOST_WAITING = 500
"""Of one target: it has been failing for long, and the newest count."""
MARGIN_S = 5.0
"""The sender ends itself at its deadline, with words; only one that can't is cut off."""

log = structlog.get_logger(__name__)


class Send(Protocol):
    async def __call__(self, url: str, *, title: str, body: str, mood: Mood, timeout_s: float) -> None:
        """Send; raises NotifyFailure."""


class Check(Protocol):
    async def __call__(self, url: str, *, timeout_s: float) -> None:
        """Whether the URL can be used; raises NotifyFailure."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One target. `free_at` and `sent_at` are monotonic."""

    name: str
    url: str
    escalation: bool
    waiting: list[Message] = field(default_factory=list)
    sent_at: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    free_at: float = 0.0
    failures: int = 0
    error: str = ""
    last_sent_at: float | None = None
    busy: bool = False


class Delivery:
    """`pump` begins what is due and returns the seconds until something else is; `wake` is called when a send ended."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], AlertSettings],
        dependencies: Dependencies,
        save: Callable[[Message], None],
        machine: Callable[[], str],
        timeout_s: Callable[[], float],
        send: Send,
        check: Check,
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._clock = clock
        self._settings = settings
        self._dependencies = dependencies
        self._save = save
        self._machine = machine
        self._timeout_s = timeout_s
        self._send = send
        self._check = check
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, messages: Iterable[Message]) -> None:
        """Take messages that are on disk already. Those to a target that is not configured are dropped."""
        for message in messages:
            lane = self._lanes.get(message.target)
            if lane is None:
                self._end(message, MessageState.DROPPED, error="the target is no longer configured")
            else:
                lane.waiting.append(message)
                while len(lane.waiting) > MOST_WAITING:
                    self._end(lane.waiting.pop(0), MessageState.DROPPED, error="too many newer ones wait")

    def configure(self) -> None:
        """Take over the targets of the configuration in force."""
        settings = self._settings()
        wanted = {name: (url, False) for name, url in settings.targets.items()}
        wanted |= {name: (url, True) for name, url in settings.escalation.items()}
        gone = [lane for name, lane in self._lanes.items() if name not in wanted]
        before = self._lanes
        self._lanes = {}
        for name, (url, escalation) in wanted.items():
            lane = before.get(name)
            if lane is None or lane.url != url:
                fresh = Lane(name=name, url=url, escalation=escalation)
                fresh.waiting = lane.waiting if lane is not None else []
                self._lanes[name] = fresh
                self._spawn(self._look_at(fresh))
            else:
                lane.escalation = escalation
                self._lanes[name] = lane
        for lane in gone:
            self.put(lane.waiting)

    def targets(self, *, escalation: bool) -> tuple[str, ...]:
        """Names of the first or the second list."""
        return tuple(name for name, lane in self._lanes.items() if lane.escalation is escalation)

    def waits(self, target: str, alert_id: int) -> bool:
        """Whether a message of this alert still waits for this target."""
        lane = self._lanes.get(target)
        return lane is not None and any(each.alert_id == alert_id for each in lane.waiting)

    def drop_held(self, alert_id: int) -> None:
        """It is over before the quiet hours are: nobody needs to be told."""
        now = self._clock.wall()
        for lane in self._lanes.values():
            held = [each for each in lane.waiting if each.alert_id == alert_id and each.due_at > now]
            lane.waiting = [each for each in lane.waiting if each not in held]
            for each in held:
                self._end(each, MessageState.DROPPED, error="it was over before the quiet hours were")

    def pump(self) -> float:
        """Begin to send what is due."""
        soonest = float("inf")
        for lane in self._lanes.values():
            if not lane.busy and lane.waiting:
                soonest = min(soonest, self._begin(lane))
        return soonest

    async def test(self, title: str, body: str) -> list[Delivered]:
        """Send a message to every target now, past the outbox; says what came of each."""
        return list(await asyncio.gather(*(self._try(lane, title, body) for lane in self._lanes.values())))

    def statuses(self) -> Mapping[str, TargetStatus]:
        now, wall = self._clock.monotonic(), self._clock.wall()
        found = {}
        for name, lane in self._lanes.items():
            held = sum(1 for each in lane.waiting if each.due_at > wall)
            retrying = lane.failures and lane.waiting and not lane.busy
            found[name] = TargetStatus(
                name=name,
                kind=target_kind(lane.url),
                escalation=lane.escalation,
                waiting=len(lane.waiting) - held,
                held=held,
                failures=lane.failures,
                error=lane.error,
                last_sent_at=lane.last_sent_at,
                next_try_in_s=max(0.0, lane.free_at - now) if retrying else None,
            )
        return found

    async def close(self) -> None:
        """Break off what is being sent; it is sent again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, lane: Lane) -> float:
        """Begin the lane's next message; returns the seconds until it can go on."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        due = [each for each in lane.waiting if each.due_at <= wall]
        if not due:
            return max(SOON_S, min(each.due_at for each in lane.waiting) - wall)
        if lane.free_at > now:
            return lane.free_at - now
        count, wait_s = batch(len(due), tuple(lane.sent_at), now=now, per_minute=self._settings().max_per_minute)
        if not count:
            return wait_s
        lane.busy = True
        self._spawn(self._deliver(lane, due[:count]))
        return float("inf")

    async def _deliver(self, lane: Lane, messages: Sequence[Message]) -> None:
        first = messages[0]
        title, body = (first.title, first.body) if len(messages) == 1 else summed(self._machine(), messages)
        kind = first.kind if len(messages) == 1 else NoticeKind.SUMMARY
        try:
            await self._call(lane, title, body, _mood(kind, messages))
        except DependencyOpen as error:
            lane.free_at = self._clock.monotonic() + max(SOON_S, error.retry_in_s)
        except (NotifyFailure, TimeoutError) as error:
            self._failed(lane, messages, error)
        else:
            self._sent(lane, messages)
        finally:
            lane.busy = False
            self.wake()

    async def _call(self, lane: Lane, title: str, body: str, mood: Mood, *, trial: bool = False) -> None:
        timeout_s = self._timeout_s()
        await self._dependencies.of(FAMILY, lane.name).call(
            lambda: self._send(lane.url, title=title, body=body, mood=mood, timeout_s=timeout_s),
            timeout_s=timeout_s + MARGIN_S,
            trial=trial,
            blames=lambda error: None if isinstance(error, NotifyFailure) and error.permanent else True,
        )

    def _sent(self, lane: Lane, messages: Sequence[Message]) -> None:
        lane.failures, lane.error, lane.last_sent_at = 0, "", self._clock.wall()
        lane.sent_at.append(self._clock.monotonic())
        ids = {each.id for each in messages}
        for each in messages:
            self._end(each, MessageState.SENT, attempts=each.attempts + 1)
        lane.waiting = [each for each in lane.waiting if each.id not in ids]
        log.info("alert_sent", target=lane.name, messages=len(messages), kind=messages[0].kind.value)

    def _failed(self, lane: Lane, messages: Sequence[Message], error: NotifyFailure | TimeoutError) -> None:
        lane.error = _words(error, self._timeout_s())
        hopeless = isinstance(error, NotifyFailure) and error.permanent
        wait_s = RETRY.cap_s if hopeless else RETRY.delay_s(lane.failures)
        lane.free_at = self._clock.monotonic() + wait_s
        lane.failures += 1
        log.warning("alert_not_sent", target=lane.name, reason=lane.error, failures=lane.failures, retry_in_s=wait_s)
        ids = {each.id for each in messages}
        tried = [
            replace(each, attempts=each.attempts + 1, error=lane.error) if each.id in ids else each
            for each in lane.waiting
        ]
        lane.waiting = tried
        if lane.failures == 1:
            for each in tried:
                self._save(each)

    async def _try(self, lane: Lane, title: str, body: str) -> Delivered:
        try:
            await self._call(lane, title, body, "info", trial=True)
        except (NotifyFailure, TimeoutError) as error:
            lane.error = _words(error, self._timeout_s())
            return Delivered(target=lane.name, ok=False, message=lane.error)
        lane.error, lane.failures, lane.free_at = "", 0, 0.0
        lane.last_sent_at = self._clock.wall()
        self.wake()  # what waits need not wait any longer
        return Delivered(target=lane.name, ok=True, message="sent")

    async def _look_at(self, lane: Lane) -> None:
        """A target that can't be used is found now, not when it is needed."""
        try:
            await self._check(lane.url, timeout_s=self._timeout_s())
        except NotifyFailure as error:
            if error.permanent:
                lane.error = error.message
                log.error("alert_target_unusable", target=lane.name, reason=error.message)

    def _end(self, message: Message, state: MessageState, *, attempts: int | None = None, error: str = "") -> None:
        ended = replace(
            message,
            state=state,
            attempts=message.attempts if attempts is None else attempts,
            error=error,
            ended_at=self._clock.wall(),
        )
        self._save(ended)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("alert_task_failed", exc_info=task.exception())


def _mood(kind: NoticeKind, messages: Sequence[Message]) -> Mood:
    if kind is NoticeKind.RECOVERED:
        return "success"
    if kind is NoticeKind.DIGEST:
        return "info"
    return "failure" if any(each.severity is Severity.CRITICAL for each in messages) else "warning"


def _words(error: NotifyFailure | TimeoutError, timeout_s: float) -> str:
    return error.message if isinstance(error, NotifyFailure) else f"not sent within {timeout_s + MARGIN_S:g} s"
