"""`/v1/predictions`: what was foretold, and whether it came true."""

from dataclasses import replace

from autonomyd.control.resource import Call, Route
from autonomyd.model.prediction import PredictionReport

NEWEST = 10


async def predictions(call: Call) -> PredictionReport:
    book = call.system.parts.insight.predictions
    await book.catch_up()
    report = book.report()
    return report if call.flag("all") else replace(report, judged=report.judged[:NEWEST])


ROUTES = (
    Route(
        method="GET",
        path="/v1/predictions",
        handler=predictions,
        summary="Open predictions, the newest verdicts (all of them with all=1), precision and recall",
        answer=PredictionReport,
        query={"all": "boolean"},
    ),
)
