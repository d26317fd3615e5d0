"""Says for each fault of the configuration, in words, what it is and where it came from. Needed only for a bad one."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from autonomyd.settings.crosscheck import Contradiction
from autonomyd.settings.layers import Checks, Layers
from autonomyd.settings.locate import Position, nearest
from autonomyd.settings.problem import ConfigProblem, KeyPath, key_text
from autonomyd.settings.root import Settings
from autonomyd.settings.suggest import did_you_mean, keys_at
from autonomyd.settings.wording import message_of


def problems_of(
    layers: Layers, errors: Iterable[ErrorDetails], faults: Iterable[Contradiction], checks: Checks
) -> list[ConfigProblem]:
    """All faults in the order of the file: `errors` of single values, and `faults` between settings."""
    data = layers.merged()
    found: dict[KeyPath, list[tuple[str, str]]] = {}
    for error in errors:
        path = _true_path(error, data)
        words = (message_of(error, path), _hint(error, path, data, checks))
        if words not in found.setdefault(path, []):
            found[path].append(words)
    for fault in faults:
        known = [name for name in fault.known if fault.word]
        hint = did_you_mean(fault.word, known) if known else ""
        found.setdefault(fault.path, []).append((fault.message, hint))
    positions = layers.document.positions()
    problems = []
    for path, texts in found.items():
        message = _joined([text for text, _ in texts])
        problems.append(_placed(layers, positions, path, message, texts[0][1]))
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _placed(
    layers: Layers, positions: Mapping[KeyPath, Position], path: KeyPath, message: str, hint: str
) -> ConfigProblem:
    """The problem at its place: the strongest layer that holds `path` is the one to change."""
    key = key_text(path)
    if _holds(layers.overrides, path):
        return ConfigProblem(file="command line", key=key, message=message, hint=hint)
    in_file = _holds(layers.document.data, path)
    if variable := layers.environment.variable_of(path, inside=not in_file):
        if "[ ]" in message or "a table" in message:
            hint = hint or "in a variable that is JSON"
        return ConfigProblem(file=f"environment variable {variable}", key=key, message=message, hint=hint)
    line, column = nearest(positions, path) or (None, None)
    file = layers.document.file or "settings"
    return ConfigProblem(file=file, line=line, column=column, key=key, message=message, hint=hint)


def _joined(texts: list[str]) -> str:
    """The complaints of the members of a union as one: "expected a number or a list in [ ], got ..."."""
    expected, got, value = texts[-1].partition(", got ")
    others = [text.partition(", got ")[0] for text in texts[:-1]]
    return " or ".join([*others, expected.removeprefix("expected ") if others else expected]) + got + value


def _holds(tables: Any, path: KeyPath) -> bool:
    """Whether `path`, or the value that contains it, was set in `tables`."""
    for part in path:
        if not isinstance(tables, Mapping):
            return True
        if part not in tables:
            return False
        tables = tables[part]
    return True


def _true_path(error: ErrorDetails, data: Any) -> KeyPath:
    """The error's location without what pydantic adds (the tag or the type of the union's member that it tried)."""
    path: list[str | int] = []
    last = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        elif isinstance(data, list | tuple) and isinstance(part, int):
            data = data[part] if part < len(data) else None
        elif index != last or error["type"] not in {"missing", "extra_forbidden"}:
            continue
        path.append(part)
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path.append("type")
    return tuple(path)


def _hint(error: ErrorDetails, path: KeyPath, data: Any, checks: Checks) -> str:
    value, context = error.get("input"), error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        sections = [name for name in Settings.model_fields if path[-1] in keys_at(Settings, (name,), data, checks)]
        if len(path) == 1 and sections:
            return f"it belongs below {' or '.join(f'[{name}]' for name in sections)}"
        return did_you_mean(str(path[-1]), keys_at(Settings, path[:-1], data, checks))
    if error["type"] == "union_tag_invalid":
        return _near_word(context["tag"], context["expected_tags"])
    if error["type"] in {"literal_error", "enum", "unknown_kind"} and isinstance(value, str):
        return _near_word(value, context["expected"])
    if error["type"] == "union_tag_not_found":
        return "it is process, systemd, command, container or launchd"
    return ""


def _near_word(word: str, expected: str) -> str:
    known = expected.replace("'", "").replace(" or ", ", ").split(", ")
    hint = did_you_mean(word, known)
    return hint if hint.startswith("did you mean") else ""
