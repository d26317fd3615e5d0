"""The list of checks: complete, true to its modules, and imported only as far as a configuration names them."""

import subprocess
import sys
from pathlib import Path

import pytest

from autonomyd.monitor.probes import CHECKS, check_kinds, check_probes

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", CHECKS)
def test_each_kind_is_the_one_of_its_class(kind: str) -> None:
    assert check_probes()[kind].kind == kind
    assert check_kinds()[kind] is check_probes()[kind].Options


def test_the_kinds_can_be_listed_and_asked_for() -> None:
    assert set(CHECKS) <= set(check_kinds())
    assert len(check_kinds()) == len(list(check_kinds()))
    assert "http" in check_kinds()
    assert "no-such-kind" not in check_kinds()
    assert check_kinds().get("no-such-kind") is None


def test_what_no_configuration_names_is_not_imported() -> None:
    shown = (
        "import sys, autonomyd.control.daemon\nprint(*(name for name in sys.modules if name.startswith('autonomyd.')))"
    )
    argv = [sys.executable, "-c", shown]
    done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert not {f"autonomyd.monitor.probes.{kind}" for kind in CHECKS} & loaded
    assert not {f"autonomyd.host.databases.{name}" for name in ("mysql", "postgres", "redis", "sqlite")} & loaded
