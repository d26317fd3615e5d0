"""What a look without an answer has shown: a fault of the other side, or only that this machine is off the network."""

from autonomyd.host.failure import NetworkFailure
from autonomyd.monitor.probe import Look, failed, unknown


async def without_answer(host: str, failure: NetworkFailure) -> Look:
    """`unknown` when the fault is this machine's own (no network, no descriptors, nothing that could be sent), else
    failed."""
    if failure.stage == "request":
        return unknown(failure.message)
    from autonomyd.host.connectivity import own_fault  # needed only once something fails

    own = await own_fault(host, failure)
    return unknown(own) if own else failed(failure.message)
