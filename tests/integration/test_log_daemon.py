"""One real daemon over logs full of hostile text: nobody who shows them obeys anything in them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boxes.daemon import DaemonBox, until

EVIL = (
    b"PermissionError: Permission denied \x1b[2J\x1b]0;owned\x07 \xe2\x80\xae turned $(touch PWNED) "
    b"`touch PWNED` %s %n {0} {self} \x9b31m \x00 \xff\xfe \xed\xa0\x80 ; touch PWNED | touch PWNED &\n"
)
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What a terminal would obey, beyond tab and line break."""
SERVICE = """
[intervals]
monitoring_s = 0.5
healing_s = 1.0
insight_s = 0.5
[services.web]
control = {{ type = "process", command = ["sleep", "10000"] }}
logs = [{log}]
[[services.web.checks]]
type = "log"
file = {log}
every_s = 0.5
within_s = 60
[services.other]
control = {{ type = "process", command = ["sleep", "10001"] }}
logs = [{other}]
[logs]
rules = "mine"
"""
RULES = """
[[rule]]
name = "shop-sold-out"
pattern = 'stock of \\d+ is sold out'
true = "stock of 1 is sold out"
false = "stock of 1 is full"
[[rule]]
name = "evil"
pattern = '(a+)+$'
true = "a"
false = "b"
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("hostile"))
    logs = [made.folder / name for name in ("web.log", "other.log")]
    for each in logs:
        each.write_text("from before\n")
    (made.folder / "mine").mkdir()
    (made.folder / "mine" / "shop.toml").write_text(RULES)
    log, other = (json.dumps(str(each)) for each in logs)
    made.configure(SERVICE.format(log=log, other=other), intervals="")
    made.start()
    yield made
    made.close()


def write(box: DaemonBox, name: str, *lines: bytes) -> None:
    with (box.folder / name).open("ab") as file:
        for line in lines:
            file.write(line)


def lines_of(box: DaemonBox, service: str) -> int:
    return sum(each["lines"] for each in box.get(f"/v1/templates/{service}"))


def ctl(box: DaemonBox, *arguments: str) -> str:
    argv = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(argv, env=environment, check=False, capture_output=True).stdout.decode()


def test_hostile_text_is_shown_and_obeyed_by_nobody(box: DaemonBox) -> None:
    box.until_state("web")
    until(lambda: box.get("/v1/templates/web"), "the log is read")
    write(box, "web.log", *[EVIL] * 20, b"x" * 1_000_000 + b"\n", b"\x00" * 100_000 + b"\n", EVIL)
    write(box, "other.log", EVIL, EVIL)
    until(box.issues, "the issue")
    until(lambda: lines_of(box, "web") >= 22, "the templates")
    number = str(box.issues()[0]["issue"]["id"])
    shown = [
        ctl(box, *verb)
        for verb in (
            ("status",),
            ("issues",),
            ("explain", number),
            ("alerts",),
            ("events",),
            ("services",),
            ("templates", "web", "--examples"),
            ("templates", "other", "--examples"),
            ("logs", "web"),
        )
    ]
    assert "Permission denied" in "".join(shown)
    for text in shown:
        assert OBEYED.search(text) is None
        assert len(text) < 2_500_000
    assert all(len(line) < 2_000 for text in shown[:-1] for line in text.splitlines())
    for verb in (("templates", "web", "--json"), ("issues", "--json"), ("explain", number, "--json")):
        assert json.loads(ctl(box, *verb))
    assert not list(Path(box.folder).rglob("PWNED"))
    assert not Path("PWNED").exists()


def test_own_rules_are_in_force_and_a_bad_one_is_told(box: DaemonBox) -> None:
    assert "log_rule_refused" in box.said()
    assert "rule[1].pattern" in box.said()
    write(box, "web.log", b"stock of 17 is sold out\n")
    until(lambda: "other kind" in box.service("web")["checks"][0]["message"], "the rule")


def test_places_survive_a_kill(box: DaemonBox) -> None:
    until(lambda: box.get("/v1/templates/other"), "the log is read")
    write(box, "other.log", *(b"order %d placed\n" % number for number in range(10)))
    until(lambda: lines_of(box, "other") >= 12, "the lines")
    before = lines_of(box, "other")
    box.end()
    write(box, "other.log", *(b"order %d placed\n" % number for number in range(20, 25)))
    (box.folder / "other.log").rename(box.folder / "other.log.1")
    write(box, "other.log", b"order 30 placed\n")
    write(box, "web.log", b"OSError: [Errno 28] No space left on device\n")
    box.start()
    until(lambda: lines_of(box, "other") == before + 6, "what was written meanwhile")
    check = until(lambda: box.service("web")["checks"][0]["message"] and box.service("web")["checks"][0], "a look")
    assert check["state"] == "ok", check
