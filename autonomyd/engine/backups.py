"""The backups as people see them: listed, put back on request, forgotten when they are old."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.engine.history import FixHistory
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.filework import FileWork, Whose
from autonomyd.execute.runner import Runner
from autonomyd.model.change import Backup, BackupState, BackupStatus
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import Issue, Transition
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import ReloadService, RestartService, RestoreBackup, Step, touched_services
from autonomyd.model.subject import HOST, service_subject
from autonomyd.model.words import counted

DAY_S = 86400.0
EVERY_S = 3600.0

log = structlog.get_logger(__name__)


class RollbackRefused(Exception):  # noqa: N818 - an answer: nothing was done
    """Why a backup is not put back; the message says it."""


class BackupKeeper:
    """`days` is how long they are kept; `referenced` names contents that others still need (None: not known now);
    `on_rollback` hears (the fix that a person took back, who)."""

    def __init__(
        self,
        *,
        clock: Clock,
        files: FileWork,
        records: Records,
        runner: Runner,
        keeper: ServiceKeeper,
        history: FixHistory,
        days: Callable[[], float],
        referenced: Callable[[], Collection[str] | None],
        on_rollback: Callable[[Fix, str], None] = lambda fix, actor: None,
    ) -> None:
        self._clock = clock
        self._files = files
        self._backups = files.backups
        self._records = records
        self._runner = runner
        self._keeper = keeper
        self._history = history
        self._days = days
        self._referenced = referenced
        self._on_rollback = on_rollback
        self._tidied_at = clock.monotonic() - EVERY_S

    async def all(self) -> list[BackupStatus]:
        """Newest first."""
        backups = self._backups
        found = await in_thread(lambda: [(each, backups.size(each)) for each in backups.all()])
        return [self._status(backup, size) for backup, size in found]

    async def roll_back(self, backup_id: str, *, actor: str) -> Fix:
        """Put back what the backup saved, when all of it still is what the fix wrote; services that the fix restarted
        or reloaded, and that run, read it again. Raises LookupError, RollbackRefused, StepFailure."""
        backup = await in_thread(lambda: self._backups.load(backup_id))
        paths = await self._restorable(backup)
        made: Fix | None = await self._records.read(lambda: self._records.fixes.get(backup.fix_id), None)
        plan = self._plan(backup, paths, made)
        subject = service_subject(backup.service) if backup.service else HOST
        self._records.event("rollback_requested", subject, f"backup {backup.id}: {', '.join(paths)}", actor=actor)
        with ExitStack() as held:
            for name in plan.services:
                held.enter_context(self._keeper.held(name))
            fix = await self._runner.run(plan, actor=actor)
        if fix.state is FixState.COMMITTED:
            if made is not None:
                # before anything is waited for: healing is awake, and would make the same fix again at once
                self._on_rollback(made, actor)
            await self._files.mark_rolled_back(backup.id, self._clock.wall())
            if made is not None:
                await self._counts_against(made, actor)
        return fix

    async def tidy(self) -> None:
        """Forget what is older than its time, at most once an hour; nothing while it is not known what others need."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        referenced = self._referenced()
        if now - self._tidied_at < EVERY_S or referenced is None:
            return
        self._tidied_at = now
        before, keep = wall - self._days() * DAY_S, {fix.backup_id or "" for fix in self._runner.running.values()}
        try:
            freed = await in_thread(lambda: self._backups.forget(before=before, keep=keep, named=referenced, wall=wall))
        except OSError as error:
            log.warning("backups_not_tidied", reason=str(error))
            return
        if freed:
            log.info("backups_forgotten", freed_bytes=freed)

    def _status(self, backup: Backup, size: int) -> BackupStatus:
        in_use = backup.fix_id in self._runner.running
        state = BackupState.ROLLED_BACK if backup.rolled_back_at is not None else BackupState.KEPT
        return BackupStatus(
            id=backup.id,
            fix_id=backup.fix_id,
            at=backup.at,
            strategy=backup.strategy,
            cause=backup.cause,
            reason=backup.reason,
            files=tuple(change.path for change in backup.changes),
            bytes=size,
            state=BackupState.IN_USE if in_use else state,
            service=backup.service,
            issue_id=backup.issue_id,
            rolled_back_at=backup.rolled_back_at,
        )

    async def _restorable(self, backup: Backup) -> tuple[str, ...]:
        """The paths that still are what the fix wrote. Raises RollbackRefused when another one is not as before."""
        if backup.fix_id in self._runner.running:
            raise RollbackRefused("its fix is still under way")
        if backup.rolled_back_at is not None:
            raise RollbackRefused("it was put back already")
        ours: list[str] = []
        foreign: list[str] = []
        for change in backup.changes:
            whose = await self._files.whose(change, backup.id)
            if whose is Whose.FOREIGN or (whose is Whose.OURS and change.after is None):
                foreign.append(change.path)
            elif whose is Whose.OURS:
                ours.append(change.path)
        if foreign:
            raise RollbackRefused(f"nothing was changed: somebody changed {', '.join(foreign)} after the fix")
        if not ours:
            raise RollbackRefused("every file is as it was before the fix already")
        return tuple(ours)

    def _plan(self, backup: Backup, paths: tuple[str, ...], made: Fix | None) -> Plan:
        acts: dict[str, Step] = {}
        for step in made.plan.steps if made is not None else ():
            for name in touched_services((step,)):
                reload = isinstance(step, ReloadService) and not isinstance(acts.get(name), RestartService)
                acts[name] = ReloadService(service=name) if reload else RestartService(service=name)
        acts = {name: step for name, step in acts.items() if self._keeper.runs(name)}
        return Plan(
            strategy="rollback",
            cause=Cause.REQUESTED,
            steps=(RestoreBackup(backup=backup.id, paths=paths), *acts.values()),
            confidence=100.0,
            risk=Risk.LOW,
            disruptive=any(isinstance(step, RestartService) for step in acts.values()),
            reversible=True,
            service=backup.service,
            preview=(f"put back {counted(len(paths), 'file')} of the backup {backup.id}",),
        )

    async def _counts_against(self, made: Fix, actor: str) -> None:
        """Whatever validation had seen: a person took the fix back, and it is not to be made again at once."""
        at = self._clock.wall()
        move = Transition(
            at=at, before=made.state, after=FixState.ROLLED_BACK, cause="a person took it back", actor=actor
        )
        taken_back = replace(
            made,
            state=FixState.ROLLED_BACK,
            outcome=Outcome.ROLLED_BACK,
            message=f"{made.message}; taken back by {actor}",
            transitions=(*made.transitions, move),
        )
        await self._records.journal(taken_back, (move,))
        issue_id = made.plan.issue_id
        if issue_id is not None:
            issue: Issue | None = await self._records.read(lambda: self._records.issues.get(issue_id), None)
            if issue is not None:
                # no second disruptive act was done: only what is known of the remedy has changed
                counted_as = replace(taken_back, plan=replace(made.plan, disruptive=False), ended_at=at)
                self._history.add(counted_as, issue)
