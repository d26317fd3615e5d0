"""Works out what the steps on files would do; the runner saves, writes and puts back what they answer."""

import os
from dataclasses import replace

from autonomyd.execute.filework import NEW_FILE_MODE, FileWork
from autonomyd.execute.handlers import StepFailure, Unfit
from autonomyd.model.change import ABSENT, FileChange, FileKind, FileState, alike
from autonomyd.model.step import RemoveFile, RestoreBackup, SwitchLink, WriteFile


class WriteFileHandler:
    def __init__(self, files: FileWork) -> None:
        self._files = files

    async def changes(self, step: WriteFile) -> tuple[FileChange, ...]:
        before = await self._files.state_of(step.path)
        if step.before_sha256 is None and before.kind is not FileKind.ABSENT:
            raise Unfit(f"{step.path} is there by now: somebody made it meanwhile")
        if step.before_sha256 is not None:
            _expect_content(step.path, before, step.before_sha256)
        content = await self._files.content(step.sha256)
        base = await self._new(step) if before.kind is FileKind.ABSENT else before
        return (FileChange(path=step.path, before=before, after=await self._files.rewritten(base, content)),)

    async def _new(self, step: WriteFile) -> FileState:
        uid, gid = await self._files.owner_of_folder(step.path)
        return FileState(
            kind=FileKind.FILE,
            mode=NEW_FILE_MODE if step.mode is None else step.mode,
            uid=uid if step.uid is None else step.uid,
            gid=gid if step.gid is None else step.gid,
        )


class RemoveFileHandler:
    def __init__(self, files: FileWork) -> None:
        self._files = files

    async def changes(self, step: RemoveFile) -> tuple[FileChange, ...]:
        before = await self._files.state_of(step.path)
        _expect_content(step.path, before, step.before_sha256)
        return (FileChange(path=step.path, before=before, after=ABSENT),)


class SwitchLinkHandler:
    def __init__(self, files: FileWork) -> None:
        self._files = files

    async def changes(self, step: SwitchLink) -> tuple[FileChange, ...]:
        before = await self._files.state_of(step.path)
        if before.kind is not FileKind.LINK or before.target != step.before:
            raise Unfit(f"{step.path} no longer points to {step.before}: somebody changed it meanwhile")
        target = os.path.join(os.path.dirname(step.path), step.target)
        if not await self._files.exists(target):
            raise StepFailure(f"{target}, to which {step.path} would point, is not there")
        after = replace(before, target=step.target, atime_ns=0, mtime_ns=0)
        return (FileChange(path=step.path, before=before, after=after),)


class RestoreBackupHandler:
    def __init__(self, files: FileWork) -> None:
        self._files = files

    async def changes(self, step: RestoreBackup) -> tuple[FileChange, ...]:
        backup = await self._files.load(step.backup)
        return tuple([await self._change(each) for each in backup.changes if each.path in step.paths])

    async def _change(self, made: FileChange) -> FileChange:
        """The other way round, and only from what the fix wrote."""
        now = await self._files.state_of(made.path)
        if made.after is None or not alike(now, made.after):
            raise Unfit(f"{made.path} is not what the fix wrote: somebody changed it since")
        return FileChange(path=made.path, before=now, after=made.before)


def _expect_content(path: str, found: FileState, sha256: str) -> None:
    if found.kind is not FileKind.FILE or found.sha256 != sha256:
        raise Unfit(f"{path} is not what this was planned on: somebody changed it meanwhile")
