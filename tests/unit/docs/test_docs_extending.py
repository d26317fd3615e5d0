"""The examples of extending.md are executed as they stand there, at the places that they name."""

import asyncio
import json
import re
import sys
import tempfile
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from autonomyd import AutonomousOperationSystem, make_settings
from autonomyd.cli import ctl
from autonomyd.control import server
from autonomyd.control.resource import Hooks
from autonomyd.monitor.probes import CHECKS, check_kinds
from autonomyd.settings import control as control_settings

PAGE = "docs/extending.md"
Made = Callable[[str], ModuleType]


@pytest.fixture
def make(blocks: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch) -> Made:
    """The module that the page shows under this path, made and imported under its name."""

    def made(path: str) -> ModuleType:
        text = next(each.text for each in blocks("python", PAGE) if each.text.startswith(f"# {path}\n"))
        name = path.removesuffix(".py").replace("/", ".")
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, f"{PAGE}:{path}", "exec"), module.__dict__)
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            monkeypatch.setattr(sys.modules[parent], last, module, raising=False)
        return module

    return made


async def test_the_probe_passes_its_own_test(make: Made, tmp_path: Path) -> None:
    make("autonomyd/monitor/probes/spool.py")
    tests = make("tests/unit/monitor/test_monitor_spool.py")
    found = [each for name, each in vars(tests).items() if name.startswith("test_")]
    assert len(found) == 2
    for number, test in enumerate(found):
        folder = tmp_path / str(number)
        folder.mkdir()
        await test(folder)


def test_the_configuration_knows_the_probe_by_its_line(make: Made, blocks: Callable[..., list[Any]]) -> None:
    probe = make("autonomyd/monitor/probes/spool.py").SpoolProbe
    line = next(each.text for each in blocks("text", PAGE) if each.text.startswith("CHECKS: "))
    assert re.findall(r'"(\w+)": "(\w+Probe)"', line) == [next(iter(CHECKS.items())), (probe.kind, probe.__name__)]
    written = next(each.text for each in blocks("toml", PAGE) if "spool" in each.text)
    import tomllib

    settings = make_settings(tomllib.loads(written), checks={**check_kinds(), probe.kind: probe.Options})
    assert settings.services["mailer"].checks[0].model_dump()["max_files"] == 500


def test_the_playbook_passes_its_own_test(make: Made) -> None:
    make("autonomyd/execute/playbooks/kill_over_limit.py")
    tests = make("tests/unit/execute/test_execute_kill_over_limit.py")
    found = [each for name, each in vars(tests).items() if name.startswith("test_")]
    assert len(found) == 2
    for test in found:
        test()


def test_the_control_makes_commands(blocks: Callable[..., list[Any]]) -> None:
    text = next(each.text for each in blocks("python", PAGE) if "class OpenRcControl" in each.text)
    names = dict(vars(control_settings))
    exec(compile(text, PAGE, "exec"), names)
    made = names["OpenRcControl"](type="openrc", name="nginx", pidfile="/run/nginx.pid").commands()
    assert made.restart == ("rc-service", "nginx", "restart")
    assert typing.get_args(control_settings.Control)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A socket's path has at most 107 bytes; pytest's own folders can be longer."""
    with tempfile.TemporaryDirectory(prefix="docs-") as name:
        yield Path(name)


async def test_the_resource_and_the_verb_talk_to_each_other(
    make: Made, monkeypatch: pytest.MonkeyPatch, short_folder: Path
) -> None:
    routes = make("autonomyd/control/resources/disks.py").ROUTES
    make("autonomyd/cli/verbs/disks.py")
    monkeypatch.setattr(server, "ROUTES", (*server.ROUTES, *routes))
    monkeypatch.setattr(ctl, "VERBS", {**ctl.VERBS, "disks": "How full each disk is."})
    settings = make_settings({"daemon": {"state_dir": str(short_folder / "state")}})
    path = short_folder / "control.sock"

    async def reload() -> dict[str, Any]:
        return {}

    async with AutonomousOperationSystem(settings) as system:
        await system.check_now()
        serving = server.ControlServer(system, Hooks(reload=reload, config=dict), path)
        await serving.start()
        try:
            called = await asyncio.to_thread(
                CliRunner().invoke, ctl.cli, ["disks", "--json", "--socket", str(path)], catch_exceptions=False
            )
            seen = await asyncio.to_thread(
                CliRunner().invoke, ctl.cli, ["--socket", str(path), "disks", "--least", "0"], catch_exceptions=False
            )
        finally:
            await serving.stop()
    assert called.exit_code == 0
    used = [each["used_percent"] for each in json.loads(called.output)]
    assert used
    assert used == sorted(used, reverse=True)
    assert seen.exit_code == 0
