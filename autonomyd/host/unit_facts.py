"""What systemd knows of a unit beyond its state: how it ended, how often it was restarted. Asks `systemctl`, so that no
connection is kept for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from autonomyd.host.command import CommandFailure, run_command

PROPERTIES = "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,StartLimitBurst"


NEEDS = ("Requires", "Requisite", "BindsTo")
"""The properties that make a unit need another. `After` alone does not: it says when, not whether."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNeed:
    """`unit` needs `other`, by the property `how`; `ordered`: it also waits for its start."""

    unit: str
    other: str
    how: str
    ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """systemd's own words (`active`, `failed`, `exit-code`, `start-limit-hit`). `burst` is how many starts in a row it
    allows, 0 where there is no limit. `unknown` says why nothing is known."""

    load: str = ""
    active: str = ""
    sub: str = ""
    result: str = ""
    restarts: int = 0
    status: int = 0
    burst: int = 0
    unknown: str = ""

    @property
    def gave_up(self) -> bool:
        """Whether it failed so often that systemd starts it no more. The result of the last run stays in `result`, so
        that the word start-limit-hit shows only where that run had ended well."""
        by_count = self.active == "failed" and 0 < self.burst <= self.restarts + 1
        return self.result == "start-limit-hit" or by_count


async def unit_facts(unit: str, *, timeout_s: float) -> UnitFacts:
    """The unit now; raises nothing."""
    argv = ("systemctl", "show", f"--property={PROPERTIES}", "--", unit)
    try:
        answer = await run_command(argv, timeout_s=timeout_s)
    except CommandFailure as error:
        return UnitFacts(unknown=str(error))
    if answer.timed_out or answer.code != 0:
        why = f"no answer within {timeout_s:g} s" if answer.timed_out else answer.error.strip()
        return UnitFacts(unknown=f"systemd can't be asked: {why or f'exit code {answer.code}'}")
    return parsed(answer.output)


def parsed(text: str) -> UnitFacts:
    """The output of `systemctl show`."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return UnitFacts(
        load=told.get("LoadState", ""),
        active=told.get("ActiveState", ""),
        sub=told.get("SubState", ""),
        result=told.get("Result", ""),
        restarts=_number(told.get("NRestarts", "")),
        status=_number(told.get("ExecMainStatus", "")),
        burst=_number(told.get("StartLimitBurst", "")),
    )


async def unit_needs(units: Sequence[str], *, timeout_s: float) -> tuple[UnitNeed, ...]:
    """Who of `units` needs whom, in one question. Raises OSError, with words, when systemd can't be asked."""
    argv = ("systemctl", "show", f"--property=Id,Names,After,{','.join(NEEDS)}", "--", *units)
    try:
        answer = await run_command(argv, timeout_s=timeout_s)
    except CommandFailure as error:
        raise OSError(f"systemd can't be asked: {error}") from error
    if answer.timed_out or answer.code != 0:
        why = f"no answer within {timeout_s:g} s" if answer.timed_out else answer.error.strip()
        raise OSError(f"systemd can't be asked: {why or f'exit code {answer.code}'}")
    return parsed_needs(answer.output)


def parsed_needs(text: str) -> tuple[UnitNeed, ...]:
    """The output of `systemctl show` for several units: a block of lines each, an empty line between."""
    found: list[UnitNeed] = []
    for block in text.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        after = told.get("After", "").split()
        names = dict.fromkeys((told.get("Id", ""), *told.get("Names", "").split()))
        found += (
            UnitNeed(unit=name, other=other, how=how, ordered=other in after)
            for name in filter(None, names)
            for how in NEEDS
            for other in told.get(how, "").split()
        )
    return tuple(found)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
