"""Every mistake is told with its place, its key and what was expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autonomyd.settings.load import load_settings
from autonomyd.settings.problem import ConfigError, ConfigProblem

Problems = Callable[..., tuple[ConfigProblem, ...]]

WEB = '[services.web]\ncontrol = { type = "process", command = ["x"] }\n'


def _told(problem: ConfigProblem) -> str:
    """The problem without the name of the file: `3: key: message`."""
    return str(problem).partition(".toml:")[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[intervals]\n\nhealing_s = -1", "3: intervals.healing_s: expected a number greater than 0, got -1"),
        ('[intervals]\nhealing_s = "5"', '2: intervals.healing_s: expected a number, got "5"'),
        ("[intervals]\nhealing_s = true", "2: intervals.healing_s: expected a number, got true"),
        ("[intervals]\nhealing_s = inf", "2: intervals.healing_s: expected a finite number, got inf"),
        ("[intervals]\nhealing_s = [1]", "2: intervals.healing_s: expected a number, got a list"),
        ("intervals = 3", "1: intervals: expected a table, got 3"),
        ("cleanup = 3", "1: cleanup: expected a list in [ ], got 3"),
        ("[healing]\npaused = 1", "2: healing.paused: expected true or false, got 1"),
        ("[healing]\nacts_per_hour_host = 1.5", "2: healing.acts_per_hour_host: expected a whole number, got 1.5"),
        ("[healing]\nconfidence = 101", "2: healing.confidence: expected a number of at most 100, got 101"),
        ("[healing]\nconfidnce = 90", "2: healing.confidnce: unknown key 'confidnce'; did you mean 'confidence'?"),
        ("[heeling]\n", "1: heeling: unknown key 'heeling'; did you mean 'healing'?"),
        ("healing_s = 3", "1: healing_s: unknown key 'healing_s'; it belongs below [intervals]"),
        (
            "[retention]\nx = 1",
            (
                "2: retention.x: unknown key 'x'; there are: days, backup_days, max_mb, minutes_days, hours_days, "
                "series_mb"
            ),
        ),
        (
            '[daemon]\nlog_level = "debg"',
            "2: daemon.log_level: expected one of debug, info, warning, error, got \"debg\"; did you mean 'debug'?",
        ),
        (
            '[daemon]\nstate_dir = "var/x"',
            '2: daemon.state_dir: expected an absolute path, one that begins with /, got "var/x"',
        ),
        (
            WEB + 'autonomy = "actt"',
            "3: services.web.autonomy: expected one of observe, shadow, ask, act, got \"actt\"; did you mean 'act'?",
        ),
        (
            '[services.web]\ncontrol = { type = "proces" }',
            (
                "2: services.web.control.type: expected one of process, systemd, command, container, launchd, got "
                '"proces"; '
                "did you mean 'process'?"
            ),
        ),
        (
            "[services.web]\ncontrol = { unit = 'a.service' }",
            "2: services.web.control.type: missing key 'type'; it is process, systemd, command, container or launchd",
        ),
        ("[services.web]\nlogs = []", "1: services.web.control: missing key 'control'"),
        (
            '[services.web]\ncontrol = { type = "process", comand = ["x"], command = ["x"] }',
            "2: services.web.control.comand: unknown key 'comand'; did you mean 'command'?",
        ),
        (
            '[services.web]\ncontrol = { type = "process", command = [] }',
            "2: services.web.control.command: must not be empty",
        ),
        (
            '[services.web]\ncontrol = { type = "process", command = "x" }',
            '2: services.web.control.command: expected a list in [ ], got "x"',
        ),
        (
            '[services.web]\ncontrol = { type = "systemd", unit = "nginx" }',
            (
                "2: services.web.control.unit: expected the full name of a unit, with its suffix, such as "
                '"nginx.service", got "nginx"'
            ),
        ),
        (
            '[services."a b"]\ncontrol = { type = "systemd", unit = "a.service" }',
            '1: services."a b": the name of a service has letters, digits, _ . - and begins with a letter or a digit',
        ),
        (
            WEB + 'checks = [\n  { type = "tcp", port = 1 },\n  { type = "tcp", port = 1, timeout_s = -1 },\n]',
            "5: services.web.checks[1].timeout_s: expected a number greater than 0, got -1",
        ),
        (
            WEB + 'checks = [{ type = "tcp", port = 1, timout_s = 1 }]',
            "3: services.web.checks[0].timout_s: unknown key 'timout_s'; did you mean 'timeout_s'?",
        ),
        (
            WEB + '[[services.web.checks]]\ntype = "tcp"\nport = 1\n[[services.web.checks]]\ntype = "tcp"\nport = 0',
            "8: services.web.checks[1].port: expected a number of at least 1, got 0",
        ),
        (
            WEB + 'checks = [{ type = "tpc", port = 1 }]',
            (
                '3: services.web.checks[0].type: expected one of command, heartbeat, http, tcp, got "tpc"; '
                "did you mean 'tcp'?"
            ),
        ),
        (WEB + "checks = [{ port = 1 }]", "3: services.web.checks[0].type: missing key 'type'"),
        (WEB + "checks = [7]", "3: services.web.checks[0]: expected a table, got 7"),
        (
            WEB + 'checks = [{ type = "http", url = "http://x", status = "ok" }]',
            '3: services.web.checks[0].status: expected a whole number or a list in [ ], got "ok"',
        ),
        ("[thresholds]\nload_per_core = {enter='x'}", '2: thresholds.load_per_core.enter: expected a number, got "x"'),
        ("[thresholds]\ncpu_percent = 'x'", '2: thresholds.cpu_percent: expected a number, got "x"'),
        (
            "[thresholds]\ncpu_percent = { enter = 70, clear = 80 }",
            "2: thresholds.cpu_percent: clear (80) must be below enter (70)",
        ),
        (
            "[thresholds]\navailability_percent = { enter = 99, clear = 98 }",
            "2: thresholds.availability_percent: clear (98) must be above enter (99)",
        ),
        (
            "[thresholds]\nmemory_percent = 120",
            "2: thresholds.memory_percent: a percentage is between 0 and 100 (enter 120, clear 115)",
        ),
        (
            "[thresholds]\nlatency_ms = { entr = 5 }",
            "2: thresholds.latency_ms.entr: unknown key 'entr'; did you mean 'enter'?",
        ),
        (
            "[thresholds]\nlatency_ms = { enter = 5, x_of_y = [5, 4] }",
            "2: thresholds.latency_ms: x_of_y: the first number is at most the second: [4, 5]",
        ),
        (
            "[thresholds.custom]\nqueue = { enter = 5, claer = 1 }",
            "2: thresholds.custom.queue.claer: unknown key 'claer'; did you mean 'clear'?",
        ),
        (
            "[healing]\ncooldown = { cap_s = 0.05 }",
            "2: healing.cooldown: cap_s (0.05) must be at least first_s (0.1)",
        ),
        (
            '[[cleanup]]\nroot = "/srv/log"\n[[cleanup]]\nroot = "/srv/log/"\n',
            "4: cleanup[1].root: the folder /srv/log/ is in the list twice",
        ),
    ],
)
def test_a_mistake_is_told(text: str, told: str, problems: Problems) -> None:
    assert [_told(problem) for problem in problems(text)] == [told]


def test_all_mistakes_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    text = "[healing]\nverify_s = 0\n" + WEB + 'depends_on = ["x"]\nstart_grace_s = -1\n[goals]\nfoo = 1\n'
    found = problems(text)
    assert [(problem.line, problem.key) for problem in found] == [
        (2, "healing.verify_s"),
        (5, "services.web.depends_on[0]"),
        (6, "services.web.start_grace_s"),
        (8, "goals.foo"),
    ]
    assert str(ConfigError(found)).count("\n") == 3


@pytest.mark.parametrize("length", [107, 108])
def test_a_socket_path_has_to_fit(length: int, problems: Problems) -> None:
    path = "/run/é/" + "s" * (length - 8)
    found = problems(f'[daemon]\nsocket = "{path}"')
    assert [problem.key for problem in found] == ([] if length == 107 else ["daemon.socket"])


@pytest.mark.parametrize(
    "root", ["/", "/etc", "/home", "/usr", "/boot", "/var", "//var//", "/var/.", "/etc/x", "/proc/1"]
)
def test_a_folder_of_the_system_is_never_cleaned(root: str, problems: Problems) -> None:
    (problem,) = problems(f'[[cleanup]]\nroot = "{root}"')
    assert problem.key == "cleanup[0].root"
    assert "ever cleaned" in problem.message or "never cleaned" in problem.message


@pytest.mark.parametrize("root", ["srv/log", "", "/srv/../etc", "~/log"])
def test_a_folder_to_clean_is_absolute_and_plain(root: str, problems: Problems) -> None:
    assert [problem.key for problem in problems(f'[[cleanup]]\nroot = "{root}"')] == ["cleanup[0].root"]


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a = 1\nb = \n", "2:5: expected a value (a text stands in quotes)"),
            ("a = hello\n", "1:5: expected a value (a text stands in quotes)"),
            ("[a]\nb = 1\nb = 2\n", "3:6: this key is here twice"),
            ("[a]\n[b]\n[a]\n", "3:3: the table [a] is here twice"),
            ("a = [1,\n2\n", "3:1: this list is not closed: ] is missing, or a comma"),
            ("just words\n", "1:6: expected = after the key"),
        ],
    )
    def test_line_and_column(self, text: str, told: str, problems: Problems) -> None:
        assert [_told(problem) for problem in problems(text)] == [told]

    def test_nesting_without_end(self, problems: Problems) -> None:
        (problem,) = problems(f"a = {'[' * 5000}")
        assert "nested too deeply" in problem.message


class TestFile:
    def _problem(self, path: Path) -> ConfigProblem:
        with pytest.raises(ConfigError) as caught:
            load_settings(path, checks={}, environ={})
        (problem,) = caught.value.problems
        return problem

    def test_missing(self, tmp_path: Path) -> None:
        problem = self._problem(tmp_path / "none.toml")
        assert str(problem) == f"{tmp_path}/none.toml: can't be read: No such file or directory"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert self._problem(tmp_path).message == "can't be read: Is a directory"

    def test_not_utf_8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.toml"
        path.write_bytes("[a]\nb = 'é\xff'\n".encode("latin-1"))
        problem = self._problem(path)
        assert (problem.line, problem.column, problem.message) == (2, 6, "not UTF-8 (byte 0xe9)")

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "large.toml"
        path.write_bytes(b"#" * 1_000_001)
        assert "larger than 1 MB" in self._problem(path).message


class TestOrigin:
    def test_a_variable_is_named(self, problems: Problems) -> None:
        (problem,) = problems("", environ={"AUTONOMYD_INTERVALS__HEALING_S": "5x"})
        assert str(problem) == (
            'environment variable AUTONOMYD_INTERVALS__HEALING_S: intervals.healing_s: expected a number, got "5x"'
        )

    def test_a_variable_of_an_unknown_section_too(self, problems: Problems) -> None:
        (problem,) = problems("", environ={"AUTONOMYD_HEELING__X": "1"})
        assert problem.file == "environment variable AUTONOMYD_HEELING__X"
        assert problem.hint == "did you mean 'healing'?"

    def test_broken_json_is_told(self, problems: Problems) -> None:
        (problem,) = problems("", environ={"AUTONOMYD_CLEANUP": '[{"root": '})
        assert "expected a list" in problem.message
        assert "JSON" in problem.hint

    def test_the_command_line(self, problems: Problems) -> None:
        (problem,) = problems("[daemon]\nlog_level = 'info'", overrides={"daemon": {"log_level": "x"}})
        assert (problem.file, problem.key) == ("command line", "daemon.log_level")

    def test_a_fault_of_the_file_stays_the_files(self, problems: Problems) -> None:
        (problem,) = problems("[daemon]\nx = 1", environ={"AUTONOMYD_DAEMON__LOG_LEVEL": "debug"})
        assert problem.line == 2


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            WEB.replace('["x"]', '["x"], env = { DB_PASSWORD = 4711 }'),
            WEB + 'checks = [{ type = "http", url = "http://x", headers = { Authorization = 4711 } }]',
            WEB + 'checks = [{ type = "http", url = "ftp://me:4711@host/" }]',
            WEB + 'checks = [{ type = "http", url = "ftp://host/?key=4711" }]',
            WEB + "api_token = 4711",
        ],
    )
    def test_they_are_not_echoed(self, text: str, problems: Problems) -> None:
        found = problems(text)
        assert len(found) == 1
        assert "4711" not in str(ConfigError(found))

    def test_control_characters_do_not_reach_the_terminal(self, problems: Problems) -> None:
        found = problems('["\\u001b[31m"]\nx = 1\n[daemon]\nlog_level = "\\u001b[0m"')
        assert len(found) == 2
        assert "\x1b" not in str(ConfigError(found))
