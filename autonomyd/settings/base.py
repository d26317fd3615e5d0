"""What every table of the configuration shares: unknown keys are refused, values are frozen, types are meant.

The attribute docstrings are the reference's text; `reference.py` reads them from the source, because pydantic's own
way (use_attribute_docstrings) would parse every module again at each start.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

Seconds = Annotated[float, Field(gt=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Argv = Annotated[tuple[str, ...], Field(min_length=1)]


class FromEnvironment(str):
    """A text that stands for a value of any type: environment variables have no others."""

    __slots__ = ()


class Table(BaseModel):
    """A TOML table. Built at its first use, so that importing the tables costs little."""

    written_as: ClassVar[str] = "table"
    """How the reference calls the type."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _mean_their_types(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        table = handler(data)
        if isinstance(data, dict):
            errors = [error for key in data for error in _type_errors(key, data[key], getattr(table, key, None))]
            if errors:
                raise ValidationError.from_exception_data(cls.__name__, errors)
        return table


def _type_errors(key: str, before: Any, after: Any) -> Iterator[InitErrorDetails]:
    """Where pydantic read a number out of "5" or `true`, or a truth value out of 1."""
    if isinstance(before, list) and isinstance(after, tuple) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if wanted := _other_type(old, new):
                yield InitErrorDetails(type=wanted, loc=(key, index), input=old)
    elif wanted := _other_type(before, after):
        yield InitErrorDetails(type=wanted, loc=(key,), input=before)


def _other_type(before: Any, after: Any) -> str:
    """pydantic's name of the error, when `after` has another type than was written; else empty."""
    if isinstance(before, FromEnvironment) or type(before) is type(after):
        return ""
    if isinstance(after, bool):
        return "bool_type"
    if isinstance(after, int | float) and isinstance(before, str | bool):
        return "int_type" if isinstance(after, int) else "float_type"
    return ""
