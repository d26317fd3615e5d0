"""Every scenario, in the order of the table."""

from autonomyd.drill.controls import busy, daemon_killed, restart_by_hand, slow_start, stopped_on_purpose
from autonomyd.drill.faults import (
    crash_loop,
    disk_filling,
    exited,
    frozen,
    hung,
    killed,
    killed_with_daemon,
    parent_killed,
)
from autonomyd.drill.verdict import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    killed.SCENARIO,
    exited.SCENARIO,
    hung.SCENARIO,
    frozen.SCENARIO,
    parent_killed.SCENARIO,
    disk_filling.SCENARIO,
    crash_loop.SCENARIO,
    killed_with_daemon.SCENARIO,
    stopped_on_purpose.SCENARIO,
    busy.SCENARIO,
    slow_start.SCENARIO,
    restart_by_hand.SCENARIO,
    daemon_killed.SCENARIO,
)
