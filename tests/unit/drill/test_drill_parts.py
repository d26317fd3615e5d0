"""The parts that need no daemon: the services and their moods, the configuration, what is read out of a status, the
options."""

import os
import signal
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from autonomyd.drill import small_redis
from autonomyd.drill.aside import Edit, release_is
from autonomyd.drill.command import drill
from autonomyd.drill.daemon import DaemonUnderDrill
from autonomyd.drill.round import PORTS_EACH, Round
from autonomyd.drill.scenarios import SCENARIOS
from autonomyd.drill.services import PORTS, PYTHON, ServiceSpec, SmallService, free_ports, make_services
from autonomyd.drill.stage import configuration
from autonomyd.drill.tables import ERROR
from autonomyd.drill.verdict import BYSTANDERS, REDIS, WEB, Kind, Result
from autonomyd.drill.watch import ApiWatch, issues_by_subject
from autonomyd.host.process import read_process
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.load import load_settings

UP_WITHIN_S = 10.0


def until(wanted: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while not wanted():
        assert time.monotonic() < deadline, f"{what}: not within {UP_WITHIN_S:g} s"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., dict[str, SmallService]]]:
    """Make services and start them without a daemon; all end with the test."""
    made: dict[str, SmallService] = {}
    running: list[subprocess.Popen[bytes]] = []

    def start_all(*specs: ServiceSpec) -> dict[str, SmallService]:
        made.update(make_services(specs, tmp_path, Random(os.getpid())))
        running.extend(service.start_by_hand() for service in made.values())
        for service in made.values():
            if service.name != REDIS.name:
                until(service.ask, f"{service.name} answers")
        return made

    yield start_all
    for service in made.values():
        service.end()
    for process in running:
        process.wait()


@pytest.fixture
def running(start: Callable[..., dict[str, SmallService]]) -> SmallService:
    return start(ServiceSpec(name="one", pidfile=True))["one"]


@pytest.fixture
def web(start: Callable[..., dict[str, SmallService]]) -> SmallService:
    service = start(REDIS, WEB)["web"]
    until(lambda: is_good(service, "/deep"), "its dependency answers")
    return service


def is_good(service: SmallService, path: str = "/health", *, timeout_s: float = 0.3) -> bool:
    answer = service.ask(path, timeout_s=timeout_s)
    return answer is not None and answer.good


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


def test_a_mood_ends_after_its_time(running: SmallService) -> None:
    running.ask("/wrong/0.2")
    assert not is_good(running)
    until(lambda: is_good(running), "it is well again")


def test_one_that_was_told_to_exit_is_gone(running: SmallService) -> None:
    running.ask("/exit")
    until(lambda: not running.alive(), "it is gone")
    with pytest.raises(LookupError):
        running.signal(signal.SIGKILL)


def test_a_crashing_one_dies_at_once_as_often_as_was_said(tmp_path: Path) -> None:
    service = make_services((ServiceSpec(name="two"),), tmp_path, Random(2))["two"]
    service.flag("crash", "2")
    assert [service.start_by_hand().wait(UP_WITHIN_S) for _ in range(2)] == [3, 3]
    process = service.start_by_hand()
    until(service.ask, "it answers")
    assert len(service.starts()) == 3
    service.end()
    process.wait()


def test_a_stuck_one_has_a_good_health_page_and_no_real_one(web: SmallService) -> None:
    web.ask("/stuck")
    assert is_good(web)
    assert web.ask("/deep", timeout_s=0.3) is None


def test_the_real_page_is_bad_without_the_dependency_and_the_shallow_one_good(
    start: Callable[..., dict[str, SmallService]],
) -> None:
    made = start(REDIS, WEB)
    until(lambda: is_good(made["web"], "/deep"), "its dependency answers")
    made["redis"].signal(signal.SIGSTOP)
    answer = made["web"].ask("/deep", timeout_s=1.0)
    assert answer is not None
    assert answer.status == 503
    assert is_good(made["web"])


