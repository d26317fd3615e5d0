"""The safety gates, one file each, asked in this order. The first that stays shut refuses; all asked ones are shown."""

from autonomyd.plan.guards.autonomy import autonomy
from autonomyd.plan.guards.backup import backup
from autonomyd.plan.guards.blast_radius import blast_radius
from autonomyd.plan.guards.cause import known_cause
from autonomyd.plan.guards.confidence import confidence
from autonomyd.plan.guards.consent import consent
from autonomyd.plan.guards.cooldown import cooldown
from autonomyd.plan.guards.dependencies import dependencies
from autonomyd.plan.guards.flapping import flapping
from autonomyd.plan.guards.paused import paused
from autonomyd.plan.guards.recurrence import recurrence
from autonomyd.plan.guards.signals import signals
from autonomyd.plan.guards.strategy import strategy
from autonomyd.plan.proposal import Guard

GUARDS: tuple[Guard, ...] = (
    paused,
    autonomy,
    known_cause,
    strategy,
    signals,
    confidence,
    consent,
    backup,
    cooldown,
    flapping,
    recurrence,
    blast_radius,
    dependencies,
)
