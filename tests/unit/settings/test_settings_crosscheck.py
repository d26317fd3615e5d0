"""Dependencies and names: what no single key shows."""

from collections.abc import Callable

import pytest

from autonomyd.settings.crosscheck import contradictions
from autonomyd.settings.load import make_settings
from autonomyd.settings.problem import ConfigError, ConfigProblem
from autonomyd.settings.service import CheckSettings, check_names

Problems = Callable[..., tuple[ConfigProblem, ...]]


def _services(**wanted: str) -> dict[str, object]:
    control = {"type": "systemd", "unit": "x.service"}
    return {"services": {name: {"control": control, "depends_on": needs.split()} for name, needs in wanted.items()}}


def _messages(**wanted: str) -> list[str]:
    return [fault.message for fault in contradictions(_services(**wanted))]


def test_a_tree_of_dependencies_is_fine() -> None:
    assert _messages(web="cache db", worker="cache db", cache="db", db="") == []
    assert make_settings(_services(web="db", db="")).services["web"].depends_on == ("db",)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"web": "web"}, "the service 'web' depends on itself"),
        ({"web": "cach", "cache": ""}, "there is no service 'cach'"),
        ({"web": "cache", "cache": "web"}, "services depend on one another: web -> cache -> web"),
        ({"a": "b", "b": "c", "c": "d", "d": "b"}, "services depend on one another: b -> c -> d -> b"),
    ],
)
def test_a_fault_is_named(wanted: dict[str, str], message: str) -> None:
    assert _messages(**wanted) == [message]


def test_two_cycles_are_two_faults() -> None:
    assert len(_messages(a="b", b="a", c="d", d="c")) == 2


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = {f"s{number}": f"s{number + 1}" for number in range(3000)} | {"s3000": ""}
    assert _messages(**chain) == []


def test_the_place_is_the_dependency(problems: Problems) -> None:
    control = 'control = { type = "systemd", unit = "x.service" }\n'
    text = f'[services.web]\n{control}depends_on = [\n  "cache",\n  "chache",\n]\n[services.cache]\n{control}'
    (problem,) = problems(text)
    assert (problem.line, problem.key) == (5, "services.web.depends_on[1]")
    assert problem.hint == "did you mean 'cache'?"


def test_faults_of_a_library_user_have_no_line() -> None:
    with pytest.raises(ConfigError) as caught:
        make_settings(_services(web="web"))
    assert str(caught.value) == "settings: services.web.depends_on[0]: the service 'web' depends on itself"


def test_values_of_wrong_type_are_left_to_the_tables() -> None:
    strange = {"services": {"a": 1, "b": {"depends_on": "b", "checks": 5}, "c": {"checks": [1]}}, "cleanup": [1]}
    assert list(contradictions(strange)) == []
    assert list(contradictions({"services": 3, "cleanup": "x"})) == []


def test_equal_names_of_checks(problems: Problems) -> None:
    control = 'control = { type = "systemd", unit = "x.service" }\n'
    check = '{ type = "tcp", port = 1, name = "port" }'
    (problem,) = problems(f"[services.web]\n{control}checks = [{check}, {check}]")
    assert problem.key == "services.web.checks[1].name"


def test_names_are_given_by_type_and_number() -> None:
    checks = [CheckSettings(type="tcp"), CheckSettings(type="http", name="tcp-2"), CheckSettings(type="tcp")]
    assert check_names(checks) == ("tcp", "tcp-2", "tcp-3")


@pytest.mark.parametrize("name", ["process", "memory", "logs"])
def test_a_check_does_not_take_the_place_of_a_look_of_the_daemons_own(name: str) -> None:
    services = {"web": {"checks": [{"type": "tcp", "name": "port"}, {"type": "tcp", "name": name}]}}
    (fault,) = contradictions({"services": services})
    assert fault.path == ("services", "web", "checks", 1, "name")
    assert f"'{name}' is what the daemon calls a look of its own" in fault.message
