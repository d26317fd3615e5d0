"""How every fault is played: well, broken from outside, well again; and what is asked of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autonomyd.control.client import ClientError
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import ASK_EVERY_S, Stage
from autonomyd.drill.verdict import REDIS, WEB, Kind, Observed, Scenario, always

LIMIT_S = 60.0
BROKEN_WITHIN_S = 6.0
STAYS_BROKEN_S = 3.0
CLOSED_WITHIN_S = 20.0
LOOK_EVERY_S = 0.1
PAGE = "/deep"
"""The page that a user of the service asks for: it needs the service and what it depends on."""


def page_is_good(stage: Stage) -> bool:
    """Whether the real page answers 200 from a process of the service."""
    answer = stage.web.ask(PAGE)
    return answer is not None and answer.good and answer.pid in stage.web.starts()


def page_is_bad(stage: Stage) -> bool:
    return not page_is_good(stage)


def nothing(stage: Stage) -> list[str]:
    """No complaints."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`inject` breaks it (`prepare` is before, and harmless); `symptom` tells from outside that it is broken. It is
    healed when the page is good, every service in `renewed` is another process than before, and the symptom is gone,
    for `holds_s` seconds. `subject` is where it must be seen. `starts` are those that it may take, by service (one for
    each that is renewed). `after` looks for harm."""

    name: str
    what: str
    inject: Callable[[Stage], object]
    prepare: Callable[[Stage], object] = nothing
    bound_s: float | None = None
    symptom: Callable[[Stage], bool] = page_is_bad
    renewed: tuple[str, ...] = ("web",)
    subject: str = "web"
    holds_s: float = 1.0
    within_s: float = LIMIT_S
    starts: Mapping[str, int] = field(default_factory=dict)
    services: tuple[ServiceSpec, ...] = (REDIS, WEB)
    after: Callable[[Stage], list[str]] = nothing
    note: str = ""
    why_not: Callable[[], str] = always

    def scenario(self) -> Scenario:
        """The fault as a row of the drill."""
        return Scenario(
            name=self.name,
            kind=Kind.FAULT,
            what=self.what,
            play=self._play,
            unhealed=self._play_unhealed,
            services=self.services,
            starts=dict.fromkeys(self.renewed, 1) | dict(self.starts),
            bound_s=self.bound_s,
            why_not=self.why_not,
        )

    def _play(self, stage: Stage) -> Observed:
        stage.settle()
        self.prepare(stage)
        before = stage.pids()
        began = time.monotonic()
        self.inject(stage)
        recovered = self._recovered(stage, before, began)
        problems: list[str] = []
        if recovered is None:
            problems.append(f"it was not well again within {self.within_s:g} s")
        elif not stage.calm(self.subject, within_s=CLOSED_WITHIN_S):
            shown = stage.shown(self.subject)
            problems.append(f"it is well, but the daemon shows {shown.state if shown else 'nothing'} and an open issue")
        detected = stage.detected(f"service:{self.subject}", began)
        if detected is None:
            problems.append("the API never showed that something was wrong")
        problems += self._strangers(stage, before) + self.after(stage)
        return Observed(
            detected_after_s=detected, recovered_after_s=recovered, problems=tuple(problems), note=self.note
        )

    def _recovered(self, stage: Stage, before: Mapping[str, int], began: float) -> float | None:
        """Seconds from `began` until it was well and stayed so, by the same processes, for `holds_s`."""
        well_since, who = began, None
        while (now := time.monotonic()) - began < self.within_s + self.holds_s:
            found = self._well(stage, before)
            if found is None or found != who:  # a quick restart between two looks begins anew, too
                well_since, who = now, found
            elif now - well_since >= self.holds_s:
                return well_since - began
            stage.rest(ASK_EVERY_S if who is None else LOOK_EVERY_S)
        return None

    def _well(self, stage: Stage, before: Mapping[str, int]) -> Mapping[str, int] | None:
        """Who runs, when all is well; else None."""
        if not page_is_good(stage):
            return None
        now = stage.pids()
        renewed = all(now.get(name, before[name]) != before[name] for name in self.renewed)
        return now if renewed and not self.symptom(stage) else None

    def _strangers(self, stage: Stage, before: Mapping[str, int]) -> list[str]:
        """Whoever runs twice, or is not who it was, though it had no part in it."""
        now = {name: each.alive() for name, each in stage.services.items()}
        twice = [f"{name} has {len(pids)} processes" for name, pids in now.items() if len(pids) != 1]
        other = [
            f"{name} was restarted, though it is innocent"
            for name, pid in before.items()
            if name not in self.renewed and now[name] and now[name] != (pid,)
        ]
        return twice + other

    def _play_unhealed(self, stage: Stage) -> Observed:
        """The proof that it is a fault: while healing is paused it breaks, and stays so."""
        stage.settle()
        self.prepare(stage)
        stage.daemon.client.post("/v1/pause", {"reason": "the drill shows the fault"})
        began = time.monotonic()
        self.inject(stage)
        broken = stage.until(lambda: self.symptom(stage), within_s=BROKEN_WITHIN_S)
        if not broken:
            return Observed(problems=("it does not break anything",))
        broken_after_s = time.monotonic() - began
        stage.rest(STAYS_BROKEN_S)
        problems = [] if self.symptom(stage) else ["it was well again, though nobody healed it"]
        return Observed(broken_after_s=broken_after_s, problems=tuple(problems), note=_seen(stage, self.subject))


def _seen(stage: Stage, name: str) -> str:
    """What the daemon says of it meanwhile."""
    try:
        issues = stage.daemon.get("/v1/issues")
    except ClientError as error:
        return error.message
    return "; ".join(each["issue"]["summary"] for each in issues if each["issue"]["subject"] == f"service:{name}")
