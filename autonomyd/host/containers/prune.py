"""What an engine keeps that nobody uses: containers that ended long ago, images without a container. Looks, and removes
only what it was given by id, after looking again. Volumes are never touched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomyd.host.containers.api import EngineApi, EngineFailure, EngineRefusal, part
from autonomyd.host.containers.inspected import ContainerState, number, rows, state_of, text
from autonomyd.host.containers.recreate import ASIDE, DRAFT

MOST = 200
"""So many are looked at in one go."""
ENDED = frozenset({"exited", "dead", "stopped"})
NO_NAME = "<none>:<none>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Ids of what may be removed, each with words for the preview; `bytes` is what the images take (layers that others
    share counted in: less may become free)."""

    containers: Mapping[str, str]
    images: Mapping[str, str]
    bytes: int


async def unused(api: EngineApi, *, before: float, images: str, keep: frozenset[str]) -> Unused:
    """Containers that ended before `before` (epoch seconds) and are not named in `keep`, and old images by the word of
    the setting (none, dangling, unused) that no container uses. Raises EngineFailure."""
    listed = rows(await api.ask("GET", "/containers/json", query={"all": "true"}))
    ended: dict[str, str] = {}
    for row in listed[:MOST]:
        if text(row.get("State")) in ENDED and not _names(row) & keep and not _is_of_a_fix(row):
            state = await _ended(api, text(row.get("Id")), before)
            if state is not None:
                ended[state.id] = f"container {state.name} (exited with code {state.exit_code})"
    found: dict[str, str] = {}
    size = 0
    if images != "none":
        used = {text(row.get("ImageID")).removeprefix("sha256:") for row in listed if row.get("Id") not in ended}
        for row in rows(await api.ask("GET", "/images/json"))[:MOST]:
            ident, tags = text(row.get("Id")), _tags(row)
            old = number(row.get("Created")) < before
            if ident and old and ident.removeprefix("sha256:") not in used and (images == "unused" or not tags):
                found[ident] = f"image {', '.join(tags) or ident.removeprefix('sha256:')[:12]}"
                size += number(row.get("Size"))
    return Unused(containers=ended, images=found, bytes=size)


async def remove_containers(api: EngineApi, idents: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Remove those that still are as the preview said: ended. (How many went, why each other one stayed.)"""
    kept: list[str] = []
    for ident in idents:
        try:
            if state_of(await api.ask("GET", f"/containers/{part(ident)}/json")).status not in ENDED:
                kept.append(f"{ident[:12]}: it runs again")
                continue
            await api.ask("DELETE", f"/containers/{part(ident)}", query={"force": "false", "v": "false"})
        except EngineRefusal as error:
            kept.append(f"{ident[:12]}: {error}")
    return len(idents) - len(kept), tuple(kept)


async def remove_images(api: EngineApi, idents: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """The same for images. The engine itself refuses one that a container uses."""
    kept: list[str] = []
    for ident in idents:
        try:
            await api.ask("DELETE", f"/images/{part(ident)}", query={"force": "false"})
        except EngineRefusal as error:
            kept.append(f"{ident.removeprefix('sha256:')[:12]}: {error}")
    return len(idents) - len(kept), tuple(kept)


async def data_folder(api: EngineApi) -> str:
    """Where the engine keeps containers and images. Raises EngineFailure."""
    answer = await api.ask("GET", "/info")
    folder = text(answer.get("DockerRootDir")) if isinstance(answer, dict) else ""
    if not folder:
        raise EngineFailure("the container engine does not tell where it keeps its data")
    return folder


async def _ended(api: EngineApi, ident: str, before: float) -> ContainerState | None:
    """Its state, when it ended before that time; None too when it is gone by now."""
    try:
        state = state_of(await api.ask("GET", f"/containers/{part(ident)}/json"))
    except EngineRefusal:
        return None
    old = state.finished_at is not None and state.finished_at < before
    return state if state.status in ENDED and old else None


def _names(row: Mapping[str, Any]) -> set[str]:
    """Every word by which the configuration may mean this container."""
    ident = text(row.get("Id"))
    names = row.get("Names")
    plain = {text(each).removeprefix("/") for each in names} if isinstance(names, list) else set()
    return plain | {ident, ident[:12]}


def _is_of_a_fix(row: Mapping[str, Any]) -> bool:
    return any(name.endswith((ASIDE, DRAFT)) for name in _names(row))


def _tags(row: Mapping[str, Any]) -> tuple[str, ...]:
    tags = row.get("RepoTags")
    return tuple(tag for tag in tags if isinstance(tag, str) and tag != NO_NAME) if isinstance(tags, list) else ()
