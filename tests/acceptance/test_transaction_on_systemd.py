"""The packaged unit, sandbox included, on a booted systemd: a broken configuration under /etc gives way to the last
good one, a person takes that back, a renewed certificate is taken up, and a sandbox that is in the way is told."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.boxes.systemd import CONFIG_FILE, UNIT, DaemonMachine, project_box

pytestmark = pytest.mark.real

APP = "/usr/local/lib/small/app.py"
FILE = "/etc/web/app.json"
GOOD = '{\n "port": 8081,\n "broken": false,\n "password": "hunter2"\n}\n'
BROKEN = GOOD.replace("false", "true")
UNPARSABLE = GOOD.replace("{", "{,")
CERTIFICATES = "/etc/web/tls"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/10-files.conf"

# Answers by what its file says; SIGHUP lets it read the file and the certificate anew.
SERVER = """
import http.server, json, signal, ssl, sys
file, certificates = sys.argv[1], sys.argv[2:]
conf = {}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if conf["broken"] else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    def finish_request(self, request, address):
        if certificates:
            try:
                request = tls.wrap_socket(request, server_side=True)
            except OSError:  # who looks at the certificate only goes away then
                return
        super().finish_request(request, address)

def read(*_):
    conf.update(json.load(open(file)))
    if certificates:
        tls.load_cert_chain(f"{certificates[0]}/cert.pem", f"{certificates[0]}/key.pem")

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
signal.signal(signal.SIGHUP, read)
read()
Server(("127.0.0.1", conf["port"]), Handler).serve_forever()
"""
UNIT_OF_IT = """
[Service]
ExecStart={python} -S {app} {words}
ExecReload=/bin/kill -HUP $MAINPID
Restart=no
"""
CONFIG = f"""
[intervals]
monitoring_s = 1.0
healing_s = 1.0

[services.web]
control = {{ type = "systemd", unit = "web.service" }}
config_files = ["{FILE}"]
start_grace_s = 2.0
restart = {{ max = 100 }}
checks = [{{ type = "http", url = "http://127.0.0.1:8081/", every_s = 0.5, timeout_s = 2.0 }}]

[services.tls]
control = {{ type = "systemd", unit = "tls.service", reload = true }}
checks = [{{ type = "certificate", host = "127.0.0.1", port = 8443, verify = false, days = 14, every_s = 0.5 }}]
"""


class Machine(DaemonMachine):
    """The box with two small servers, each in a unit of its own, and what is asked about them."""

    def prepare(self) -> None:
        self.write(APP, SERVER)
        self.write(FILE, GOOD, mode="0640")
        self.run("chown", "root:nogroup", FILE)
        self.run("sh", "-c", f"mkdir {CERTIFICATES} && chmod 0755 /etc/web")
        self.write("/etc/web/tls.json", GOOD.replace("8081", "8443"))
        self.renew(days=90)
        for name, words in (("web", FILE), ("tls", f"/etc/web/tls.json {CERTIFICATES}")):
            text = UNIT_OF_IT.format(python=sys.executable, app=APP, words=words)
            self.write(f"/etc/systemd/system/{name}.service", text + ("Group=nogroup\n" if name == "web" else ""))
        self.write(CONFIG_FILE, CONFIG)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", "web.service", "tls.service", UNIT)

    def renew(self, *, days: int) -> None:
        """Another certificate in the file; the server goes on with the one that it has read."""
        subject = ("-subj", "/CN=localhost", "-keyout", f"{CERTIFICATES}/key.pem", "-out", f"{CERTIFICATES}/cert.pem")
        new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        self.run(*new, "-days", str(days), *subject)

    def ctl(self, *words: str) -> str:
        return self.run("autonomyctl", *words)

    def ask(self, *words: str) -> Any:
        return json.loads(self.ctl(*words, "--json"))

    def state(self, name: str) -> str:
        return str(self.status()["services"][name]["state"])

    def until_up(self, name: str = "web") -> None:
        self.wait_for(f"{name} is up", lambda: self.state(name) == "up")

    def kept(self, *, times: int = 1) -> bool:
        """Whether web's file was kept as known good, so often since the boot."""
        said = self.run("journalctl", "--no-pager", "--output=cat", "--unit", UNIT)
        return sum("known_good_kept" in line and FILE in line for line in said.splitlines()) >= times

    def edit(self, text: str) -> None:
        """As an editor does: the content is another, mode and owner stay."""
        self.run("sh", "-c", f"cat >{FILE}", stdin=text)

    def content(self) -> str:
        return self.run("cat", FILE)

    def fixes(self, service: str, strategy: str) -> list[Any]:
        """The ended fixes, newest first."""
        found = [each for each in self.ask("fixes") if each["ended_at"]]
        return [each for each in found if (each["plan"]["service"], each["plan"]["strategy"]) == (service, strategy)]

    def waiting_approval(self, service: str) -> Any:
        """The question about the service, once it is asked."""

        def found() -> list[Any]:
            return [each for each in self.ask("approvals") if each["plan"]["service"] == service]

        self.wait_for(f"somebody is asked about {service}", found, timeout_s=60.0)
        return found()[0]

    def one_more(self, service: str, strategy: str, before: int) -> Any:
        self.wait_for(f"a fix by {strategy}", lambda: len(self.fixes(service, strategy)) > before, timeout_s=60.0)
        return self.fixes(service, strategy)[0]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with project_box("transaction", Machine) as machine:
        machine.prepare()
        machine.wait_for("the daemon answers", machine.answers)
        machine.until_up()
        yield machine


