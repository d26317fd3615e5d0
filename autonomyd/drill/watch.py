"""Two observers that run all the time: one asks the daemon's API, one asks the bystanders whether they still serve."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autonomyd.control.client import Client, ClientError
from autonomyd.drill.services import SmallService
from autonomyd.model.health import Severity

API_EVERY_S = 0.02
BYSTANDERS_EVERY_S = 0.1
BYSTANDER_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the API shows of one service: monotonic time of the answer, and the open issues on it. Notices are none:
    nobody is worse off, and the service counts as healthy with them."""

    at: float
    state: str
    pid: int | None
    restarts: int
    next_try_at: float | None
    issues: tuple["ShownIssue", ...]

    @property
    def calm(self) -> bool:
        return self.state == "up" and not self.issues

    def differs(self, other: "Shown") -> bool:
        seen = (self.state, self.pid, self.restarts, self.next_try_at, self.issues)
        return seen != (other.state, other.pid, other.restarts, other.next_try_at, other.issues)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownIssue:
    """An open issue as the API shows it."""

    id: int
    state: str
    refused: str
    next_try_at: float | None


@dataclass(slots=True)
class ApiWatch:
    """Asks for the status again and again and keeps what changed, by subject (service:NAME, folder:PATH).
    `answered_at` is when the newest answer was asked for (monotonic): what it shows is not older."""

    client: Client
    _history: dict[str, list[Shown]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    answered_at: float = 0.0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="api-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def now(self, subject: str) -> Shown | None:
        """The newest that is known."""
        history = self._history.get(subject)
        return history[-1] if history else None

    def since(self, subject: str, at: float) -> tuple[Shown, ...]:
        """Every change that was seen after `at`."""
        return tuple(each for each in self._history.get(subject, ()) if each.at > at)

    def before(self, subject: str, at: float) -> Shown | None:
        """What was shown at that time."""
        return next((each for each in reversed(self._history.get(subject, ())) if each.at <= at), None)

    def first(self, subject: str, since: float, wanted: Callable[[Shown], bool]) -> Shown | None:
        return next((each for each in self.since(subject, since) if wanted(each)), None)

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                status = self.client.get("/v1/status")
            except ClientError:
                status = None  # the daemon is being killed, or not there yet: nothing is shown
            if status is not None:
                self._take(status, time.monotonic())
                self.answered_at = began
            self._stop.wait(max(0.0, API_EVERY_S - (time.monotonic() - began)))

    def _take(self, status: Mapping[str, Any], at: float) -> None:
        issues = issues_by_subject(status["issues"])
        for name, service in status["services"].items():
            subject = f"service:{name}"
            self._keep(subject, shown_service(service, issues.get(subject, ()), at))
        others = {subject for subject in (*issues, *self._history) if not subject.startswith("service:")}
        for subject in others:
            open_here = issues.get(subject, ())
            state = "failing" if open_here else "up"
            shown = Shown(at=at, state=state, pid=None, restarts=0, next_try_at=None, issues=open_here)
            self._keep(subject, shown)

    def _keep(self, subject: str, shown: Shown) -> None:
        history = self._history.setdefault(subject, [])
        if not history or shown.differs(history[-1]):
            history.append(shown)


def issues_by_subject(listed: Iterable[Mapping[str, Any]]) -> dict[str, tuple[ShownIssue, ...]]:
    """The `issues` of a status, by their subject."""
    found: dict[str, tuple[ShownIssue, ...]] = {}
    for each in listed:
        issue = each["issue"]
        if issue["severity"] == Severity.NOTICE:
            continue
        refusal = each.get("refusal") or {}
        shown = ShownIssue(
            id=issue["id"],
            state=issue["state"],
            refused=refusal.get("reason", ""),
            next_try_at=issue.get("next_try_at"),
        )
        found[issue["subject"]] = (*found.get(issue["subject"], ()), shown)
    return found


def shown_service(service: Mapping[str, Any], issues: tuple[ShownIssue, ...], at: float) -> Shown:
    return Shown(
        at=at,
        state=service["state"],
        pid=service["pid"],
        restarts=service["restarts"],
        next_try_at=service["next_try_at"],
        issues=issues,
    )


@dataclass(slots=True)
class BystanderWatch:
    """Asks services that nobody touches whether they answer, and as whom."""

    services: tuple[SmallService, ...]
    _pids: dict[str, int] = field(default_factory=dict)
    _harm: list[tuple[float, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._pids = {each.name: each.pid() for each in self.services}
        self._thread = threading.Thread(target=self._run, name="bystander-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def harm(self, since: float, until: float) -> tuple[str, ...]:
        """What happened to bystanders between two monotonic times, each kind once."""
        return tuple(dict.fromkeys(words for at, words in self._harm if since <= at <= until))

    def _run(self) -> None:
        while not self._stop.wait(BYSTANDERS_EVERY_S):
            for service in self.services:
                answer = service.ask(timeout_s=BYSTANDER_TIMEOUT_S)
                words = ""
                if answer is None or not answer.good:
                    words = f"{service.name} down"
                elif answer.pid != self._pids[service.name]:
                    words = f"{service.name} restarted"
                if words:
                    self._harm.append((time.monotonic(), words))
