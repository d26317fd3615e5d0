"""Rotate the service's own logs: the largest first, those alone that its configuration declares."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import LogFile, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RotateLog, Step

MB = 1_000_000
WORTH_SHARE = 0.2
"""A log smaller than this share of the largest one is left alone."""
TAIL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateLogs:
    """Irreversible where there is no room for a copy; `rotate` in the service's table is the person's consent."""

    name: str = "rotate-logs"
    causes: frozenset[Cause] = frozenset({Cause.LOG_DISK_FULL, Cause.LOG_OUTGROWN})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"logs"})
    yields: frozenset[type] = frozenset({RotateLog})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None:
            return ()
        return tuple(
            RotateLog(
                service=service.name,
                path=log.path,
                method=log.method,
                keep=log.keep,
                compress=log.compress,
                signal=log.signal,
                tail_bytes=TAIL_BYTES,
            )
            for log in _worth(situation)
        )

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        if situation.service is None:
            return "no service is concerned"
        return (
            f"none of the logs of {situation.service.name} takes room on the full disk, or none may be rotated: "
            "`logs` and `rotate` in its table say which"
        )

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return tuple(f"rotate {log.path} ({log.bytes / MB:.1f} MB), keep {log.keep}" for log in _worth(situation))


def _worth(situation: Situation) -> tuple[LogFile, ...]:
    logs = sorted((log for log in situation.logs if log.bytes > 0), key=lambda log: -log.bytes)
    return tuple(log for log in logs if log.bytes >= WORTH_SHARE * logs[0].bytes)
