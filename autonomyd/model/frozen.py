"""`dataclass` as the standard library's, but frozen values are made quickly.

For each class `dataclasses` writes the source of six methods and compiles them: half a millisecond, and hundreds of
classes are made before the daemon can be ready. Here only `__init__` has source of its own; the other methods of a
`@dataclass(frozen=True, slots=True, kw_only=True)` are shared. Whatever else is asked for goes the standard way, and to
a type checker all of it does. What and why: docs/decisions/0026-quick-start.md.
"""

import dataclasses
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, **how):
        """As `dataclasses.dataclass`."""
        if cls is not None or how != FROZEN:
            return dataclasses.dataclass(cls, **how)
        return _frozen


FROZEN = {"frozen": True, "slots": True, "kw_only": True}
_MADE: Any = object()
"""Stands for a value that was not given, and that a factory makes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Standard:
    """What the standard library gives to such a class apart from the methods that are written for it."""


def _frozen(cls: type) -> type:
    if any(dataclasses.is_dataclass(each) for each in cls.__mro__):
        return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
    own = set(cls.__dict__) - ({"__hash__"} if cls.__dict__.get("__hash__", 0) is None else set())
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)(cls)
    standard: Any = _Standard
    fields = dataclasses.fields(made)
    hashed = [each.name for each in fields if (each.compare if each.hash is None else each.hash)]
    compared = [each.name for each in fields if each.compare]
    methods = {
        "__init__": _init(made, fields),
        "__repr__": _repr,
        "__eq__": _eq(_key(compared)),
        "__hash__": _hash(_key(hashed)),
        "__getstate__": standard.__getstate__,
        "__setstate__": standard.__setstate__,
    }
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    made.__setattr__, made.__delattr__ = _no_setattr, _no_delattr
    made.__dataclass_params__ = standard.__dataclass_params__  # so that classes derived from it are frozen too
    return made  # type: ignore[no-any-return]


def _init(cls: Any, fields: "tuple[dataclasses.Field[Any], ...]") -> Any:
    """An `__init__` that fills the slots; nothing of a class but the names of its fields gets into the source."""
    names: dict[str, Any] = {"__made": _MADE}
    parameters, body = [], []
    for number, each in enumerate(fields):
        given = default = each.name
        if each.default is not dataclasses.MISSING:
            names[f"__d{number}"], default = each.default, f"{each.name}=__d{number}"
        elif each.default_factory is not dataclasses.MISSING:
            names[f"__d{number}"], default = each.default_factory, f"{each.name}=__made"
            given = f"__d{number}() if {each.name} is __made else {each.name}"
        elif not each.init:
            continue
        names[f"__s{number}"] = getattr(cls, each.name).__set__
        if each.init:
            parameters.append(default)
        else:
            given = f"__d{number}" if each.default is not dataclasses.MISSING else f"__d{number}()"
        body.append(f" __s{number}(self, {given})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    head = f"def __init__(self{', *, ' if parameters else ''}{', '.join(parameters)}):"
    exec("\n".join([head, *(body or [" pass"])]), names)  # noqa: S102 - as dataclasses does it, from field names alone
    init = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.type for each in fields if each.init} | {"return": None}
    return init


def _key(names: list[str]) -> "Callable[[Any], tuple[Any, ...]]":
    """The values of these fields, as one tuple."""
    if not names:
        return lambda value: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda value: (get(value),)


def _eq(key: "Callable[[Any], tuple[Any, ...]]") -> Any:
    def same(self: Any, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return same


def _hash(key: "Callable[[Any], tuple[Any, ...]]") -> Any:
    def hashed(self: Any) -> int:
        return hash(key(self))

    return hashed


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in dataclasses.fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _no_setattr(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_delattr(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
