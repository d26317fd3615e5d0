"""Change one number in a file: everything else stays as it is, byte for byte."""

from autonomyd.aio.offload import in_thread
from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import StepFailure, Unfit
from autonomyd.host.editing.change import read_number, with_number
from autonomyd.host.editing.place import EditRefused
from autonomyd.model.change import FileChange, FileKind
from autonomyd.model.step import SetNumber


class SetNumberHandler:
    """A FileHandler."""

    def __init__(self, files: FileWork) -> None:
        self._files = files

    async def changes(self, step: SetNumber) -> tuple[FileChange, ...]:
        before = await self._files.state_of(step.path)
        if before.kind is not FileKind.FILE or before.sha256 is None:
            raise Unfit(f"{step.path} is no file any more")
        content = await self._files.content(before.sha256)
        after = await self._files.rewritten(before, await in_thread(lambda: _edited(content, step)))
        return (FileChange(path=step.path, before=before, after=after),)


def _edited(content: bytes, step: SetNumber) -> bytes:
    """For a thread."""
    try:
        value, _ = read_number(content, path=step.path, kind=step.format, key=step.key)
        if value != step.before:
            raise Unfit(f"{step.path}: the number is {value:g} now and not {step.before:g}: somebody changed it")
        return with_number(content, step.after, path=step.path, kind=step.format, key=step.key)
    except EditRefused as refused:
        raise StepFailure(f"{step.path}: {refused}") from None
