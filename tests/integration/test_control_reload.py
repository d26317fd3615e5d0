"""Reload and fallback of a real process, and who holds its port."""

import asyncio
import socket
import subprocess
import sys

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.controls import ControlError, make_control
from autonomyd.host.pidfd import identify
from autonomyd.host.port_holders import end_one, holders_of
from autonomyd.model.service import RunState
from autonomyd.settings.control import ProcessControl
from autonomyd.settings.fallback import FallbackSettings

LOADS = """
import pathlib, signal, sys
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGHUP, lambda *_: (folder / 'loaded').write_text('again'))
(folder / 'ready').write_text(sys.argv[2])
while True:
    signal.pause()
"""


def command(folder, word):
    return (sys.executable, "-c", LOADS, str(folder), word)


@pytest.fixture
async def controls(tmp_path):
    made = []

    async def make(**keys):
        second = keys.pop("second", None)
        settings = ProcessControl(type="process", command=command(tmp_path, "own"), **keys)
        control = make_control(
            "svc", settings, state_dir=tmp_path, clock=SystemClock(), instance=str(tmp_path), fallback=second
        )
        await control.open(lambda run: None)
        made.append(control)
        return control

    yield make
    for control in made:
        await control.stop(force=True)
        await control.close()


async def appears(path, text):
    async with asyncio.timeout(10.0):
        while not path.exists() or path.read_text() != text:
            await asyncio.sleep(0.01)


async def test_reload_sends_the_signal_to_the_service_alone(controls, tmp_path):
    control = await controls(reload_signal="HUP")
    run = await control.start()
    await appears(tmp_path / "ready", "own")
    assert control.can_reload
    after = await control.reload()
    await appears(tmp_path / "loaded", "again")
    assert (after.state, after.pid) == (RunState.RUNNING, run.pid)


async def test_what_can_not_reload_says_so(controls):
    control = await controls()
    await control.start()
    assert not control.can_reload
    with pytest.raises(ControlError, match="can't be told"):
        await control.reload()


async def test_nothing_that_runs_can_not_be_reloaded(controls):
    control = await controls(reload_signal="HUP")
    with pytest.raises(ControlError, match="does not run"):
        await control.reload()


async def test_the_fallback_command_runs_after_a_switch_and_the_own_one_again_after_the_next(controls, tmp_path):
    control = await controls(second=FallbackSettings(command=command(tmp_path, "second")))
    await control.start()
    await appears(tmp_path / "ready", "own")
    control.use_fallback(True)
    await control.restart()
    await appears(tmp_path / "ready", "second")
    assert control.fallback
    control.use_fallback(False)
    await control.restart()
    await appears(tmp_path / "ready", "own")


async def test_without_a_fallback_there_is_nothing_to_switch_to(controls):
    control = await controls()
    with pytest.raises(ControlError, match="no fallback"):
        control.use_fallback(True)
    control.use_fallback(False)
    assert not control.fallback


LISTENS = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()"  # noqa: E501


async def test_the_holder_of_a_port_is_named_and_only_it_is_ended():
    with subprocess.Popen([sys.executable, "-c", LISTENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as thief:
        assert thief.stdout is not None
        port = int(thief.stdout.readline())
        (found,) = holders_of(frozenset({port}), marker="nobody/nothing")
        assert found.identity is not None
        assert (found.port, found.identity.pid, found.marked) == (port, thief.pid, False)
        assert await end_one(found.identity) == ""
        thief.wait(10.0)
        assert identify(thief.pid) is None
        with socket.socket() as free:
            free.bind(("127.0.0.1", port))
        assert holders_of(frozenset({port}), marker="nobody/nothing") == ()
