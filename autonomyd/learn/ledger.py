"""All that was learned, as the sum of the lessons in their order. Nothing beside the lessons is stored: what follows
from them (experience, quarantine, lost trust, calibration) is the same after every restart. Running sums, so that a
decision costs the same after ten lessons and after ten thousand."""

from collections.abc import Mapping
from dataclasses import replace

from autonomyd.learn.calibration import CalibrationSums
from autonomyd.learn.confidence import POOR_MEAN, Tally, keeps_failing, mean, observed, points, taken_back
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Autonomy
from autonomyd.model.trust import Calibration, Experience, Lesson, LessonKind

SUCCESS = {
    LessonKind.HEALED: True,
    LessonKind.INEFFECTIVE: False,
    LessonKind.ROLLED_BACK: False,
    LessonKind.WORSENED: False,
    LessonKind.UNDONE: False,
    LessonKind.DENIED: False,
}
"""What counts as success or failure. An outcome that could not be verified teaches nothing."""
HARM = (LessonKind.WORSENED, LessonKind.UNDONE)
"""One of these alone costs a level of trust."""
LADDER = (Autonomy.ACT, Autonomy.ASK, Autonomy.SHADOW)

Place = tuple[Cause, str]


class Ledger:
    """`take` each lesson once, oldest first. Services are named; "" stands for what is no service's."""

    def __init__(self, *, half_life_s: float, quarantine_s: float) -> None:
        self.half_life_s = half_life_s
        self.quarantine_s = quarantine_s
        self._tallies: dict[str, dict[Place, Tally]] = {}
        self._quarantine: dict[str, dict[Place, float]] = {}
        self._earned: dict[str, dict[str, Autonomy]] = {}
        self._calibration = CalibrationSums()

    def take(self, lesson: Lesson) -> str:
        """Count one lesson. When it costs the strategy trust, or puts it into quarantine, that in words; else ""."""
        if lesson.kind in (LessonKind.RAISED, LessonKind.RELEASED):
            self._forgive(lesson)
            return ""
        success = SUCCESS.get(lesson.kind)
        if success is None or lesson.cause is None:
            return ""
        tallies = self._tallies.setdefault(lesson.service, {})
        place = (lesson.cause, lesson.strategy)
        tally = tallies.get(place, Tally())
        if lesson.kind is LessonKind.UNDONE:
            tally = self._undo(tally, lesson)
        tally = observed(
            tally,
            success=success,
            problem=str(lesson.issue_id if lesson.issue_id is not None else lesson.key),
            at=lesson.at,
            half_life_s=self.half_life_s,
            said=lesson.said,
        )
        tallies[place] = tally
        if lesson.kind is not LessonKind.DENIED:  # a person's no is no test of what was said
            self._calibration.add(lesson.said, right=success)
        return "" if success else self._lose(lesson, place, tally)

    def experiences(self, service: str, now: float) -> Mapping[Place, Experience]:
        """How every (cause, strategy) fared on `service`, as of `now` (epoch seconds)."""
        return {place: self._experience(service, place, now) for place in self._tallies.get(service, {})}

    def experience(self, service: str, place: Place, now: float) -> Experience:
        """How one (cause, strategy) fared on `service`."""
        known = place in self._tallies.get(service, {})
        return self._experience(service, place, now) if known else Experience()

    def earned(self, service: str) -> Mapping[str, Autonomy]:
        """The most that each strategy may do on `service`; those that never lost trust are not there."""
        return self._earned.get(service, {})

    def places(self) -> list[tuple[str, Place]]:
        """Every (service, (cause, strategy)) that something is known of."""
        return [(service, place) for service, tallies in self._tallies.items() for place in tallies]

    def tally(self, service: str, place: Place) -> Tally:
        """The running sums of one place."""
        return self._tallies.get(service, {}).get(place, Tally())

    def calibration(self) -> Calibration:
        """How right what was said has been, over all fixes."""
        return self._calibration.report()

    def _experience(self, service: str, place: Place, now: float) -> Experience:
        tally = self._tallies[service][place]
        until = self._quarantine.get(service, {}).get(place)
        return Experience(
            total=tally.total,
            healed=tally.healed,
            points=points(tally, now=now, half_life_s=self.half_life_s),
            mean=self._mean(tally, now),
            quarantined_until=until if until is not None and until > now else None,
        )

    def _mean(self, tally: Tally, now: float) -> float | None:
        if not tally.total:
            return None
        return mean(tally, prior=tally.said / tally.total, now=now, half_life_s=self.half_life_s)

    def _undo(self, tally: Tally, lesson: Lesson) -> Tally:
        """A person rolled a fix back: that it had healed is taken back first."""
        healed = any(problem == str(lesson.issue_id) and success for problem, success in tally.recent)
        if not healed:
            return tally
        self._calibration.take_back(lesson.said)
        tally = taken_back(tally, at=lesson.at, half_life_s=self.half_life_s)
        return replace(tally, said=max(0.0, tally.said - lesson.said / 100.0))

    def _lose(self, lesson: Lesson, place: Place, tally: Tally) -> str:
        too_often = keeps_failing(tally)
        if not too_often and lesson.kind not in HARM:
            return ""
        words = self._fall(lesson)
        if not too_often:
            return words
        # the next conclusion is drawn from problems after this one
        self._tallies[lesson.service][place] = replace(tally, recent=())
        if (self._mean(tally, lesson.at) or 0.0) < POOR_MEAN:
            self._quarantine.setdefault(lesson.service, {})[place] = lesson.at + self.quarantine_s
            words += f", and is passed over for {self.quarantine_s / 3600:.0f} h"
        return words

    def _fall(self, lesson: Lesson) -> str:
        levels = self._earned.setdefault(lesson.service, {})
        before = levels.get(lesson.strategy, Autonomy.ACT)
        after = LADDER[min(LADDER.index(before) + 1, len(LADDER) - 1)]
        levels[lesson.strategy] = after
        return f"{lesson.strategy} lost trust: from {before} to {after}"

    def _forgive(self, lesson: Lesson) -> None:
        """A person raised it, or released it from quarantine: earlier failures are no ground for another fall."""
        tallies = self._tallies.get(lesson.service, {})
        for place, tally in list(tallies.items()):
            if lesson.strategy in ("", place[1]):
                tallies[place] = replace(tally, recent=())
                self._quarantine.get(lesson.service, {}).pop(place, None)
        if lesson.kind is LessonKind.RAISED:
            levels = self._earned.get(lesson.service, {})
            for strategy in list(levels):
                if lesson.strategy in ("", strategy):
                    del levels[strategy]
