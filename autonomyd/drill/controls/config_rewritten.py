"""The configuration file is written again by a tool, with another comment, while the service runs. It stays so."""

from autonomyd.drill.aside import Edit
from autonomyd.drill.untouched import Control

EDIT = Edit("# how the small service works", "# managed: do not edit")


SCENARIO = Control(
    name="config-rewritten",
    what="configuration rewritten while it runs",
    act=lambda stage: EDIT.make(stage.web),
    after=lambda stage: EDIT.was_kept(stage.web),
).scenario()
