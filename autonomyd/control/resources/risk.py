"""`/v1/risk`: how likely each component and pattern that went wrong goes wrong again."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.risk import RiskReport


async def risk(call: Call) -> RiskReport:
    predictions = call.system.parts.insight.predictions
    await predictions.catch_up()
    return await predictions.risks.report()


ROUTES = (
    Route(
        method="GET",
        path="/v1/risk",
        handler=risk,
        summary="The risk of the next 24 h by frequency and by the times between, and what each has been worth",
        answer=RiskReport,
    ),
)
