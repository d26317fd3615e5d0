"""The sentence at the top of `status`, and the advice for each issue."""

from typing import Any

import pytest

from autonomyd.alert.advice import ADVICE
from autonomyd.cli.exits import of_health
from autonomyd.cli.views.acts import _OUTCOMES, deed
from autonomyd.cli.views.story import GATES
from autonomyd.cli.views.verdict import DOING, advice, doing, own_troubles, verdict
from autonomyd.model.fix import Outcome
from autonomyd.model.health import HealthStatus
from autonomyd.model.issue import IssueState
from autonomyd.model.plan import GateName, RefusalReason


def test_every_word_of_the_model_has_its_words() -> None:
    assert set(ADVICE) == set(RefusalReason)
    assert set(DOING) == set(IssueState)
    assert set(GATES) == set(GateName)
    assert set(_OUTCOMES) == set(Outcome)


def test_a_calm_machine_is_well(calm: dict[str, Any]) -> None:
    found = verdict(calm)
    assert (found.tone, found.sentence, found.more) == ("fine", "All is well.", "2 of 2 services up")


def test_without_services_it_says_so(calm: dict[str, Any]) -> None:
    calm["services"] = {}
    assert verdict(calm).more == "no services are configured"


def test_trouble_counts_what_needs_a_person(troubled: dict[str, Any]) -> None:
    found = verdict(troubled)
    assert (found.tone, found.sentence, found.more) == ("bad", "2 things need you.", "1 more problem in hand")


def test_what_is_in_hand_needs_nobody(troubled: dict[str, Any]) -> None:
    troubled["issues"] = troubled["issues"][2:]
    troubled["health"]["status"] = "degraded"
    found = verdict(troubled)
    assert (found.tone, found.sentence) == ("waiting", "1 problem is in hand.")


def test_a_notice_is_no_problem_in_hand(troubled: dict[str, Any]) -> None:
    troubled["issues"] = troubled["issues"][2:]
    for item in troubled["issues"]:
        item["issue"]["severity"] = "notice"
    troubled["health"]["status"] = "healthy"
    found = verdict(troubled)
    assert (found.tone, found.sentence) == ("fine", "All is well.")
    assert found.more.endswith("; 1 thing noticed")


@pytest.mark.parametrize(
    ("health", "sentence", "tone"),
    [
        ("unknown", "Nothing is known yet.", "waiting"),
        ("degraded", "The machine is degraded.", "waiting"),
        ("failing", "The machine is failing.", "bad"),
    ],
)
def test_health_without_issues(calm: dict[str, Any], health: str, sentence: str, tone: str) -> None:
    calm["health"]["status"] = health
    calm["health"]["subjects"][0] |= {"status": "degraded", "reason": "load \x1b[1m9"}
    found = verdict(calm)
    assert (found.sentence, found.tone) == (sentence, tone)
    assert "\x1b" not in found.more


def test_the_daemons_own_troubles_need_a_person(calm: dict[str, Any]) -> None:
    calm["daemon"]["config_error"] = "autonomyd.toml:3: services.web: unknown key"
    calm["store"] |= {"state": "degraded", "pending": 3, "message": "disk full"}
    calm["loops"]["goals"] |= {"state": "degraded", "failures": 2, "last_error": "ValueError: x"}
    assert verdict(calm).sentence == "3 things need you."
    assert own_troubles(calm) == [
        "the configuration was refused, the old one stays in force: autonomyd.toml:3: services.web: unknown key",
        "the store is degraded (3 writes waiting): disk full",
        "the goals loop is degraded (2 failures): ValueError: x",
    ]


def item(troubled: dict[str, Any], reason: str, state: str = "refused", subject: str = "service:web") -> dict[str, Any]:
    made: dict[str, Any] = troubled["issues"][0]
    made["refusal"]["reason"] = reason
    made["issue"] |= {"state": state, "subject": subject}
    return made


@pytest.mark.parametrize("reason", [reason for reason in RefusalReason if ADVICE[reason]])
@pytest.mark.parametrize("subject", ["service:web", "disk:/var"])
def test_advice_is_complete_for_services_and_the_host(troubled: dict[str, Any], reason: str, subject: str) -> None:
    told = advice(item(troubled, reason, "parked", subject))
    assert told
    assert "{" not in told
    assert "None" not in told


def test_what_goes_on_by_itself_asks_nothing(troubled: dict[str, Any]) -> None:
    assert advice(item(troubled, "cooldown")) is None
    assert advice(item(troubled, "parent_failed")) is None
    assert advice(item(troubled, "observe_only", "resolved")) is None
    assert advice(item(troubled, "nothing_to_do")) is None
    assert advice(item(troubled, "cooldown", "parked")) is not None, "parked always needs a person"


def test_doing_tells_the_next_try(troubled: dict[str, Any]) -> None:
    now = troubled["at"]
    parked = doing(troubled["issues"][0], now)
    assert parked == "given up for now: 5 restarts in 5 min, none of them lasted; next try in 6 min"
    assert doing(troubled["issues"][2], now) == "being watched whether it lasts: restart: restart api"
    fresh = {"issue": troubled["issues"][2]["issue"] | {"state": "open"}, "decision": "not judged yet", "refusal": None}
    assert doing(fresh, now) == "being looked at"
    cooling = item(troubled, "cooldown")
    cooling["issue"]["next_try_at"] = now + 5.0
    assert doing(cooling, now) == "waits before it tries again; next try in 5 s"


def test_deeds_are_told_in_the_past() -> None:
    assert deed(
        [{"step": "StopService", "service": "web", "force": True}, {"step": "StartService", "service": "web"}]
    ) == ("web was killed; web was started")
    removed = {"step": "RemoveFiles", "root": "/var/log", "files": ["a", "b"], "total_bytes": 3 * 1024 * 1024}
    assert deed([removed]) == "2 old files (3 MB) in /var/log were removed"
    interval = {"step": "SetProbeInterval", "probe": "web/http", "before_s": 5.0, "after_s": 10.0}
    assert deed([interval]) == "web/http is now looked at every 10 s (was 5 s)"
    assert deed([]) == "nothing was changed"


def test_exit_codes_follow_health() -> None:
    assert [of_health(each) for each in HealthStatus] == [0, 1, 2, 2, 3]
    assert of_health("something new") == 3
