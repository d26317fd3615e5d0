"""Frozen values made quickly are what the standard library would have made."""

import copy
import dataclasses
import inspect
import math
import pickle
from typing import Any, ClassVar

import pytest

from autonomyd.model.frozen import dataclass


class Readable:
    __slots__ = ()

    def name_of(self) -> str:
        return type(self).__name__


class Body(Readable):
    """A value of every kind of field."""

    KIND: ClassVar[str] = "body"

    first: int
    text: str = "x"
    many: list[int] = dataclasses.field(default_factory=list)
    hidden: float = dataclasses.field(default=0.5, repr=False, compare=False)
    fixed: int = dataclasses.field(default=7, init=False)
    made: tuple[int, ...] = dataclasses.field(default_factory=tuple, init=False)
    unhashed: dict[str, int] = dataclasses.field(default_factory=dict, hash=False)

    def doubled(self) -> int:
        return 2 * self.first


def copy_of(body: type) -> type:
    return type(body.__name__, body.__bases__, dict(body.__dict__) | {"__qualname__": body.__qualname__})


FROZEN: dict[str, Any] = {"frozen": True, "slots": True, "kw_only": True}
Standard: Any = dataclasses.dataclass(**FROZEN)(copy_of(Body))
Quick: Any = dataclass(**FROZEN)(copy_of(Body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """For what needs a class that can be found by its name."""

    x: float
    y: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One that looks at itself."""

    low: int

    def __post_init__(self) -> None:
        if self.low < 0:
            raise ValueError("low")

    def __repr__(self) -> str:
        return "own"

    def __hash__(self) -> int:
        return 4


@pytest.mark.parametrize("arguments", [{"first": 1}, {"first": 2, "text": "a", "many": [3], "hidden": 9.0}])
def test_it_reads_and_prints_as_the_standard_one(arguments: dict[str, Any]) -> None:
    quick, standard = Quick(**arguments), Standard(**arguments)
    assert repr(quick) == repr(standard)
    assert dataclasses.asdict(quick) == dataclasses.asdict(standard)
    assert dataclasses.asdict(dataclasses.replace(quick, first=8)) == dataclasses.asdict(
        dataclasses.replace(standard, first=8)
    )
    assert (quick.doubled(), quick.name_of(), quick.KIND) == (standard.doubled(), standard.name_of(), standard.KIND)


def test_its_class_looks_as_the_standard_one() -> None:
    names = [(each.name, each.init, each.kw_only) for each in dataclasses.fields(Quick)]
    assert names == [(each.name, each.init, each.kw_only) for each in dataclasses.fields(Standard)]
    assert (Quick.__slots__, Quick.__match_args__) == (Standard.__slots__, Standard.__match_args__)
    assert repr(Quick.__dataclass_params__) == repr(Standard.__dataclass_params__)
    quick, standard = inspect.signature(Quick), inspect.signature(Standard)
    assert list(quick.parameters) == list(standard.parameters)
    assert [each.kind for each in quick.parameters.values()] == [each.kind for each in standard.parameters.values()]


def test_nothing_in_it_changes() -> None:
    value = Point(x=1.0)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        value.x = 2.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del value.x  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.other = 1  # type: ignore[attr-defined]
    assert not hasattr(value, "__dict__")


def test_it_is_equal_by_what_is_compared_and_only_to_its_own_kind() -> None:
    one = Quick(first=1, hidden=1.0)
    assert one == Quick(first=1, hidden=2.0)
    assert one != Quick(first=2)
    assert one != Standard(first=1)
    assert Point(x=1.0) == Point(x=1.0)
    assert len({Point(x=1.0), Point(x=1.0), Point(x=2.0)}) == 2
    assert Point(x=math.nan) != Point(x=float("nan"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_each_gets_what_its_factory_makes() -> None:
    one, other = Quick(first=1), Quick(first=1)
    one.many.append(5)
    assert (one.many, other.many) == ([5], [])
    assert (one.fixed, one.made) == (7, ())


@pytest.mark.parametrize("arguments", [{}, {"y": 1.0}, {"x": 1.0, "z": 2.0}])
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Point(**arguments)
    with pytest.raises(TypeError):
        Point(1.0)  # type: ignore[misc]


def test_it_is_copied_and_pickled() -> None:
    value = Point(x=1.0, y=2.0)
    assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


def test_what_the_class_writes_itself_stays() -> None:
    with pytest.raises(ValueError, match="low"):
        Checked(low=-1)
    assert repr(Checked(low=1)) == "own"
    assert hash(Checked(low=1)) == 4


def test_one_may_derive_from_it_in_either_way() -> None:
    for make in (dataclass(**FROZEN), dataclasses.dataclass(**FROZEN)):
        derived: Any = make(type("Derived", (Point,), {"__annotations__": {"z": float}, "__doc__": "It has one more."}))
        value = derived(x=1.0, z=3.0)
        assert (value.x, value.y, value.z) == (1.0, 0.0, 3.0)
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.x = 2.0


def test_what_is_not_frozen_goes_the_standard_way() -> None:
    @dataclass(slots=True)
    class Counter:
        """It counts."""

        count: int = 0

    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)


def test_a_value_without_fields_is_equal_to_its_like() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Nothing:
        """It says only that it is there."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")
