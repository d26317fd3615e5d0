"""Discovery proposes tables that load as they are, act on nothing, and carry names that people know."""

import tomllib

import pytest

from autonomyd.control.discovery import program_of, proposals
from autonomyd.host.listeners import Listener
from autonomyd.model.plan import Autonomy
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.load import make_settings


def listener(port: int, pid: int, *cmdline: str, unit: str | None = None, name: str = "python3") -> Listener:
    return Listener(port=port, address="0.0.0.0", pid=pid, name=name, cmdline=cmdline, cwd="/srv/a b", unit=unit)


def test_what_is_proposed_loads_and_only_observes() -> None:
    found = [
        listener(8000, 10, "python3", "/srv/web/server.py", '--title="x"'),
        listener(8001, 10, "python3", "/srv/web/server.py", '--title="x"'),
        listener(80, 11, "nginx", unit="nginx.service", name="nginx"),
    ]
    proposal = proposals(found, units=["cron.service", "nginx.service"], taken=["server"])
    settings = make_settings(tomllib.loads(proposal.toml), checks=check_kinds())
    assert sorted(settings.services) == ["cron", "nginx", "server-2"]
    assert {service.autonomy for service in settings.services.values()} == {Autonomy.OBSERVE}
    assert [check.model_dump()["port"] for check in settings.services["server-2"].checks] == [8000, 8001]
    assert settings.services["server-2"].control.model_dump()["cwd"] == "/srv/a b"


def test_a_listener_without_an_owner_is_left_out() -> None:
    hidden = Listener(port=22, address="0.0.0.0", pid=None)
    assert proposals([hidden], taken=[]).services == ()


@pytest.mark.parametrize(
    ("name", "cmdline", "expected"),
    [
        ("redis-server", ("redis-server", "*:6379"), "redis-server"),
        ("python3.11", ("python3", "-u", "/srv/app/main.py", "8000"), "main"),
        ("python3", ("python3", "-m", "http.server", "8000"), "http.server"),
        ("node", ("node", "index.js"), "index"),
        ("bash", ("bash",), "bash"),
    ],
)
def test_interpreters_are_named_by_what_they_run(name: str, cmdline: tuple[str, ...], expected: str) -> None:
    assert program_of(name, cmdline) == expected
