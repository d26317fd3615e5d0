"""The ledger: lessons in their order, and what follows from them."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.learn.ledger import Ledger
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Autonomy
from autonomyd.model.trust import Experience, Lesson, LessonKind

HUNG = Cause.PROCESS_HUNG
RESTART = (HUNG, "restart")
NOW = 1.7e9
DAY_S = 86400.0
FAILURES = [LessonKind.INEFFECTIVE, LessonKind.ROLLED_BACK, LessonKind.WORSENED, LessonKind.UNDONE, LessonKind.DENIED]
numbers = count(1)


def ledger() -> Ledger:
    return Ledger(half_life_s=30 * DAY_S, quarantine_s=DAY_S)


def lesson(kind=LessonKind.HEALED, *, service="web", strategy="restart", cause=HUNG, **more) -> Lesson:
    number = next(numbers)
    fields = {"key": f"fix:{number}", "at": NOW, "said": 90.0, "issue_id": number, "fix_id": number} | more
    return Lesson(kind=kind, service=service, strategy=strategy, cause=cause, **fields)


def taken(*lessons: Lesson) -> Ledger:
    made = ledger()
    for each in lessons:
        made.take(each)
    return made


def test_nothing_is_known_of_what_never_happened():
    assert ledger().experiences("web", NOW) == {}
    assert ledger().experience("web", RESTART, NOW) == Experience()
    assert ledger().calibration().brier is None


def test_counts_points_and_the_expected_rate():
    made = taken(*(lesson() for _ in range(8)), *(lesson(LessonKind.INEFFECTIVE) for _ in range(2)))
    found = made.experiences("web", NOW)[RESTART]
    assert (found.healed, found.total, found.points) == (8, 10, 6.0)
    assert found.mean == pytest.approx((1.8 + 8) / 12)


def test_services_causes_and_strategies_stay_apart():
    made = taken(*(lesson() for _ in range(5)), *(lesson(LessonKind.INEFFECTIVE, service="db") for _ in range(5)))
    assert made.experience("web", RESTART, NOW).points == 10.0
    assert made.experience("db", RESTART, NOW).points == -10.0
    assert made.experience("web", (Cause.LIMIT_EXCEEDED, "restart"), NOW).total == 0
    assert made.experience("", RESTART, NOW).total == 0


@pytest.mark.parametrize("kind", FAILURES)
def test_every_failure_counts(kind):
    assert taken(*(lesson(kind) for _ in range(5))).experience("web", RESTART, NOW).points == -10.0


def test_what_could_not_be_verified_teaches_nothing():
    made = taken(*(lesson(LessonKind.UNVERIFIED) for _ in range(50)))
    assert made.experiences("web", NOW) == {}
    assert made.calibration().count == 0
    assert made.earned("web") == {}


def test_what_keeps_failing_loses_trust_and_is_quarantined_for_a_day():
    made = ledger()
    words = [made.take(lesson(LessonKind.INEFFECTIVE)) for _ in range(3)]
    assert words[:2] == ["", ""]
    assert "from act to ask" in words[2]
    assert "24 h" in words[2]
    assert made.earned("web") == {"restart": Autonomy.ASK}
    assert made.experience("web", RESTART, NOW).quarantined_until == NOW + DAY_S
    assert made.experience("web", RESTART, NOW + DAY_S).quarantined_until is None
    assert made.earned("db") == {}


def test_a_good_record_is_not_quarantined_for_a_bad_day():
    made = taken(*(lesson() for _ in range(30)), *(lesson(LessonKind.INEFFECTIVE) for _ in range(3)))
    assert made.experience("web", RESTART, NOW).quarantined_until is None
    assert made.earned("web") == {"restart": Autonomy.ASK}


def test_tries_on_one_problem_cost_no_trust():
    made = taken(*(lesson(LessonKind.INEFFECTIVE, issue_id=7) for _ in range(9)))
    assert made.earned("web") == {}
    assert made.experience("web", RESTART, NOW).quarantined_until is None


@pytest.mark.parametrize("kind", [LessonKind.WORSENED, LessonKind.UNDONE])
def test_harm_costs_a_level_at_once(kind):
    made = taken(lesson(kind))
    assert made.earned("web") == {"restart": Autonomy.ASK}
    made.take(lesson(kind))
    made.take(lesson(kind))
    assert made.earned("web") == {"restart": Autonomy.SHADOW}, "it falls no lower: shadow does nothing already"


def test_a_person_raises_it_again_and_old_failures_are_no_ground_for_the_next_fall():
    made = taken(*(lesson(LessonKind.INEFFECTIVE) for _ in range(3)))
    made.take(lesson(LessonKind.RAISED, strategy="", cause=None))
    assert made.earned("web") == {}
    assert made.experience("web", RESTART, NOW).quarantined_until is None
    assert made.take(lesson(LessonKind.INEFFECTIVE)) == ""
    assert made.experience("web", RESTART, NOW).total == 4, "what happened is not forgotten"


def test_release_ends_the_quarantine_and_gives_no_trust_back():
    made = taken(*(lesson(LessonKind.INEFFECTIVE) for _ in range(3)))
    made.take(lesson(LessonKind.RELEASED, strategy="restart", cause=None))
    assert made.experience("web", RESTART, NOW).quarantined_until is None
    assert made.earned("web") == {"restart": Autonomy.ASK}


def test_a_word_about_one_strategy_leaves_the_others():
    failed = [lesson(LessonKind.INEFFECTIVE, strategy=name) for name in ("restart", "reload") for _ in range(3)]
    made = taken(*failed, lesson(LessonKind.RAISED, strategy="reload", cause=None))
    assert made.earned("web") == {"restart": Autonomy.ASK}


def test_what_a_person_undid_had_not_healed():
    fix = lesson()
    made = taken(fix, lesson(LessonKind.UNDONE, issue_id=fix.issue_id, key="undone:1"))
    found = made.experience("web", RESTART, NOW)
    assert (found.healed, found.total) == (0, 1)
    assert (made.calibration().count, made.calibration().bins[0].right) == (1, 0)


def test_a_denial_is_no_test_of_what_was_said():
    assert taken(lesson(LessonKind.DENIED)).calibration().count == 0


def test_calibration_has_said_and_was_right():
    made = taken(
        *(lesson(said=95.0) for _ in range(9)), lesson(LessonKind.INEFFECTIVE, said=95.0), lesson(said=100.0),
        lesson(LessonKind.INEFFECTIVE, said=62.0),
    )  # fmt: skip
    report = made.calibration()
    assert [(each.low, each.count, each.right) for each in report.bins] == [(60.0, 1, 0), (90.0, 11, 10)]
    assert report.bins[1].said == pytest.approx((10 * 95 + 100) / 11)
    assert report.brier == pytest.approx((9 * 0.05**2 + 0.95**2 + 0 + 0.62**2) / 12)


LESSONS = st.lists(
    st.builds(
        lesson,
        st.sampled_from(list(LessonKind)),
        service=st.sampled_from(["web", "db", ""]),
        strategy=st.sampled_from(["restart", "reload"]),
        issue_id=st.integers(1, 5),
        said=st.floats(0, 100),
        at=st.floats(NOW, NOW + 90 * DAY_S),
    ),
    max_size=40,
)


@given(LESSONS)
def test_the_same_lessons_always_come_to_the_same(lessons):
    one, other = taken(*lessons), taken(*lessons)
    for service in ("web", "db", ""):
        assert one.experiences(service, NOW) == other.experiences(service, NOW)
        assert one.earned(service) == other.earned(service)
        for found in one.experiences(service, NOW + 90 * DAY_S).values():
            assert 0 <= found.healed <= found.total
            assert -10.0 <= found.points <= 10.0
            assert found.mean is None or 0.0 <= found.mean <= 1.0
    report = one.calibration()
    assert report.brier is None or 0.0 <= report.brier <= 1.0
    assert all(0 <= each.right <= each.count for each in report.bins)
