"""One fix on its way through its states. Each state is on disk before the act that it names, so that whoever finds it
after a crash can finish it: what was not begun is not undone, what was applied is validated or taken back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import Handlers, StepFailure, Unfit
from autonomyd.execute.undoing import take_back
from autonomyd.model.change import Backup, FileChange, FileKind, alike
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan
from autonomyd.model.step import (
    IRREVERSIBLE_STEPS,
    FileStep,
    RestoreBackup,
    RunCommand,
    SetProbeInterval,
    Step,
    touched_services,
    write_set,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was observed after the act."""

    outcome: Outcome
    message: str


Journal = Callable[[Fix, tuple[Transition, ...]], Awaitable[None]]
"""Puts the fix and its new transitions on disk; returns when they are."""
Validate = Callable[[Plan, float], Awaitable[Validation]]
"""(plan, monotonic time of the act) to what new samples show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a transaction is carried out with. `runs` says whether a service has a process; without `files` no plan that
    writes into a file is carried out."""

    clock: Clock
    handlers: Handlers
    journal: Journal
    validate: Validate
    on_state: Callable[[Fix], None]
    runs: Callable[[str], bool]
    files: FileWork | None


class Transaction:
    """`fix` is how it stands, as it is on disk."""

    def __init__(self, fix: Fix, means: Means) -> None:
        self.fix = fix
        self._means = means
        self._backup: Backup | None = None

    # --- forward -----------------------------------------------------------------------------------------------------

    async def run(self) -> Fix:
        """From `planned` to the end."""
        plan = self.fix.plan
        self.fix = replace(self.fix, up=tuple(name for name in touched_services(plan.steps) if self._means.runs(name)))
        approved = (FixState.APPROVED, "every gate passed" if plan.gates else "asked for")
        applying = (FixState.APPLYING, "; ".join(plan.preview))
        if write_set(plan.steps):
            await self._to(approved, first=True)
            try:
                backup = await self._back_up()
            except StepFailure as error:
                # a disk that is full, or a file that is another by now, says nothing about the remedy
                outcome = Outcome.UNVERIFIED if isinstance(error, Unfit) else Outcome.INEFFECTIVE
                return await self._end(FixState.ROLLED_BACK, outcome, f"nothing was changed: {error}")
            await self._to((FixState.BACKED_UP, f"{len(backup.changes)} files, backup {backup.id}"))
            await self._to(applying, begun=1)
        else:
            # in one write: a service that was killed is to be back within milliseconds
            await self._to(approved, (FixState.BACKED_UP, "no file is written"), applying, first=True, begun=1)
        log.info("fix_begins", fix=self.fix.id, strategy=plan.strategy, service=plan.service, actor=self.fix.actor)
        since = self._means.clock.monotonic()
        why, outcome = await self._apply()
        if why:
            return await self._roll_back(why, outcome)
        await self._to((FixState.APPLIED, self.fix.message), (FixState.VALIDATING, "on new samples"))
        return await self._conclude(await self._look(since))

    async def _back_up(self) -> Backup:
        """Work every change out, see that they are what the plan says, and save what is there. Nothing is written."""
        files, plan = self._files(), self.fix.plan
        await files.expect_room()
        found: dict[str, FileChange] = {}
        for step in plan.steps:
            for change in await self._changes(step, files):
                if change.path in found and not (change.after is None and found[change.path].after is None):
                    raise StepFailure(f"two steps write {change.path}")
                found.setdefault(change.path, change)
        if set(found) != set(write_set(plan.steps)):
            odd = sorted(set(found) ^ set(write_set(plan.steps)))
            raise StepFailure(f"the backup would not cover exactly what is written: {', '.join(odd)}")
        at = self._means.clock.wall()
        backup = Backup(
            id=await files.new_id(self.fix.id, at),
            fix_id=self.fix.id,
            at=at,
            strategy=plan.strategy,
            cause=plan.cause,
            confidence=plan.confidence,
            reason="; ".join(plan.preview),
            changes=tuple(found.values()),
            service=plan.service,
            issue_id=plan.issue_id,
        )
        await files.save(backup)
        self._backup = backup
        self.fix = replace(self.fix, backup_id=backup.id)
        return backup

    async def _changes(self, step: Step, files: FileWork) -> tuple[FileChange, ...]:
        if isinstance(step, FileStep):
            handler: Any = self._means.handlers[type(step)]
            changes: tuple[FileChange, ...] = await handler.changes(step)
            return changes
        if isinstance(step, RunCommand):
            return tuple([FileChange(path=path, before=await files.state_of(path), after=None) for path in step.writes])
        return ()

    async def _apply(self) -> tuple[str, Outcome]:
        """Carry the steps out: why that broke off ("" when it did not), and what that says of the remedy."""
        messages: list[str] = []
        try:
            for number, step in enumerate(self.fix.plan.steps, start=1):
                if number > 1:
                    await self._note(replace(self.fix, begun=number))
                messages.append(await self._carry_out(step))
        except Unfit as error:
            return str(error), Outcome.UNVERIFIED
        except StepFailure as error:
            return str(error), Outcome.INEFFECTIVE
        except Exception as error:
            log.exception("step_raised", fix=self.fix.id, strategy=self.fix.plan.strategy)
            return f"{type(error).__name__}: {error}", Outcome.INEFFECTIVE
        self.fix = replace(self.fix, message="; ".join(messages))
        return "", Outcome.UNVERIFIED

    async def _carry_out(self, step: Step) -> str:
        if isinstance(step, FileStep):
            return await self._write(step)
        handler: Any = self._means.handlers[type(step)]
        if not isinstance(step, RunCommand) or not step.writes:
            return str((await handler.apply(step)).message)
        await self._expect_untouched(step)
        try:
            message = str((await handler.apply(step)).message)
        except Exception:
            await self._learn_after(step)  # what a failed command wrote is ours all the same
            raise
        await self._learn_after(step)
        return message

    async def _write(self, step: FileStep) -> str:
        files, words = self._files(), []
        for change in self._of(step):
            assert self._backup is not None
            assert change.after is not None
            if not alike(change.before, change.after):
                await files.write(change, self._backup.id, times=isinstance(step, RestoreBackup))
            words.append(_wrote(change))
        return "; ".join(words)

    async def _expect_untouched(self, step: RunCommand) -> None:
        for change in self._of(step):
            now = await self._files().state_of(change.path)
            if not alike(now, change.after or change.before):
                raise Unfit(f"{change.path} was changed by somebody else meanwhile")

    async def _learn_after(self, step: RunCommand) -> None:
        """What a command wrote is known only now; from here on it can be told from what somebody else writes."""
        assert self._backup is not None
        files, learned = self._files(), {}
        for change in self._of(step):
            learned[change.path] = replace(change, after=await files.state_of(change.path))
        changes = tuple(learned.get(change.path, change) for change in self._backup.changes)
        self._backup = replace(self._backup, changes=changes)
        await files.save(self._backup)

    def _of(self, step: Step) -> tuple[FileChange, ...]:
        paths = write_set((step,))
        return tuple(change for change in self._backup.changes if change.path in paths) if self._backup else ()

    # --- after a restart of the daemon -------------------------------------------------------------------------------

    async def settle(self) -> Fix:
        """Finish what the last run left: nothing is ever applied again."""
        state = self.fix.state
        if state in (FixState.PLANNED, FixState.APPROVED, FixState.BACKED_UP):
            words = "the daemon ended before anything was done; nothing was changed"
            return await self._end(FixState.ROLLED_BACK, Outcome.UNVERIFIED, words)
        if all(isinstance(step, SetProbeInterval) for step in self.fix.plan.steps):
            # an interval lives in the process that set it: it went with the daemon
            words = "the daemon ended during this change; the configured interval is in force again"
            return await self._end(FixState.ROLLED_BACK, Outcome.ROLLED_BACK, words)
        try:
            if self.fix.backup_id is not None:
                self._backup = await self._files().load(self.fix.backup_id)
        except StepFailure as error:
            words = f"the daemon ended during this fix, and what it wrote can't be put back: {error}"
            return await self._end(FixState.ROLLBACK_FAILED, Outcome.WORSENED, words)
        if state is FixState.ROLLING_BACK:
            return await self._finish_rolling_back(self.fix.message, self.fix.outcome or Outcome.UNVERIFIED)
        if state is FixState.APPLYING and not self._only_irreversible():
            words = "the daemon ended during this fix, before all of it was done"
            return await self._roll_back(words, Outcome.UNVERIFIED)
        found = await self._look(self._means.clock.monotonic())
        words = f"the daemon ended during this fix; found on its return: {found.message}"
        return await self._conclude(replace(found, message=words))

    def _only_irreversible(self) -> bool:
        begun = self.fix.plan.steps[: self.fix.begun]
        return bool(begun) and all(isinstance(step, IRREVERSIBLE_STEPS) for step in begun)

    # --- to the end --------------------------------------------------------------------------------------------------

    async def _look(self, since: float) -> Validation:
        """What new samples show. A validation that raises has shown nothing, and must not leave the fix without an
        end: it would count for no limit, and be made again at once."""
        try:
            return await self._means.validate(self.fix.plan, since)
        except Exception as error:
            log.exception("validation_raised", fix=self.fix.id, strategy=self.fix.plan.strategy)
            words = f"what it did could not be seen: {type(error).__name__}: {error}"
            return Validation(outcome=Outcome.UNVERIFIED, message=words)

    async def _conclude(self, found: Validation) -> Fix:
        """Written files stay only when they were seen to help, or when a person wanted them so; what has a validation
        of its own stays only when that could tell. A start or a restart that could not be verified stays."""
        plan, wrote = self.fix.plan, self._backup is not None
        wanted = plan.cause is Cause.REQUESTED
        must_be_seen = not wanted and (wrote or plan.validation is not None)
        untold = found.outcome is Outcome.UNVERIFIED and not must_be_seen
        if found.outcome is Outcome.HEALED or untold or (wanted and wrote):
            message = f"{self.fix.message}; {found.message}" if wanted and wrote else found.message
            return await self._end(FixState.COMMITTED, found.outcome, message)
        return await self._roll_back(found.message, found.outcome)

    async def _roll_back(self, why: str, outcome: Outcome) -> Fix:
        self.fix = replace(self.fix, message=why, outcome=outcome)
        await self._to((FixState.ROLLING_BACK, why))
        return await self._finish_rolling_back(why, outcome)

    async def _finish_rolling_back(self, why: str, outcome: Outcome) -> Fix:
        undone = await take_back(self.fix, self._backup, self._means.handlers, self._means.files)
        message = "; ".join([why, *undone.done])
        if undone.failed:
            words = f"{message}; could not be taken back: {'; '.join(undone.failed)}"
            return await self._end(FixState.ROLLBACK_FAILED, Outcome.WORSENED, words)
        final = Outcome.ROLLED_BACK if undone.done and outcome is Outcome.WORSENED else outcome
        fix = await self._end(FixState.ROLLED_BACK, final, message)
        if self._backup is not None:
            await self._mark_backup(self._backup.id)
        return fix

    async def _mark_backup(self, backup_id: str) -> None:
        try:
            await self._files().mark_rolled_back(backup_id, self._means.clock.wall())
        except StepFailure as error:
            log.warning("backup_not_marked", backup=backup_id, reason=str(error))

    async def _end(self, state: FixState, outcome: Outcome, message: str) -> Fix:
        self.fix = replace(self.fix, outcome=outcome, message=message, ended_at=self._means.clock.wall())
        await self._to((state, message))
        log.info(
            "fix_ended", fix=self.fix.id, strategy=self.fix.plan.strategy, service=self.fix.plan.service,
            outcome=outcome.value, message=message,
        )  # fmt: skip
        return self.fix

    async def _to(self, *states: tuple[FixState, str], first: bool = False, begun: int | None = None) -> None:
        """Journal the states, in one write, before what comes after them."""
        at, fix = self._means.clock.wall(), self.fix
        moves: list[Transition] = []
        if first:
            moves.append(Transition(at=at, before="", after=fix.state, cause=fix.plan.strategy, actor=fix.actor))
        before = fix.state
        for state, cause in states:
            moves.append(Transition(at=at, before=before, after=state, cause=cause, actor=fix.actor))
            before = state
        moved = replace(fix, state=before, transitions=fix.transitions + tuple(moves))
        await self._note(moved if begun is None else replace(moved, begun=begun), tuple(moves))
        self._means.on_state(self.fix)

    async def _note(self, fix: Fix, moves: tuple[Transition, ...] = ()) -> None:
        self.fix = fix
        await self._means.journal(fix, moves)

    def _files(self) -> FileWork:
        if self._means.files is None:
            raise StepFailure("files are written only by the daemon, which keeps backups of them")
        return self._means.files


def _wrote(change: FileChange) -> str:
    after = change.after
    if after is None or after.kind is FileKind.ABSENT:
        return f"removed {change.path}"
    return f"{change.path} points to {after.target}" if after.kind is FileKind.LINK else f"wrote {change.path}"
