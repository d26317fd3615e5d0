"""`/v1/backtest`: what a rule would have done over recorded history; `/v1/workbench`: how far such a look has come."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.insight.workbench import Busy, Progress
from autonomyd.model.rollup import DAY_S
from autonomyd.model.trial import BackTestReport

DEFAULT_S = 30.0 * DAY_S
MOST_S = 366.0 * DAY_S


async def backtest(call: Call) -> BackTestReport:
    from autonomyd.analyze.trials import BadRule  # seldom asked for, and not a part of the daemon until then
    from autonomyd.engine.insight.backtesting import backtest as run

    parts = call.system.parts
    since_s = call.number("since_s", DEFAULT_S, least=60, most=MOST_S)
    try:
        return await run(
            parts.insight.workbench, call.text("rule"), rule_of=parts.monitoring.thresholds.rule, since_s=since_s
        )
    except BadRule as error:
        raise ApiProblem(400, str(error), "`autonomyctl backtest --help` shows what can be tried") from None
    except Busy as error:
        raise busy(error) from None


async def progress(call: Call) -> Progress:
    return call.system.parts.insight.workbench.progress


def busy(error: Busy) -> ApiProblem:
    """The answer while somebody else's look is under way."""
    return ApiProblem(409, f"one at a time: the {error} is still under way", "try again in a moment")


ROUTES = (
    Route(
        method="GET",
        path="/v1/backtest",
        handler=backtest,
        summary="When a rule, worded as for the command, would have raised and cleared, against the recorded problems",
        answer=BackTestReport,
        query={"rule": "string", "since_s": "number"},
    ),
    Route(
        method="GET",
        path="/v1/workbench",
        handler=progress,
        summary="How far the look at recorded history has come that is under way",
        answer=Progress,
    ),
)
