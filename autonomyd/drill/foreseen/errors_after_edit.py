"""Somebody edits the configuration and restarts the service; soon its log fills with errors. The daemon names the
edit."""

from autonomyd.drill.aside import Edit, work_for_a_while
from autonomyd.drill.foretold import Foretold, story_of, top_cause
from autonomyd.drill.stage import Stage

EDIT = Edit("pool_size = 4", "pool_size = 400")
LATER_S = 2.0


def inject(stage: Stage) -> None:
    EDIT.make(stage.web)
    stage.rest(LATER_S)
    stage.daemon.client.post("/v1/services/web/restart")


def told(stage: Stage) -> str | None:
    found = top_cause(stage, "service:web")
    if found is None or found[0] != "config_changed":
        return None
    named = (each["why"] for each in story_of(stage, found[1])["changes"] if each["change"]["kind"] == "config")
    return next((str(words) for words in named if stage.web.config.name in words), None)


SCENARIO = Foretold(
    name="errors-after-edit",
    what="errors in the log after an edit",
    prepare=work_for_a_while,
    inject=inject,
    told=told,
    starts={"web": 1},
).scenario()
