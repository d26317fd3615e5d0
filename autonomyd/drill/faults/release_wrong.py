"""A new release answers 500: the one before is taken back."""

import signal

from autonomyd.drill.aside import release_is, work_for_a_while
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage


def inject(stage: Stage) -> None:
    stage.web.deploy("2", defect="wrong")
    stage.web.signal(signal.SIGKILL)  # the deployment restarts it


SCENARIO = Fault(
    name="release-wrong",
    what="a bad release answers 500",
    bound_s=10.0,
    prepare=work_for_a_while,
    inject=inject,
    starts={"web": 4},
    after=lambda stage: release_is(stage.web, "1"),
).scenario()
