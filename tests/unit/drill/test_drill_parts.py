"""The parts that need no daemon: the services, their configuration, what is read out of a status, the options."""

import signal
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from autonomyd.drill.command import drill
from autonomyd.drill.daemon import DaemonUnderDrill
from autonomyd.drill.round import BYSTANDERS, configuration
from autonomyd.drill.scenarios import SCENARIOS
from autonomyd.drill.services import PORTS, ServiceSpec, SmallService, free_ports, make_services
from autonomyd.drill.verdict import Kind, Phase
from autonomyd.drill.watch import ApiWatch, issues_by_subject
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.load import load_settings

UP_WITHIN_S = 10.0


def until_it_answers(service: SmallService) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while service.ask() is None:
        assert time.monotonic() < deadline, "the small service did not come up"
        time.sleep(0.01)


@pytest.fixture
def running(tmp_path: Path) -> Any:
    service = make_services((ServiceSpec(name="one", pidfile=True),), tmp_path, Random(1))["one"]
    process = service.start_by_hand()
    try:
        until_it_answers(service)
        yield service
    finally:
        service.end()
        process.wait()


def test_a_small_service_answers_with_its_pid_and_notes_its_start(running: SmallService) -> None:
    answer = running.ask()
    assert answer is not None
    assert answer.good
    assert running.starts() == running.alive() == (answer.pid,)
    assert (running.folder / "pid").read_text().strip() == str(answer.pid)


def test_a_hung_one_takes_connections_and_stays_silent(running: SmallService) -> None:
    assert running.ask("/hang") is not None
    assert running.ask(timeout_s=0.1) is None
    assert len(running.alive()) == 1


def test_one_that_was_told_to_exit_is_gone(running: SmallService) -> None:
    running.ask("/exit")
    deadline = time.monotonic() + UP_WITHIN_S
    while running.alive():
        assert time.monotonic() < deadline
    with pytest.raises(LookupError):
        running.signal(signal.SIGKILL)


def test_a_crashing_one_dies_at_once(tmp_path: Path) -> None:
    service = make_services((ServiceSpec(name="two"),), tmp_path, Random(2))["two"]
    service.flag("crash")
    assert service.start_by_hand().wait(UP_WITHIN_S) == 3
    assert len(service.starts()) == 1


def test_a_child_is_unwell_without_what_it_needs(tmp_path: Path) -> None:
    made = make_services((ServiceSpec(name="parent"), ServiceSpec(name="child", needs="parent")), tmp_path, Random(3))
    process: subprocess.Popen[bytes] = made["child"].start_by_hand()
    try:
        until_it_answers(made["child"])
        answer = made["child"].ask()
        assert answer is not None
        assert answer.status == 503
    finally:
        made["child"].end()
        process.wait()


def test_the_configuration_of_all_scenarios_loads(tmp_path: Path) -> None:
    services = make_services(
        (*BYSTANDERS, *(spec for each in SCENARIOS for spec in each.services)), tmp_path, Random(4)
    )
    daemon = DaemonUnderDrill(tmp_path)
    (tmp_path / "logs").mkdir()
    daemon.config.write_text(configuration(daemon, services, SCENARIOS, tmp_path))
    settings = load_settings(daemon.config, checks=check_kinds())
    assert set(settings.services) == set(services)
    assert settings.services["child"].depends_on == ("parent",)
    assert settings.daemon.socket == str(daemon.socket)
    assert len(settings.cleanup) == 1


def test_scenarios_have_names_and_services_of_their_own() -> None:
    names = [each.name for each in SCENARIOS]
    services = [spec.name for each in SCENARIOS for spec in each.services]
    assert len(set(names)) == len(names)
    assert len(set(services)) == len(services)
    assert {each.kind for each in SCENARIOS} == set(Kind)
    assert SCENARIOS[-1].phase is Phase.LAST


def test_ports_are_free_distinct_and_the_same_for_a_seed() -> None:
    ports = free_ports(20, Random(5))
    assert len(set(ports)) == 20
    assert set(ports) <= set(PORTS)
    assert ports == free_ports(20, Random(5))


def issue(state: str, *, next_try_at: float | None = None) -> dict[str, Any]:
    return {
        "issue": {"id": 1, "subject": "service:web", "state": state, "next_try_at": next_try_at},
        "refusal": {"reason": "restart_limit"} if state == "parked" else None,
    }


def status(state: str, pid: int | None, *issues: dict[str, Any]) -> dict[str, Any]:
    web = {"state": state, "pid": pid, "restarts": 0, "next_try_at": None}
    return {"services": {"web": web}, "issues": list(issues)}


def test_issues_are_grouped_by_their_subject() -> None:
    found = issues_by_subject([issue("parked", next_try_at=9.0)])["service:web"]
    assert [(each.state, each.refused, each.next_try_at) for each in found] == [("parked", "restart_limit", 9.0)]


def test_the_api_watch_keeps_what_changed(tmp_path: Path) -> None:
    watch = ApiWatch(DaemonUnderDrill(tmp_path).client)
    for at, seen in enumerate((status("up", 7), status("up", 7), status("down", None, issue("open")), status("up", 8))):
        watch._take(seen, float(at))
    changes = watch.since("service:web", -1.0)
    assert [(each.at, each.state, each.calm) for each in changes] == [
        (0.0, "up", True),
        (2.0, "down", False),
        (3.0, "up", True),
    ]
    first = watch.first("service:web", 0.5, lambda shown: not shown.calm)
    assert first is not None
    assert first.at == 2.0


def test_list_names_every_scenario() -> None:
    shown = CliRunner().invoke(drill, ["--list"])
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.output.splitlines()] == [each.name for each in SCENARIOS]


def test_an_unknown_scenario_is_refused_with_the_names() -> None:
    shown = CliRunner().invoke(drill, ["--only", "nothing"])
    assert shown.exit_code == 2
    assert "killed" in shown.output


def test_the_api_watch_tells_what_was_shown_at_a_time(tmp_path: Path) -> None:
    watch = ApiWatch(DaemonUnderDrill(tmp_path).client)
    watch._take(status("up", 7), 1.0)
    watch._take(status("up", 8), 3.0)
    before = watch.before("service:web", 2.0)
    assert before is not None
    assert before.pid == 7
    assert watch.before("service:web", 0.5) is None
