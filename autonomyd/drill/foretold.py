"""How every fault that announces itself is played: nobody heals, so that it comes to the end; what the daemon says of
it, and when, is held against that."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autonomyd.drill.fault import nothing
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import REDIS, WEB, Kind, Observed, Scenario

ASK_EVERY_S = 0.5
Told = Callable[[Stage], str | None]
"""What the daemon says of it that is worth the name of a warning or of the right cause; None: nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """`inject` begins it (`prepare` comes before, and is harmless), `goes_on` is done at every look after. `told` must
    come within `within_s`, and before `fails` where there is one: that tells from outside that it is broken. `starts`
    are those, by service, that a person asks for meanwhile."""

    name: str
    what: str
    inject: Callable[[Stage], object]
    told: Told
    fails: Callable[[Stage], bool] | None = None
    prepare: Callable[[Stage], object] = nothing
    goes_on: Callable[[Stage], object] = nothing
    within_s: float = 60.0
    services: tuple[ServiceSpec, ...] = (REDIS, WEB)
    starts: Mapping[str, int] = field(default_factory=dict)
    tables: Callable[[str], str] = lambda scratch: ""

    def scenario(self) -> Scenario:
        """The fault as a row of the drill."""
        return Scenario(
            name=self.name,
            kind=Kind.FORETOLD,
            what=self.what,
            play=self._play,
            services=self.services,
            starts=self.starts,
            tables=self.tables,
        )

    def _play(self, stage: Stage) -> Observed:
        stage.settle()
        self.prepare(stage)
        stage.daemon.client.post("/v1/pause", {"reason": "the drill waits for what is said"})
        began = time.monotonic()
        self.inject(stage)
        words, told_s, failed_s = "", None, None
        while (now := time.monotonic() - began) < self.within_s and (told_s is None or self._is_whole(failed_s)):
            if told_s is None and (found := self.told(stage)) is not None:
                words, told_s = found, now
            if failed_s is None and self.fails is not None and self.fails(stage):
                failed_s = now
            stage.rest(ASK_EVERY_S)
            self.goes_on(stage)
        problems = [] if told_s is not None else [f"nothing was said of it within {self.within_s:g} s"]
        if self._is_whole(failed_s):
            problems.append(f"it was not broken within {self.within_s:g} s")
        elif told_s is not None and failed_s is not None and told_s >= failed_s:
            problems.append(f"it was said only {told_s - failed_s:.1f} s after it was broken")
        return Observed(detected_after_s=told_s, broken_after_s=failed_s, problems=tuple(problems), note=words)

    def _is_whole(self, failed_s: float | None) -> bool:
        return self.fails is not None and failed_s is None


def issues_of(stage: Stage, subject: str) -> list[dict[str, Any]]:
    """The open issues of a subject, as the API lists them. Raises ClientError."""
    found = (each["issue"] for each in stage.daemon.get("/v1/issues"))
    return [each for each in found if each["subject"] == subject]


def warning_of(subject: str) -> Told:
    """A warning that something of `subject` will be used up soon."""

    def told(stage: Stage) -> str | None:
        soon = (each for each in issues_of(stage, subject) if each["metric"].endswith(".soon"))
        return next((str(each["summary"]) for each in soon if each["severity"] != "notice"), None)

    return told


def top_cause(stage: Stage, subject: str) -> tuple[str, dict[str, Any], str] | None:
    """The likeliest cause of the newest open issue of a subject, that issue, and the first evidence in words; None
    while there is none. Raises ClientError."""
    found = issues_of(stage, subject)
    diagnosis = story_of(stage, found[-1])["diagnosis"] if found else None
    if not diagnosis or not diagnosis["causes"]:
        return None
    first = diagnosis["causes"][0]
    return str(first["cause"]), found[-1], "; ".join(first["supports"][:1])


def story_of(stage: Stage, issue: dict[str, Any]) -> dict[str, Any]:
    """What `autonomyctl explain` tells of an issue. Raises ClientError."""
    found: dict[str, Any] = stage.daemon.get(f"/v1/issues/{issue['id']}")
    return found
