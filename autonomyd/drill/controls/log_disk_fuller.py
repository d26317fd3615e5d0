"""The disk of a service's log is fuller than before, and still has room."""

from dataclasses import replace

from autonomyd.drill import disk
from autonomyd.drill.untouched import Control
from autonomyd.drill.verdict import REDIS, WEB

SCENARIO = Control(
    name="log-disk-fuller",
    what="the disk of its log at 80 %",
    act=lambda stage: stage.web.ask("/fill/80", timeout_s=5.0),
    services=(REDIS, replace(WEB, own_disk=True)),
    why_not=disk.why_not,
).scenario()
