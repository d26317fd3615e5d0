"""A playbook of the user as a strategy: facts in, steps out."""

import tomllib
from dataclasses import replace

import pytest

from autonomyd.execute.playbooks.user import UserPlaybook
from autonomyd.model.facts import LogErrors, NumberFacts
from autonomyd.model.plan import CommandCheck
from autonomyd.model.service import RunState
from autonomyd.model.step import RestartService, RunCommand, SetNumber
from autonomyd.settings.playbook import Playbook
from autonomyd.testing import check, issue, service, situation

TEXT = """\
name = "mine"
causes = ["process_hung", "wrong_answers"]
services = ["web"]
roots = ["/srv/web"]
validation = ["/srv/web/check", "--quick"]
validation_timeout_s = 5.0
[needs]
run = ["running"]
failing_checks = ["http"]
failing_for_s = 3.0
log_rules = ["oom"]
[[steps]]
type = "run"
argv = ["/srv/web/drain", "{service}", "--password=hunter2"]
undo = ["/srv/web/undrain", "{service}"]
writes = ["/srv/web/state"]
[[steps]]
type = "number"
name = "batch"
file = "/srv/web/app.ini"
format = "ini"
key = "jobs.batch"
floor = 1
ceiling = 100
factor = 0.5
[[steps]]
type = "restart"
"""
BATCH = NumberFacts(
    name="mine:batch",
    path="/srv/web/app.ini",
    format="ini",
    key="jobs.batch",
    value=20,
    toward=10,
    floor=1,
    ceiling=100,
)
OOM = LogErrors(check="log", rule="oom", count=2, example="out of memory")
ILL = service(checks=(check("http", failing=True),), failing_for_s=4.0)
FACTS = {"numbers": (BATCH,), "log_errors": (OOM,)}


def playbook(text=TEXT):
    return UserPlaybook(source="/etc/p.toml", book=Playbook.model_validate(tomllib.loads(text)))


def test_its_steps_come_in_order_with_the_service_named():
    book, now = playbook(), situation(ILL, **FACTS)
    assert book.steps(issue(), now) == (
        RunCommand(
            argv=("/srv/web/drain", "web", "--password=hunter2"), undo=("/srv/web/undrain", "web"), timeout_s=30.0,
            writes=("/srv/web/state",),
        ),
        SetNumber(path="/srv/web/app.ini", format="ini", key="jobs.batch", before=20, after=10),
        RestartService(service="web"),
    )  # fmt: skip
    words = book.preview(issue(), now)
    assert "hunter2" not in " ".join(words)
    assert words[1:] == ("change mine:batch in /srv/web/app.ini from 20 to 10 (allowed are 1 to 100)", "restart web")


def test_it_declares_what_it_rests_on_and_what_it_does():
    book = playbook()
    assert book.reads == {"service", "log_errors", "numbers"}
    assert book.yields == {RunCommand, SetNumber, RestartService}
    assert book.validation == CommandCheck(argv=("/srv/web/check", "--quick"), timeout_s=5.0)
    assert (book.reversible, book.consented) == (True, False)
    lasting = TEXT.replace('undo = ["/srv/web/undrain", "{service}"]', "irreversible = true")
    assert playbook(lasting).reversible is False
    assert playbook('consent = "standing"\n' + lasting).consented is True


@pytest.mark.parametrize(
    ("about", "facts", "word"),
    [
        (None, FACTS, "problems of services"),
        (service(name="db", checks=ILL.checks, failing_for_s=4.0), FACTS, "not for db"),
        (service(RunState.GONE, checks=ILL.checks, failing_for_s=4.0), FACTS, "is gone, the playbook needs running"),
        (service(checks=(check("http", failing=False),), failing_for_s=4.0), FACTS, "http passes"),
        (service(checks=(check("http", failing=True, known=False),), failing_for_s=4.0), FACTS, "not known"),
        (service(checks=(), failing_for_s=4.0), FACTS, "not known"),
        (service(checks=ILL.checks, failing_for_s=2.0), FACTS, "failing for 2 s"),
        (ILL, FACTS | {"log_errors": ()}, "no log line"),
        (ILL, FACTS | {"numbers": ()}, "was not read"),
        (ILL, FACTS | {"numbers": (replace(BATCH, toward=None),)}, "no further"),
    ],
)  # fmt: skip
def test_it_does_nothing_unless_all_it_needs_is_known_to_be_so(about, facts, word):
    now = situation(about, **facts)
    assert playbook().steps(issue(), now) == ()
    assert word in playbook().why_nothing(issue(), now)
