"""A service's memory grows over its limit; it answers all the time."""

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import RSS_MB
from autonomyd.host.process import read_process

MB = 1024 * 1024
GROWS_TO_MB = 3 * RSS_MB


def over(stage: Stage) -> bool:
    facts = [read_process(pid) for pid in stage.web.alive()]
    return any(each is not None and each.rss_bytes > RSS_MB * MB for each in facts)


SCENARIO = Fault(
    name="memory-growth",
    what="memory grows over its limit",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask(f"/leak/{GROWS_TO_MB}"),
    symptom=over,
).scenario()
