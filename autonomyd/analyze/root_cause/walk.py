"""From where it hurts to where it comes from: suspicion is handed down along the calls.

Slowness and errors travel from the callee to its callers. So a node whose own callee moved as well hands its
suspicion on to that callee, the more the further the callee moved and the more of the caller's move it can account
for; a node without such a callee keeps it. That is traversal (Chen et al., CauseInfer, INFOCOM 2014; MicroHECL,
ICSE-SEIP 2021) without its hard threshold: an absorbing random walk on the call graph, like MonitorRank's (Kim et
al., SIGMETRICS 2013), whose steps only ever go where the trouble can have come from."""

from collections.abc import Callable, Collection, Mapping, Sequence

ROUNDS = 12
"""Hand-overs that are followed: deeper chains of calls than this end where they are. It bounds cycles as well."""
LEAST = 1e-6

Calls = Mapping[str, Sequence[str]]
"""Each caller's callees."""
Explains = Callable[[str, str], float]
"""(caller, callee) to how much of the caller's trouble the callee accounts for, 0..1."""


def settled(
    begin: Mapping[str, float], calls: Calls, explains: Explains, *, observed: Collection[str]
) -> dict[str, float]:
    """Where the suspicion of `begin` (node to share) comes to rest; the total is kept. A node that is not `observed` is
    looked through: its callees stand in for it. What a cycle keeps handing round is left after ROUNDS."""
    rest: dict[str, float] = {}
    moving = dict(begin)
    steps: dict[str, list[tuple[str, float]]] = {}
    for _ in range(ROUNDS):
        after: dict[str, float] = {}
        for node, mass in moving.items():
            if node not in steps:
                steps[node] = [(callee, explains(node, callee)) for callee in _below(node, calls, observed)]
            stays = 1.0
            for _, share in steps[node]:
                stays *= 1.0 - share
            rest[node] = rest.get(node, 0.0) + mass * stays
            total = sum(share for _, share in steps[node])
            for callee, share in steps[node]:
                if share > 0.0:
                    after[callee] = after.get(callee, 0.0) + mass * (1.0 - stays) * share / total
        moving = {node: mass for node, mass in after.items() if mass > LEAST}
        if not moving:
            break
    for node, mass in moving.items():
        rest[node] = rest.get(node, 0.0) + mass
    return rest


def _below(node: str, calls: Calls, observed: Collection[str]) -> list[str]:
    """The nearest observed callees of `node`, itself not among them."""
    found: dict[str, None] = {}
    seen = {node}
    waiting = list(calls.get(node, ()))
    while waiting:
        callee = waiting.pop()
        if callee in seen:
            continue
        seen.add(callee)
        if callee in observed:
            found[callee] = None
        else:
            waiting += calls.get(callee, ())
    return list(found)
