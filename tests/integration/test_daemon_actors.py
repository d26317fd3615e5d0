"""Who acts is on record: another user than the daemon's asks over the socket, and the kernel says who that is."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import DaemonBox, environment, until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, and setpriv (apt-get install util-linux)"
)
UID = 12345


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("actors"))
    specs = tuple(ServiceSpec(name=name, settings={"autonomy": '"ask"'}) for name in ("approved", "denied", "always"))
    made.make_services(*specs)
    made.configure("[alerts]\nsettle_s = 0\n")
    made.start()
    yield made
    made.close()


def as_another(box: DaemonBox, *words: str) -> Any:
    """What autonomyctl answers a user that is nobody here; the test's folders are closed, so it may pass them."""
    user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override"]  # fmt: skip
    argv = [*user, sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(box.socket), *words, "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def asked(box: DaemonBox, name: str) -> str:
    def mine() -> list[Any]:
        return [each for each in box.get("/v1/approvals") if each["plan"]["service"] == name]

    return str(until(mine, f"{name} is asked about")[0]["id"])


def is_the_user(actor: str) -> bool:
    return actor.startswith(f"uid={UID} pid=")


def test_who_acknowledged_an_alert(box: DaemonBox) -> None:
    alert = until(lambda: box.get("/v1/alerts")["now"]["open"], "an alert")[0]
    assert is_the_user(as_another(box, "ack", str(alert["id"]))["acked_by"])


def test_who_approved_denied_and_allowed_for_good(box: DaemonBox) -> None:
    numbers = {verb: asked(box, name) for verb, name in
               (("approve", "approved"), ("deny", "denied"), ("always", "always"))}  # fmt: skip
    for verb, number in numbers.items():
        as_another(box, verb, number)
    decided = {str(each["id"]): each for each in box.get("/v1/approvals", all=1)}
    assert all(is_the_user(decided[number]["actor"]) for number in numbers.values()), decided
    (consent,) = box.get("/v1/consents")
    assert is_the_user(consent["actor"])
    fixes = until(lambda: [fix for fix in box.fixes() if fix["plan"]["approval"] == int(numbers["approve"])], "a fix")
    assert is_the_user(fixes[0]["actor"])


def test_who_paused_and_resumed(box: DaemonBox) -> None:
    assert is_the_user(as_another(box, "pause", "--reason", "lunch")["actor"])
    as_another(box, "resume")
    told = [event["actor"] for event in box.events() if event["kind"] in ("pause", "resume")]
    assert len(told) > 1
    assert all(is_the_user(actor) for actor in told), told
