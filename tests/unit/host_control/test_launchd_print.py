"""What `launchctl print` says, in the shapes that macOS prints."""

import pytest

from autonomyd.host.controls.launchd import JobState, parse_job

RUNNING = """gui/501/org.example.web = {
\tactive count = 1
\tpath = /Users/me/Library/LaunchAgents/org.example.web.plist
\ttype = LaunchAgent
\tstate = running

\tprogram = /usr/local/bin/web
\targuments = {
\t\t/usr/local/bin/web
\t\tstate = not running
\t}

\tworking directory = /srv/web

\tstdout path = /tmp/web.log
\tinherited environment = {
\t\tSSH_AUTH_SOCK => /private/tmp/com.apple.launchd.x/Listeners
\t}

\tdefault environment = {
\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin
\t}

\tdomain = gui/501 [100005]
\tasid = 100005
\tminimum runtime = 10
\texit timeout = 5
\truns = 1
\tpid = 51725
\timmediate reason = speculative
\tforks = 0
\texecs = 1
\tlast exit code = (never exited)

\tresource coalition = {
\t\tID = 1234
\t\ttype = resource
\t\tstate = active
\t\tactive count = 1
\t\tname = org.example.web
\t}

\tspawn type = daemon (3)
\tproperties = keepalive | runatload | inferred program
}
"""


def ended(*lines: str, state: str = "not running") -> str:
    fields = "".join(f"\t{line}\n" for line in lines)
    return f"system/org.example.web = {{\n\tactive count = 0\n\tstate = {state}\n\n{fields}}}\n"


def test_a_running_job() -> None:
    assert parse_job(RUNNING) == JobState(state="running", pid=51725, runs=1)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("runs = 6", "last exit code = 0"), "exited with code 0"),
        (("runs = 2", "last exit code = 78: EX_CONFIG"), "exited with code 78: EX_CONFIG"),
        (("runs = 2", "last terminating signal = Terminated: 15"), "ended by Terminated: 15"),
        (("runs = 1", "last exit reason = JETSAM_REASON_MEMORY_HIGHWATER"), "ended by JETSAM_REASON_MEMORY_HIGHWATER"),
        (("runs = 0", "last exit code = (never exited)"), ""),
    ],
)
def test_how_it_ended(lines: tuple[str, ...], words: str) -> None:
    job = parse_job(ended(*lines))
    assert (job.state, job.pid, job.exit) == ("not running", 0, words)


def test_a_job_in_its_back_off() -> None:
    job = parse_job(ended("runs = 5", "last exit code = 5", state="spawn scheduled"))
    assert (job.state, job.runs, job.exit) == ("spawn scheduled", 5, "exited with code 5")


@pytest.mark.parametrize("text", ["", "}\n", "state = running\n", "\t\tstate = active\n", "\x00\xff"])
def test_what_is_not_understood_is_unknown(text: str) -> None:
    assert parse_job(text).missing


def test_a_pid_that_is_none_is_none() -> None:
    assert parse_job(ended("pid = many", "runs = ²", state="running")) == JobState(state="running")
