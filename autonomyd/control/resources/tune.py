"""`/v1/tune`: what recorded history says about the thresholds, as a change of the configuration. Writes nothing."""

from autonomyd.control.resource import Call, Route
from autonomyd.control.resources.backtest import busy
from autonomyd.engine.insight.workbench import Busy
from autonomyd.model.rollup import DAY_S
from autonomyd.model.tuning import TuningReport

DEFAULT_S = 30.0 * DAY_S
MOST_S = 90.0 * DAY_S


async def tune(call: Call) -> TuningReport:
    from autonomyd.engine.insight.tuning import tune as run  # seldom asked for, and not a part of the daemon until then

    parts = call.system.parts
    thresholds = parts.monitoring.thresholds
    rules = {name: rule for name in thresholds if (rule := thresholds.rule(name)) is not None}
    since_s = call.number("since_s", DEFAULT_S, least=60, most=MOST_S)
    try:
        return await run(parts.insight.workbench, rules, config_file=call.system.config_file, since_s=since_s)
    except Busy as error:
        raise busy(error) from None


ROUTES = (
    Route(
        method="GET",
        path="/v1/tune",
        handler=tune,
        summary="Thresholds as recorded history would have them, with the change of the file as a diff; writes nothing",
        answer=TuningReport,
        query={"since_s": "number"},
    ),
)
