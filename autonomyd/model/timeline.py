"""What changed, and what began to behave otherwise: the two kinds of points on one line of time."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.subject import Subject


class ChangeKind(StrEnum):
    """Who or what changed something."""

    RELEASE = "release"
    PACKAGE = "package"
    CONFIG = "config"
    FIX = "fix"
    RESTART = "restart"
    OPERATOR = "operator"
    DAEMON = "daemon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something was changed at `at` (epoch seconds): `what` in a few words ("app.toml", "nginx 1.24 to 1.26",
    "a restart by hand"). `for_issue` is the issue that a fix was made for."""

    at: float
    kind: ChangeKind
    subject: Subject
    what: str
    actor: str = ""
    for_issue: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The level of a series moved at about `at` (epoch seconds, give or take `within_s`): from `before` to `after`,
    which is `size` times the spread that it had."""

    at: float
    within_s: float
    subject: Subject
    metric: str
    unit: str
    before: float
    after: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """A value that its own history did not lead to expect. `score` is 0..1, the same scale for every series; a
    surprise is what is at or above the threshold that is shipped. `at` epoch seconds."""

    at: float
    subject: Subject
    metric: str
    unit: str
    value: float
    expected: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidence:
    """What began at `at` (a shift, an issue) came `after_s` seconds after `change`; negative: it began before, so that
    the change is not its cause. `confidence` 0..100 that the one is due to the other (analyze/timeline.py has the
    formula), `why` in words: "began 40 s after app.toml changed"."""

    change: Change
    at: float
    after_s: float
    confidence: float
    why: str


class EntryKind(StrEnum):
    """What an entry of the timeline tells of."""

    CHANGE = "change"
    SHIFT = "shift"
    ISSUE = "issue"
    FIX = "fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline. `number` is that of the issue or the fix, `until` when that ended (epoch seconds);
    `due` the change that it is likely due to, `level` the severity of an issue, the kind of a change, the outcome of a
    fix."""

    at: float
    kind: EntryKind
    subject: Subject
    words: str
    actor: str = ""
    level: str = ""
    number: int | None = None
    until: float | None = None
    due: Coincidence | None = None
