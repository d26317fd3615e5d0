"""The generated pages are up to date, and what they say is true."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autonomyd.settings.describe import keys_of, models_in
from autonomyd.settings.examples import EXAMPLES
from autonomyd.settings.load import make_settings
from autonomyd.settings.reference import PAGE, SAMPLE, configuration_page, write_pages
from autonomyd.settings.root import Settings
from autonomyd.settings.sample import examples_of, sample_file, settings_of
from autonomyd.settings.service import CheckSettings

ROOT = Path(__file__).parents[3]
Load = Callable[..., Settings]
Kinds = Mapping[str, type[CheckSettings]]


def _bundled_checks() -> Kinds:
    from autonomyd.monitor.probes import CHECKS, check_kinds

    kinds = check_kinds()
    return {kind: kinds[kind] for kind in CHECKS}  # the pages know the bundled checks, whatever else is installed


def test_the_pages_are_up_to_date() -> None:
    assert (ROOT / SAMPLE).read_text(encoding="utf-8") == sample_file(), "run make docs"
    assert (ROOT / PAGE).read_text(encoding="utf-8") == configuration_page(_bundled_checks()), "run make docs"


def test_the_pages_are_written(tmp_path: Path, kinds: Kinds) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "etc").mkdir()
    write_pages(tmp_path, kinds)
    assert "| `latency_ms` | number |  | A slower answer is an issue. |" in (tmp_path / PAGE).read_text()
    assert (tmp_path / SAMPLE).read_text() == sample_file()


def test_the_sample_as_it_stands_is_the_defaults(load: Load) -> None:
    assert load((ROOT / SAMPLE).read_text(encoding="utf-8")) == make_settings({})


def test_the_sample_with_every_setting_is_the_defaults(load: Load) -> None:
    text = settings_of((ROOT / SAMPLE).read_text(encoding="utf-8"))
    assert load(text) == make_settings({})


def test_the_sample_names_every_setting_that_has_a_default() -> None:
    tables = tomllib.loads(settings_of(sample_file()))
    for name, field in Settings.model_fields.items():
        if name in {"cleanup", "services"}:
            continue
        keys = {key.name for key in keys_of(next(models_in(field.annotation))) if key.default}
        assert set(tables[name]) == keys


@pytest.mark.parametrize("own_checks", [True, False], ids=["bundled checks", "test checks"])
def test_the_examples_of_the_sample_load(own_checks: bool, load: Load, kinds: Kinds) -> None:
    text = examples_of((ROOT / SAMPLE).read_text(encoding="utf-8"))
    settings = make_settings(tomllib.loads(text), checks=_bundled_checks()) if own_checks else load(text)
    assert set(settings.services) == {"web", "cache"}
    assert [folder.root for folder in settings.cleanup] == ["/srv/web/log", "/srv/uploads/tmp"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_table_has_an_example_that_loads(name: str, load: Load) -> None:
    assert name in load(EXAMPLES[name]).model_fields_set


def test_every_key_has_a_meaning() -> None:
    pending = [next(models_in(field.annotation)) for field in Settings.model_fields.values()]
    pending += _bundled_checks().values()
    while pending:
        model = pending.pop()
        for key in keys_of(model):
            assert key.meaning, f"{model.__name__}.{key.name} has no docstring"
            pending += models_in(key.field.annotation)