def test_it_grows_as_it_is_told(web: SmallService) -> None:
    pid = web.pid()
    web.ask("/leak/100")
    web.ask("/descriptors/50")
    web.ask("/zombies/7")
    until(lambda: (facts := read_process(pid)) is not None and facts.rss_bytes > 100_000_000, "memory")
    until(lambda: len(os.listdir(f"/proc/{pid}/fd")) > 50, "descriptors")
    until(lambda: len(web._noted("children")) == 7, "children")
    dead = [facts for child in web._noted("children") if (facts := read_process(child)) is not None and facts.is_dead]
    assert len(dead) == 7
    web.ask("/descriptors/0")
    until(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 30, "descriptors are closed")


def test_it_logs_and_beats_until_told_otherwise(web: SmallService) -> None:
    beat = web.folder / "heartbeat"
    until(beat.exists, "its first heartbeat")
    web.ask("/errors")
    until(lambda: ERROR in web.log.read_text(), "an error is logged")
    web.ask("/stall")
    time.sleep(0.3)  # one may be under way
    before = beat.stat().st_mtime
    time.sleep(0.5)
    assert beat.stat().st_mtime == before


def test_an_orphan_holds_the_port_until_all_is_ended(web: SmallService) -> None:
    web.ask("/orphan/1")
    until((web.folder / "children").exists, "it has a child")
    web.signal(signal.SIGKILL)
    until(lambda: not web.alive(), "it is gone")
    with socket.socket() as trial, pytest.raises(OSError, match="in use"):
        trial.bind(("127.0.0.1", web.port))
    (child,) = web._noted("children")
    web.end()
    until(lambda: (facts := read_process(child)) is None or facts.is_dead, "its child has ended")


@pytest.mark.parametrize(("bad", "status"), [("pool_size = 0", 500), ("pool_size = ", None)])
def test_a_bad_configuration_breaks_it(tmp_path: Path, bad: str, status: int | None) -> None:
    service = make_services((REDIS, WEB), tmp_path, Random(3))["web"]
    edit = Edit("pool_size = 4", bad)
    assert edit.was_undone(service) == []
    edit.make(service)
    assert edit.was_undone(service) == ["the configuration file is not what it was"]
    assert edit.was_kept(service) == []
    process = service.start_by_hand()
    if status is None:
        assert process.wait(UP_WITHIN_S) == 1
        return
    until(service.ask, "it answers")
    answer = service.ask()
    assert answer is not None
    assert answer.status == status
    service.end()
    process.wait()


def test_a_bad_release_has_its_defect_and_the_link_names_it(tmp_path: Path) -> None:
    service = make_services((REDIS, WEB), tmp_path, Random(4))["web"]
    service.deploy("2", defect="dies")
    assert release_is(service, "2") == []
    assert release_is(service, "1") == ["the link names release 2, not 1"]
    process = service.start_by_hand()
    until(service.ask, "it answers at first")
    assert process.wait(UP_WITHIN_S) == 3


def test_one_that_refuses_does_not_start_while_its_pid_file_exists(tmp_path: Path) -> None:
    spec = ServiceSpec(name="strict", pidfile=True, refuses=True)
    service = make_services((spec,), tmp_path, Random(5))["strict"]
    service.flag("pid", "1\n")
    assert service.start_by_hand().wait(UP_WITHIN_S) == 1
    (service.folder / "pid").unlink()
    process = service.start_by_hand()
    until((service.folder / "pid").exists, "it has written its pid file")
    process.terminate()
    assert process.wait(UP_WITHIN_S) == 0
    assert not (service.folder / "pid").exists()


def test_the_substitute_of_redis_speaks_what_the_page_and_the_check_ask() -> None:
    (port,) = free_ports(1, Random(6))
    process = subprocess.Popen([*PYTHON, str(small_redis.__file__), str(port)])

    def ask(words: bytes) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
                connection.sendall(words)
                return connection.recv(4096)
        except OSError:
            return b""

    try:
        until(lambda: ask(b"PING\r\n") == b"+PONG\r\n", "it answers")
        assert ask(b"*1\r\n$4\r\nPING\r\n") == b"+PONG\r\n"
        assert b"used_memory:" in ask(b"*1\r\n$4\r\nINFO\r\n")
        assert ask(b"*1\r\n$3\r\nFOO\r\n").startswith(b"-ERR")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_the_configuration_of_a_scenario_loads(scenario: Any, tmp_path: Path) -> None:
    services = make_services((*scenario.services, *BYSTANDERS), tmp_path, Random(7))
    daemon = DaemonUnderDrill(tmp_path, tmp_path / "d.sock")
    daemon.config.write_text(configuration(daemon, services, scenario, tmp_path))
    settings = load_settings(daemon.config, checks=check_kinds())
    assert set(settings.services) == set(services)
    assert settings.daemon.socket == str(daemon.socket)
    web = settings.services["web"]
    assert web.depends_on == ("redis",)
    assert {check.type for check in web.checks} >= {"http", "heartbeat", "log"}
    assert all((check.every_s, check.timeout_s, check.failures) == (1.0, 1.0, 2) for check in web.checks)


