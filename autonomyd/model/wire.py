"""Frozen values to plain JSON values (dict, list, str, float, bool, None). The one way out for every shape."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from autonomyd.model.step import Step


def plain(value: Any) -> Any:
    """`value` as JSON values: dataclasses become objects (with `step` naming the act for a Step),
    enums their value, tuples and sets lists, and numbers that JSON has no word for (nan, inf) None."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        named = {"step": type(value).__name__} if isinstance(value, Step) else {}
        return named | {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)
