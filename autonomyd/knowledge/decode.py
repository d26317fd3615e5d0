"""Stored JSON back to the model's frozen values, by their own annotations: the other way of `model.wire.plain`."""

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Decoder = Callable[[Any], Any]


class DecodeError(ValueError):
    """Permanent: the stored value is not one of this type (a newer version wrote it, or it is damaged)."""


def decode(kind: type[T], value: Any) -> T:
    """`value` (JSON values) as the dataclass `kind`. Unknown keys are passed over, missing ones take the default.
    Raises DecodeError."""
    target: Any = kind
    try:
        result: T = _decoder(target)(value)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DecodeError(f"not a {kind.__name__}: {error}") from error
    return result


@cache
def _decoder(kind: Hashable) -> Decoder:
    """How a value of the annotated type `kind` is made."""
    return _make(kind)


def _make(kind: Any) -> Decoder:
    origin = get_origin(kind)
    if kind is Any:
        return lambda value: value
    if isinstance(kind, NewType):
        return _decoder(kind.__supertype__)
    if origin is Union or isinstance(kind, types.UnionType):
        return _union(get_args(kind))
    if origin is tuple:
        item = _decoder(get_args(kind)[0])
        return lambda value: tuple(item(each) for each in _expect(list, value))
    if origin in (Mapping, dict):
        key, item = (_decoder(each) for each in get_args(kind))
        return lambda value: MappingProxyType({key(k): item(v) for k, v in _expect(dict, value).items()})
    if is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _SCALARS[kind]


def _union(members: tuple[Any, ...]) -> Decoder:
    """Null for None; an object by its `step` where there are several kinds; else the first member that takes it."""
    nullable = type(None) in members
    rest = [each for each in members if each is not type(None)]
    steps = {each.__name__: each for each in rest if is_dataclass(each) and isinstance(each, type)}

    def union(value: Any) -> Any:
        if value is None and nullable:
            return None
        if len(steps) > 1 and isinstance(value, dict):
            return _decoder(steps[value["step"]])(value)
        for member in rest[:-1]:
            try:
                return _decoder(member)(value)
            except (TypeError, ValueError):
                continue
        return _decoder(rest[-1])(value)

    return union


def _dataclass(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    parts = [(each.name, _decoder(hints[each.name]), _needed(each)) for each in fields(kind) if each.init]

    def build(value: Any) -> Any:
        found = _expect(dict, value)
        return kind(**{name: part(found[name]) for name, part, needed in parts if needed or name in found})

    return build


def _needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _expect(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _float(value: Any) -> float:
    # `plain` writes nan and inf as null: JSON has no word for them
    return float("nan") if value is None else float(value)


_SCALARS: dict[Any, Decoder] = {
    str: lambda value: _expect(str, value),
    bool: lambda value: _expect(bool, value),
    int: lambda value: _expect(int, value),
    float: _float,
    type(None): lambda value: _expect(type(None), value),
}
