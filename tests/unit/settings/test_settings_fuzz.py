"""Whatever stands in the file, it is loaded or refused in words: no other exception, and never half."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomyd.settings.examples import EXAMPLES
from autonomyd.settings.load import load_settings, make_settings
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings

Kinds = Mapping[str, type[CheckSettings]]

WHOLE = "\n".join(EXAMPLES.values())
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["type", "enter", "x", "root"]), st.text(max_size=3), max_size=2),
    st.dates(),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "autonomyd.toml"


def _outcome(load: Callable[[], Settings]) -> Settings | ConfigError:
    try:
        return load()
    except ConfigError as error:
        return error


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.integers(0, len(WHOLE)), length=st.integers(0, 60), put=st.text(alphabet='[]{}"=\n#a1.,', max_size=6))
def test_a_damaged_file(file: Path, kinds: Kinds, start: int, length: int, put: str) -> None:
    file.write_text(WHOLE[:start] + put + WHOLE[start + length :], encoding="utf-8")
    outcome = _outcome(lambda: load_settings(file, checks=kinds, environ={}))
    if isinstance(outcome, ConfigError):
        assert outcome.problems
        assert all(problem.line is not None for problem in outcome.problems)
        assert str(outcome).count("\n") == len(outcome.problems) - 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), value=STRANGE)
def test_a_strange_value_anywhere(kinds: Kinds, data: st.DataObject, value: Any) -> None:
    tables = tomllib.loads(WHOLE)
    inner: Any = tables
    while True:
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        deeper = inner[key]
        if not (isinstance(deeper, dict | list) and deeper and data.draw(st.booleans())):
            break
        inner = deeper
    inner[key] = value
    outcome = _outcome(lambda: make_settings(tables, checks=kinds))
    if isinstance(outcome, ConfigError):
        assert outcome.problems
        assert all(problem.key.split(".")[0].split("[")[0] in WHOLE for problem in outcome.problems)
    else:
        assert outcome == make_settings(tables, checks=kinds)
