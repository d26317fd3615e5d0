"""`/v1/surprises`: what series did that their own history did not lead to expect, and which are still learned."""

from dataclasses import dataclass

from autonomyd.analyze.anomaly.detector import SURPRISE
from autonomyd.control.resource import Call, Route
from autonomyd.control.resources.timeline import subject_of
from autonomyd.engine.insight.surprises import Learning
from autonomyd.model.timeline import Surprise
from autonomyd.model.words import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprises:
    """`newest` oldest first; `contributors` the strongest of each metric, strongest first (of one subject only).
    `known` series are judged, of them `learning` are not yet. `threshold` is the score from which on it is one."""

    threshold: float
    known: int
    refused: int
    crowded_out: int
    newest: tuple[Surprise, ...]
    contributors: tuple[Surprise, ...]
    learning: tuple[Learning, ...]


async def surprises(call: Call) -> Surprises:
    since = call.system.clock.wall() - call.number("since_s", DAY_S)
    subject = subject_of(call)
    watch = call.system.parts.insight.surprises
    return Surprises(
        threshold=SURPRISE,
        known=watch.known,
        refused=watch.refused,
        crowded_out=watch.crowded_out,
        newest=watch.since(since, subject=subject),
        contributors=() if subject is None else watch.contributors(subject, since),
        learning=tuple(each for each in watch.learning() if subject in (None, each.subject)),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/surprises",
        handler=surprises,
        summary="The newest surprises, of a subject with its metrics ranked, and the series that are still learned",
        answer=Surprises,
        query={"subject": "string", "since_s": "number"},
    ),
)
