"""The settings models as texts: each key's type, default and meaning. For the generated pages only."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any value"}
_PLURALS = {
    "text": "texts",
    "whole number": "whole numbers",
    "number": "numbers",
    "table": "tables",
    "number or table": "numbers or tables",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a table. `default` is TOML; empty when it is `required` or has no value of its own."""

    name: str
    type: str
    default: str
    required: bool
    meaning: str
    field: FieldInfo


def keys_of(model: type[BaseModel], *, beyond: type[BaseModel] | None = None) -> tuple[Key, ...]:
    """The keys of a table in their order; only those that `model` has `beyond` another, if that is given."""
    meanings = _meanings(model)
    told = () if beyond is None else beyond.model_fields
    return tuple(
        Key(
            name=name,
            type=type_words(field.annotation, field.metadata),
            default="" if field.is_required() else toml_value(field.get_default(call_default_factory=True)),
            required=field.is_required() and "default:" not in meanings.get(name, ""),  # else it is derived
            meaning=meanings.get(name, ""),
            field=field,
        )
        for name, field in model.model_fields.items()
        if name not in told
    )


def summary(model: type[BaseModel]) -> str:
    """The docstring of `model` as one line."""
    return " ".join((model.__doc__ or "").split())


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def toml_value(value: Any) -> str:
    """`value` as TOML on one line; empty for None and for what TOML leaves out (an empty table)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return toml_value(value.value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml_value(each) for each in value)}]"
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict):
        pairs = [f"{key} = {toml_value(each)}" for key, each in value.items() if each is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    return ""


def type_words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """The type that a person writes: `number > 0`, `list of texts`, `"observe", "shadow", "ask" or "act"`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0], [*arguments[1:], *metadata])
    if origin in {Union, UnionType}:
        kinds = [type_words(each, metadata) for each in arguments if each is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    if origin is Literal:
        return _choice(arguments)
    if origin is tuple:
        inner = type_words(arguments[0])
        many = _PLURALS.get(inner, inner)
        words = f"list of {many}" if Ellipsis in arguments else f"list of {len(arguments)} {_plural(inner)}"
        return words + _bounds(metadata)
    if origin is dict:
        return f"table of {_PLURALS.get(type_words(arguments[1]), 'values')}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice([each.value for each in annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return str(getattr(annotation, "written_as", "table"))
    return _WORDS.get(annotation, "value") + _bounds(metadata)


def _plural(words: str) -> str:
    for one, many in sorted(_PLURALS.items(), key=lambda pair: -len(pair[0])):
        if words.startswith(one):
            return many + words.removeprefix(one)
    return words


def _choice(values: Iterable[Any]) -> str:
    *most, last = [toml_value(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last


def _bounds(metadata: Iterable[Any]) -> str:
    """The bounds among an annotation's metadata, which nests (Field(gt=0) holds Gt(0))."""
    texts: list[str] = []
    for each in metadata:
        if isinstance(each, FieldInfo):
            texts.append(_bounds(each.metadata).strip(", "))
        elif isinstance(each, Gt | Ge | Lt | Le):
            sign, bound = {Gt: (">", "gt"), Ge: (">=", "ge"), Lt: ("<", "lt"), Le: ("<=", "le")}[type(each)]
            texts.append(f"{sign} {getattr(each, bound):g}")
        elif isinstance(each, MinLen) and each.min_length:
            texts.append("not empty" if each.min_length == 1 else f"at least {each.min_length} long")
        elif isinstance(each, MaxLen):
            texts.append(f"at most {each.max_length} long")
    joined = ", ".join(text for text in texts if text)
    if not joined:
        return ""
    return f" {joined}" if joined[0] in "<>" else f", {joined}"


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The text below each attribute of `model` and its parents, from the source."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel and not parent.__module__.startswith("pydantic"):
            found |= _own_meanings(parent)
    return found


def _own_meanings(model: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for statement, following in pairwise(body):
        is_field = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        if is_field and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            found[statement.target.id] = re.sub(r"\s+", " ", str(following.value.value)).strip()  # type: ignore[attr-defined]
    return found
