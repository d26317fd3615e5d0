"""A service on which another one depends is killed, and takes long to start. The parent is healed; its child fails
meanwhile, is left alone, and is well again after."""

import signal
import time
from dataclasses import replace

from autonomyd.drill.healed import break_and_watch
from autonomyd.drill.services import Answer, ServiceSpec, SmallService
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Scenario

PARENT_NEEDS_S = 2.5
"""Long enough for the child's check to fail twice."""
CHILD_WITHIN_S = 6.0


def play(stage: Stage) -> Observed:
    child = stage.ready("child")
    before = child.pid()
    stage.services["parent"].flag("slow", str(PARENT_NEEDS_S))
    began = time.monotonic()
    seen = break_and_watch(stage, "parent", lambda service: service.signal(signal.SIGKILL), within_s=15.0)
    answer = stage.until(lambda: _good(child), within_s=CHILD_WITHIN_S)
    problems = list(seen.problems)
    if answer is None or not stage.calm("child", within_s=CHILD_WITHIN_S):
        problems.append("the child was not well again")
    elif answer.pid != before:
        problems.append("the child was restarted, though its parent was at fault")
    held = stage.api.first(
        "service:child", began, lambda shown: any(each.refused == "parent_failed" for each in shown.issues)
    )
    note = "the child was held" if held else ""
    return replace(seen, problems=tuple(problems), note=note)


def _good(service: SmallService) -> Answer | None:
    answer = service.ask()
    return answer if answer is not None and answer.good else None


SCENARIO = Scenario(
    name="parent-killed",
    kind=Kind.FAULT,
    phase=Phase.TOGETHER,
    what="parent killed, its child fails too",
    services=(
        ServiceSpec(name="parent"),
        ServiceSpec(name="child", needs="parent", settings={"depends_on": '["parent"]'}),
    ),
    play=play,
    allowed_starts=(("parent", 1),),
)