def restored(machine: Machine, bad: str) -> Any:
    """Break web's file, let it be read, and wait until the fix that puts it back has ended."""
    before = len(machine.fixes("web", "restore-last-good-config"))
    machine.edit(bad)
    machine.try_run("systemctl", "restart", "web.service")
    return machine.one_more("web", "restore-last-good-config", before)


def test_a_sandbox_that_forbids_the_write_is_told_with_what_to_add(machine: Machine) -> None:
    machine.wait_for("the file is known good", machine.kept)
    told = [line for line in machine.journal().splitlines() if "known_good_could_not_be_restored" in line]
    assert any("ReadWritePaths=/etc/web" in line for line in told), told
    fix = restored(machine, BROKEN)
    assert fix["outcome"] == "ineffective"
    assert "nothing was changed" in fix["message"]
    assert "ReadWritePaths=/etc/web " in fix["message"]
    assert machine.content() == BROKEN
    assert "ReadWritePaths=/etc/web " in machine.ctl("explain", str(fix["plan"]["issue_id"]))


def test_with_the_drop_in_the_last_good_file_is_put_back_and_a_person_can_undo_that(machine: Machine) -> None:
    machine.edit(GOOD)
    example = machine.run("cat", "/usr/local/share/doc/autonomyd/10-files.conf")
    machine.write(DROP_IN, example.replace("/etc/myservice", "/etc/web"))
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "web.service", UNIT)
    machine.wait_for("the daemon answers", machine.answers)
    machine.until_up()
    fix = restored(machine, BROKEN)
    assert (fix["outcome"], fix["state"]) == ("healed", "committed"), fix["message"]
    assert machine.content() == GOOD
    assert machine.run("stat", "--format=%a %U %G", FILE).strip() == "640 root nogroup"
    machine.until_up()
    beside = machine.run("sh", "-c", f"cat {FILE}.autonomyd-bad-*.diff")
    assert '+ "broken": true,' in beside
    assert "hunter2" not in beside
    story = machine.ctl("explain", str(fix["plan"]["issue_id"]))
    print(story)
    for words in ("500", FILE, "restore-last-good-config", "healed"):
        assert words in story
    assert "hunter2" not in story
    backup = next(each for each in machine.ask("backups") if each["fix_id"] == fix["id"])
    print(machine.ctl("rollback", backup["id"]))
    assert machine.content() == BROKEN
    taken_back = next(each for each in machine.fixes("web", "restore-last-good-config") if each["id"] == fix["id"])
    assert taken_back["state"] == "rolled_back"
    asked = machine.waiting_approval("web")
    assert asked["plan"]["strategy"] == "restore-last-good-config", "what a person took back is asked about"
    assert machine.content() == BROKEN
    machine.edit(GOOD)
    machine.run("systemctl", "restart", "web.service")
    machine.until_up()


def test_a_file_that_no_longer_parses_is_put_back_on_approval(machine: Machine) -> None:
    """The service does not even start with it. Who approves is another user than root."""
    machine.edit(UNPARSABLE)
    machine.try_run("systemctl", "restart", "web.service")
    asked = machine.waiting_approval("web")
    before = len(machine.fixes("web", "restore-last-good-config"))
    user = ("setpriv", "--reuid=nobody", "--regid=autonomyd", "--clear-groups")
    machine.run(*user, "autonomyctl", "approve", str(asked["id"]))
    fix = machine.one_more("web", "restore-last-good-config", before)
    assert (fix["outcome"], machine.content()) == ("healed", GOOD), fix["message"]
    nobody = machine.run("id", "-u", "nobody").strip()
    assert fix["actor"].startswith(f"uid={nobody} pid=")
    story = machine.ctl("explain", str(fix["plan"]["issue_id"]))
    assert f"uid={nobody}" in story
    assert "no valid JSON" in story
    machine.until_up()


def test_a_renewed_certificate_is_taken_up_by_a_reload_of_the_unit(machine: Machine) -> None:
    machine.until_up("tls")
    machine.renew(days=2)
    machine.run("systemctl", "reload", "tls.service")
    machine.renew(days=90)
    pid = machine.main_pid("tls.service")
    fix = machine.one_more("tls", "reload", 0)
    assert fix["outcome"] == "healed", fix["message"]
    machine.until_up("tls")
    assert machine.main_pid("tls.service") == pid, "nobody was interrupted"
