"""A service writes errors into its log; its pages are good."""

from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.tables import ERROR

LOOK_S = 0.35
"""Longer than it takes from one error to the next."""


def errors(stage: Stage) -> int:
    return stage.web.log.read_text("utf-8", "replace").count(ERROR)


def comes(stage: Stage) -> bool:
    before = errors(stage)
    stage.rest(LOOK_S)
    return errors(stage) > before


SCENARIO = Fault(
    name="errors-in-log",
    what="writes errors into its log",
    bound_s=3.0,
    inject=lambda stage: stage.web.ask("/errors"),
    symptom=comes,
).scenario()
