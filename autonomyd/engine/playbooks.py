"""The strategies in force: the bundled ones, those of the embedding program, and the user's own from `playbooks.d`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from autonomyd.aio.offload import in_thread
from autonomyd.engine.facts.numbers import TunedNumber, declared
from autonomyd.execute.playbooks import strategies as bundled
from autonomyd.host.config_files import UnsteadyFile, stamp_of, steady_content
from autonomyd.host.editing.change import read_number
from autonomyd.host.editing.place import EditRefused
from autonomyd.model.playbook import PlaybookList, PlaybookStatus, RefusedFile
from autonomyd.model.strategy import Strategy
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings

if TYPE_CHECKING:
    from autonomyd.execute.playbooks.user import UserPlaybook
    from autonomyd.settings.playbook import NumberStep
    from autonomyd.settings.playbooks import Playbooks

FOLDER = "playbooks.d"

log = structlog.get_logger(__name__)


class Shelf:
    """`put_up` reads the user's playbooks anew and lets healing choose from them too."""

    def __init__(self, strategies: Callable[[], list[Strategy]]) -> None:
        self._strategies = strategies
        self._own: tuple[UserPlaybook, ...] = ()
        self._refused: tuple[RefusedFile, ...] = ()
        self._folder: Path | None = None

    async def put_up(self, settings: Settings, config_file: str | None) -> None:
        """Take what the folder holds now; a file that is refused is told, and the others are used."""
        self._folder = folder_of(settings, config_file)
        taken = {each.name for each in self._strategies() if each not in self._own}
        own, refused = await in_thread(lambda: _read(self._folder, taken))
        for each in refused:
            log.error("playbook_refused", file=each.file, problems=list(each.problems))
        for book in own:
            log.info("playbook_loaded", name=book.name, file=book.source)
        strategies = self._strategies()
        strategies[:] = [*(each for each in strategies if each not in self._own), *own]
        self._own, self._refused = own, refused

    def numbers_of(self, name: str, settings: ServiceSettings) -> tuple[TunedNumber, ...]:
        """The numbers that a service or a playbook for it declares."""
        if not self._own:
            return declared(name, settings)
        return (*declared(name, settings), *(each for book in self._own for each in _numbers(book, name)))

    def listed(self) -> PlaybookList:
        """All strategies, and the files that were refused."""
        own = {id(each): each.source for each in self._own}
        known = {id(each) for each in bundled()}
        return PlaybookList(
            folder=None if self._folder is None else str(self._folder),
            playbooks=tuple(
                _status(each, own.get(id(each)) or ("bundled" if id(each) in known else "program"))
                for each in sorted(self._strategies(), key=lambda each: (min(each.causes, default=""), each.rung))
            ),
            refused=self._refused,
        )


def folder_of(settings: Settings, config_file: str | None) -> Path | None:
    """Where the user's playbooks are: the configured folder, else `playbooks.d` beside the configuration file."""
    if settings.healing.playbooks_dir is not None:
        return Path(settings.healing.playbooks_dir)
    return None if config_file is None else Path(config_file).parent / FOLDER


def _read(folder: Path | None, taken: set[str]) -> "tuple[tuple[UserPlaybook, ...], tuple[RefusedFile, ...]]":
    """For a thread."""
    if folder is None or not folder.exists():
        return (), ()  # what reads playbooks is not even imported
    from autonomyd.execute.playbooks.user import UserPlaybook
    from autonomyd.settings.playbooks import load_playbooks

    found: Playbooks = load_playbooks(folder, taken=taken, check_number=number_problem)
    return (
        tuple(UserPlaybook(source=each.file, book=each.playbook) for each in found.files),
        tuple(RefusedFile(file=each.file, problems=tuple(map(str, each.problems))) for each in found.refused),
    )


def number_problem(step: "NumberStep") -> str:
    """Why a playbook's number can't be changed, "" when it can, or when its file is not there yet. For a thread."""
    key = step.key if step.key is not None else step.pattern
    assert key is not None
    try:
        stamp = stamp_of(step.file)
        if stamp is None:
            return ""
        read_number(steady_content(step.file, stamp), path=step.file, kind=step.format, key=key)
    except (EditRefused, UnsteadyFile) as refused:
        return f"in {step.file}: {refused}"
    except OSError as error:
        return f"{step.file}: {(error.strerror or str(error)).lower()}"
    return ""


def _numbers(book: "UserPlaybook", service: str) -> tuple[TunedNumber, ...]:
    from autonomyd.execute.playbooks.user import number_name
    from autonomyd.settings.playbook import NumberStep

    if book.book.services and service not in book.book.services:
        return ()
    return tuple(
        TunedNumber(name=number_name(book.name, step), settings=step, helps=frozenset())
        for step in book.book.steps
        if isinstance(step, NumberStep)
    )


def _status(strategy: Strategy, source: str) -> PlaybookStatus:
    check = getattr(strategy, "validation", None)
    return PlaybookStatus(
        name=strategy.name,
        causes=tuple(sorted(strategy.causes)),
        rung=strategy.rung,
        risk=strategy.risk,
        disruptive=strategy.disruptive,
        reversible=strategy.reversible,
        consented=strategy.consented,
        reads=tuple(sorted(strategy.reads)),
        yields=tuple(sorted(each.__name__ for each in strategy.yields)),
        source=source,
        validation=() if check is None else check.argv,
    )