def test_there_are_as_many_controls_as_faults_each_with_a_name_of_its_own() -> None:
    names = [each.name for each in SCENARIOS]
    assert len(set(names)) == len(names)
    kinds = [each.kind for each in SCENARIOS]
    assert kinds.count(Kind.FAULT) == kinds.count(Kind.CONTROL) == 30
    assert sum(each.bound_s is not None for each in SCENARIOS) == 27


def test_ports_are_free_distinct_the_same_for_a_seed_and_apart_for_each_stage() -> None:
    ports = free_ports(20, Random(5))
    assert len(set(ports)) == 20
    assert set(ports) <= set(PORTS)
    assert ports == free_ports(20, Random(5))
    assert len(SCENARIOS) * PORTS_EACH < len(PORTS)


def test_a_stage_that_cannot_be_set_is_a_bad_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: DaemonUnderDrill) -> float:
        raise OSError("no more processes")

    monkeypatch.setattr(DaemonUnderDrill, "start", broken)
    seen: list[Result] = []
    (row,) = Round(scratch=tmp_path / "1", seed=1, jobs=1).play(SCENARIOS[:1], seen.append)
    assert row.observed.problems == ("its stage could not be set: no more processes",)
    assert seen == [row]
    assert threading.active_count() == 1


def issue(state: str, *, next_try_at: float | None = None, severity: str = "critical") -> dict[str, Any]:
    about = {"id": 1, "subject": "service:web", "severity": severity}
    return {
        "issue": {**about, "state": state, "next_try_at": next_try_at},
        "refusal": {"reason": "restart_limit"} if state == "parked" else None,
    }


def status(state: str, pid: int | None, *issues: dict[str, Any]) -> dict[str, Any]:
    web = {"state": state, "pid": pid, "restarts": 0, "next_try_at": None}
    return {"services": {"web": web}, "issues": list(issues)}


def test_issues_are_grouped_by_their_subject() -> None:
    found = issues_by_subject([issue("parked", next_try_at=9.0)])["service:web"]
    assert [(each.state, each.refused, each.next_try_at) for each in found] == [("parked", "restart_limit", 9.0)]


def test_a_notice_is_no_trouble_of_its_service() -> None:
    assert issues_by_subject([issue("open", severity="notice")]) == {}


def test_the_api_watch_keeps_what_changed(tmp_path: Path) -> None:
    watch = ApiWatch(DaemonUnderDrill(tmp_path, tmp_path / "d.sock").client)
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


def test_the_api_watch_tells_what_was_shown_at_a_time(tmp_path: Path) -> None:
    watch = ApiWatch(DaemonUnderDrill(tmp_path, tmp_path / "d.sock").client)
    watch._take(status("up", 7), 1.0)
    watch._take(status("up", 8), 3.0)
    before = watch.before("service:web", 2.0)
    assert before is not None
    assert before.pid == 7
    assert watch.before("service:web", 0.5) is None


def test_list_names_every_scenario() -> None:
    shown = CliRunner().invoke(drill, ["--list"])
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.output.splitlines()] == [each.name for each in SCENARIOS]


def test_an_unknown_scenario_is_refused_with_the_names() -> None:
    shown = CliRunner().invoke(drill, ["--only", "nothing"])
    assert shown.exit_code == 2
    assert "killed" in shown.output


def test_the_configuration_file_of_the_web_is_toml(tmp_path: Path) -> None:
    service = make_services((REDIS, WEB), tmp_path, Random(8))["web"]
    assert tomllib.loads(service.config.read_text())["pool_size"] == 4
