"""Give a service the configuration back with which it was last verified healthy; the present one is kept beside it."""

from collections.abc import Iterator
from dataclasses import dataclass

from autonomyd.execute.playbooks.afresh import afresh, afresh_words
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GoodFile, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RestartService, StartService, Step, StopService, WriteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLastGoodConfig:
    """All changed files of the service together: they were good together."""

    name: str = "restore-last-good-config"
    causes: frozenset[Cause] = frozenset({Cause.CONFIG_CHANGED})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "config"})
    yields: frozenset[type] = frozenset({WriteFile, StartService, StopService, RestartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or not situation.config:
            return ()
        again = afresh(service)
        writes = tuple(step for file in situation.config for step in _written(file))
        return (*writes, *again) if again else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        if situation.service is not None and situation.config:
            return f"whether it runs is not known: {situation.service.run_message}"
        return "its configuration files are what they were when it was last verified healthy, or none was verified yet"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        if situation.service is None:
            return ()
        return (*(line for file in situation.config for line in _words(file)), *afresh_words(situation.service))


def _written(file: GoodFile) -> Iterator[Step]:
    mode, uid, gid = file.mode, file.uid, file.gid
    if file.now_sha256 is not None:
        kept = ((file.aside, file.now_sha256), (f"{file.aside}.diff", file.diff_sha256))
        for path, sha256 in kept:
            yield WriteFile(path=path, sha256=sha256, before_sha256=None, mode=mode, uid=uid, gid=gid)
    yield WriteFile(path=file.path, sha256=file.good_sha256, before_sha256=file.now_sha256, mode=mode, uid=uid, gid=gid)


def _words(file: GoodFile) -> Iterator[str]:
    problem = f"; {file.problem}" if file.problem else ""
    if file.now_sha256 is not None:
        yield f"keep the present {file.path} as {file.aside}, with the difference beside it in {file.aside}.diff"
    yield f"put {file.path} back as it was when it worked ({file.summary}{problem})"
