"""Taking a fix back: what its begun steps did, the last first, and the services at the end.

It may be called for steps that were never begun or half done, and again after a crash in the middle of itself: every
part looks at what is there. One part that fails holds up no other: no service is left down because of a file."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from autonomyd.execute.filework import FileWork, Whose
from autonomyd.execute.handlers import Handlers, StepFailure
from autonomyd.model.change import Backup, FileChange
from autonomyd.model.fix import Fix
from autonomyd.model.step import (
    FileStep,
    ReloadService,
    RestartService,
    RunCommand,
    ServiceStep,
    Step,
    StepResult,
    write_set,
)

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Undone:
    """What was taken back and what could not be, in words; `started` names the services that this started."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    started: set[str] = field(default_factory=set)


async def take_back(fix: Fix, backup: Backup | None, handlers: Handlers, files: FileWork | None) -> Undone:
    """Undo the begun steps of `fix`. Never raises for what fails; `failed` names it."""
    return await _Undoing(fix, backup, handlers, files).run()


class _Undoing:
    def __init__(self, fix: Fix, backup: Backup | None, handlers: Handlers, files: FileWork | None) -> None:
        self._fix = fix
        self._steps = fix.plan.steps[: fix.begun]
        self._backup = backup
        self._handlers = handlers
        self._files = files
        self._whose: dict[str, Whose] = {}
        self._undone = Undone()

    async def run(self) -> Undone:
        for change in self._changes(self._steps):
            await self._try(self._find_out(change))
        for number in reversed(range(len(self._steps))):
            step = self._steps[number]
            if isinstance(step, ServiceStep):
                continue
            if not isinstance(step, FileStep):
                await self._undo(step)
            first_here = set(write_set((step,))) - set(write_set(self._steps[:number]))
            for change in reversed(self._changes((step,))):
                if change.path in first_here:
                    await self._try(self._put_back(change))
        for step in reversed(self._steps):
            if isinstance(step, ServiceStep) and await self._undo(step):
                self._undone.started.add(step.service)
        await self._put_in_force()
        return self._undone

    def _changes(self, steps: tuple[Step, ...]) -> tuple[FileChange, ...]:
        paths = set(write_set(steps))
        return tuple(change for change in self._backup.changes if change.path in paths) if self._backup else ()

    async def _find_out(self, change: FileChange) -> None:
        assert self._files is not None
        assert self._backup is not None
        self._whose[change.path] = Whose.FOREIGN  # until it is known: what can't be looked at is left alone
        self._whose[change.path] = await self._files.whose(change, self._backup.id)
        if self._whose[change.path] is Whose.FOREIGN:
            self._undone.done.append(f"{change.path} was changed by somebody else meanwhile and is left as it is")

    async def _put_back(self, change: FileChange) -> None:
        assert self._files is not None
        assert self._backup is not None
        if self._whose[change.path] is Whose.FOREIGN:
            return
        if await self._files.put_back(change, self._backup.id) or self._whose[change.path] is Whose.OURS:
            self._undone.done.append(f"{change.path} is as it was before")

    async def _undo(self, step: Step) -> StepResult | None:
        foreign = [path for path in write_set((step,)) if self._whose.get(path) is Whose.FOREIGN]
        if foreign and isinstance(step, RunCommand):
            self._undone.failed.append(f"{step.argv[0]} is not undone: somebody else changed {', '.join(foreign)}")
            return None

        result = await self._try(self._act(step, undo=True))
        if result is not None:
            self._undone.done.append(result.message)
        return result

    async def _put_in_force(self) -> None:
        """A service that ran before and has read what the fix wrote reads what was put back."""
        if all(whose is Whose.FOREIGN for whose in self._whose.values()):
            return
        acted: dict[str, set[type]] = {}
        for step in self._steps:
            if isinstance(step, ServiceStep):
                acted.setdefault(step.service, set()).add(type(step))
        for name, kinds in acted.items():
            if name not in self._fix.up or name in self._undone.started:
                continue
            again: Step = ReloadService(service=name) if kinds == {ReloadService} else RestartService(service=name)
            result = await self._try(self._act(again, undo=False))
            if result is not None:
                self._undone.done.append(result.message)

    async def _act(self, step: Step, *, undo: bool) -> StepResult | None:
        handler: Any = self._handlers[type(step)]
        return await (handler.undo(step) if undo else handler.apply(step))  # type: ignore[no-any-return]

    async def _try(self, part: Awaitable[T]) -> T | None:
        try:
            return await part
        except StepFailure as error:
            self._undone.failed.append(str(error))
        except Exception as error:
            log.exception("undo_raised", fix=self._fix.id, strategy=self._fix.plan.strategy)
            self._undone.failed.append(f"{type(error).__name__}: {error}")
        return None
