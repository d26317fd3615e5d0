"""`/v1/trust`: how every remedy fared, what it may do, and what it has deserved."""

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.model.trust import TrustReport


async def trust(call: Call) -> TrustReport:
    parts = call.system.parts
    return parts.trust.report(parts.approvals.consents)


async def raise_again(call: Call) -> TrustReport:
    service, strategy = _place(call)
    call.system.parts.trust.raise_again(service, strategy, actor=call.actor)
    return await _changed(call)


async def release(call: Call) -> TrustReport:
    service, strategy = _place(call)
    call.system.parts.trust.release(service, strategy, actor=call.actor)
    return await _changed(call)


def _place(call: Call) -> tuple[str, str]:
    """(service, strategy) of the request; the host is "", and so is every strategy. Raises ApiProblem(404)."""
    parts = call.system.parts
    service, strategy = call.text("service"), call.text("strategy")
    service = "" if service == "host" and service not in parts.keeper.services else service
    known = {(row.service, row.strategy) for row in parts.trust.report().rows}
    if not any(name == service and strategy in ("", each) for name, each in known):
        words = f"{strategy} on {service or 'the host'}" if strategy else service or "the host"
        raise ApiProblem(404, f"nothing is known yet of {words}", "`autonomyctl trust` lists what is known")
    return service, strategy


async def _changed(call: Call) -> TrustReport:
    await call.system.parts.records.drained()
    call.system.parts.healing.wake()
    return await trust(call)


_BODY = {"service": "string", "strategy": "string"}
ROUTES = (
    Route(
        method="GET",
        path="/v1/trust",
        handler=trust,
        summary="Score, level and proposed level of every remedy on every service; calibration; shadow cases",
        answer=TrustReport,
    ),
    Route(
        method="POST",
        path="/v1/trust/raise",
        handler=raise_again,
        summary="Trust a service's fixes (or one of them) again as the configuration says",
        answer=TrustReport,
        body=_BODY,
    ),
    Route(
        method="POST",
        path="/v1/trust/release",
        handler=release,
        summary="End the quarantine of a service's fixes (or of one of them)",
        answer=TrustReport,
        body=_BODY,
    ),
)
