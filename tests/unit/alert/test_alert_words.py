"""What a tired person reads."""

import pytest

from autonomyd.alert.words import BODY_CHARS, TITLE_CHARS, body, digest, summed, title
from autonomyd.model.alert import Alert, AlertState, Incident, Message, Need, NoticeKind
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueState
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.subject import service_subject
from autonomyd.testing import WALL, issue

WEB = service_subject("web")
NEED = Need(
    reason="restart_limit",
    why="it was fixed 5 times in 300 s and broke again",
    advice=("find out why: `autonomyctl logs web`", "the whole story: `autonomyctl explain 12`"),
)


def alert(**more: object) -> Alert:
    fields = {
        "id": 7,
        "key": "service:web|process_gone",
        "subject": WEB,
        "cause": "process_gone",
        "severity": Severity.CRITICAL,
        "summary": "web is down",
        "state": AlertState.OPEN,
        "opened_at": WALL,
        "updated_at": WALL,
        "issues": (12, 13),
    }
    return Alert(**(fields | more))  # type: ignore[arg-type]


def incident(**more: object) -> Incident:
    fields = {
        "key": "service:web|process_gone",
        "subject": WEB,
        "cause": "process_gone",
        "severity": Severity.CRITICAL,
        "summary": "web is down",
        "since": WALL - 720,
        "seen": ("web is down", "its process exited with code 1"),
        "need": NEED,
    }
    return Incident(**(fields | more))  # type: ignore[arg-type]


def fix(number: int = 1, *, outcome: Outcome = Outcome.INEFFECTIVE, message: str = "it died again") -> Fix:
    plan = Plan(
        strategy="start", cause=Cause.PROCESS_GONE, steps=(), confidence=99.0, risk=Risk.LOW, disruptive=False,
        reversible=True, service="web", issue_id=12, preview=("start web",),
    )  # fmt: skip
    at = WALL - 100 + number
    return Fix(
        id=number, plan=plan, state=FixState.COMMITTED, actor="autonomyd", started_at=at, ended_at=at + 1,
        outcome=outcome, message=message,
    )  # fmt: skip


def test_the_text_says_what_since_when_seen_tried_why_and_what_to_do() -> None:
    text = body(NoticeKind.OPENED, alert(), incident(), [fix()], now=WALL)
    for part in (
        "web is down (service:web, critical).",
        "for 12 min.",
        "its process exited with code 1",
        "start web: ineffective (it died again)",
        "Why nothing more is done: it was fixed 5 times in 300 s and broke again.",
        "`autonomyctl logs web`",
        "`autonomyctl explain 12`",
        "`autonomyctl ack 7 --for 2h`",
        "Alert 7, issues #12, #13.",
    ):
        assert part in text
    assert text.count("web is down") == 1


@pytest.mark.parametrize("kind", sorted(set(NoticeKind) - {NoticeKind.DIGEST, NoticeKind.SUMMARY, NoticeKind.TEST}))
def test_one_conversation_has_one_title(kind: NoticeKind) -> None:
    assert title("box", kind, alert()).endswith("web is down (alert 7)")


def test_nothing_tried_is_said() -> None:
    assert "Tried: nothing yet." in body(NoticeKind.OPENED, alert(), incident(), [], now=WALL)


def test_the_end_says_what_was_done_and_that_nothing_is_to_do() -> None:
    text = body(NoticeKind.RECOVERED, alert(), None, [fix(outcome=Outcome.HEALED, message="")], now=WALL + 60)
    assert "this is over" in text
    assert "for 1 min." in text
    assert "start web: healed" in text
    assert "What to do: nothing." in text


def test_secrets_are_masked_and_floods_are_cut() -> None:
    leak = incident(seen=("can't connect to postgresql://app:hunter2@db/x", "API_TOKEN=s3cr3ts3cr3t"))
    text = body(NoticeKind.OPENED, alert(), leak, [], now=WALL)
    assert "hunter2" not in text
    assert "s3cr3ts3cr3t" not in text
    flood = body(NoticeKind.OPENED, alert(), incident(seen=("x" * 100_000,)), [fix(n) for n in range(99)], now=WALL)
    assert len(flood) <= BODY_CHARS
    assert len(title("box", NoticeKind.OPENED, alert(summary="x" * 999))) <= TITLE_CHARS


def test_many_messages_become_one() -> None:
    messages = [
        Message(
            id=number, alert_id=number, kind=NoticeKind.OPENED, target="team", severity=Severity.CRITICAL,
            title=f"[box] web{number} is down (alert {number})", body="", created_at=WALL, due_at=WALL,
        )
        for number in range(40)
    ]  # fmt: skip
    head, text = summed("box", messages)
    assert head == "[box] 40 messages at once"
    assert "web0 is down (alert 0)" in text
    assert "and 10 more messages" in text
    assert "`autonomyctl alerts`" in text


def test_the_digest_counts_what_healed_by_itself() -> None:
    over = [
        issue(id=number, state=IssueState.RESOLVED, resolved_at=WALL - number, opened_at=WALL - 500)
        for number in range(1, 4)
    ]
    done = [fix(n, outcome=Outcome.HEALED, message="") for n in range(3)]
    text = digest([*over, issue(id=9)], done, open_alerts=[alert()], since=WALL - 1000, now=WALL)
    assert "3 problems came and went, 3 of 3 fixes healed." in text
    assert "web: start, healed (3 times)" in text
    assert "alert 7: web is down" in text
    assert digest([issue(id=9)], [], open_alerts=[alert()], since=WALL - 1000, now=WALL) == ""
    assert digest(over, done, open_alerts=[], since=WALL, now=WALL + 1) == ""
