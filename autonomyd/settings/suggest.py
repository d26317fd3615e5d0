"""Did you mean: the keys that a table has, at any place of the configuration, and the one nearest to a typing error."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from autonomyd.settings.problem import KeyPath
from autonomyd.settings.service import CheckSettings

_MOST_LISTED = 14


def keys_at(
    root: type[BaseModel], path: KeyPath, data: Any, checks: Mapping[str, type[CheckSettings]]
) -> tuple[str, ...]:
    """The keys of the table at `path`, as `data` (all of it) chose its types; empty where none is known."""
    model: type[BaseModel] | None = root
    models: tuple[type[BaseModel], ...] = ()
    is_name = False  # whether the next part names an entry (a service) rather than a key
    for part in path:
        data = _inside(data, part)
        if not isinstance(part, str):
            model = _chosen(models, data, checks)  # the entry of a list says itself which it is
        elif is_name:
            is_name = False
        elif model is None or part not in model.model_fields:
            return ()
        else:
            annotation = model.model_fields[part].annotation
            is_name = get_origin(annotation) is dict
            models = tuple(_models(annotation))
            model = _chosen(models, data, checks)
    return tuple(model.model_fields) if model else ()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for `word`: the nearest of `known`, or all of them when they are few, or nothing."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    if near := difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6):
        return f"did you mean '{folded[near[0]]}'?"
    return f"there are: {', '.join(names)}" if 0 < len(names) <= _MOST_LISTED else ""


def _inside(data: Any, part: str | int) -> Any:
    try:
        return data[part]
    except (KeyError, IndexError, TypeError):
        return None


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    """The models that an annotation speaks of, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _chosen(
    models: tuple[type[BaseModel], ...], data: Any, checks: Mapping[str, type[CheckSettings]]
) -> type[BaseModel] | None:
    """The one of `models` that `data` chose by its `type`."""
    kind = data.get("type") if isinstance(data, dict) else None
    if models and issubclass(models[0], CheckSettings):
        return checks.get(kind, models[0]) if isinstance(kind, str) else models[0]
    if len(models) < 2:
        return models[0] if models else None
    return next((each for each in models if kind in get_args(each.model_fields["type"].annotation)), None)
