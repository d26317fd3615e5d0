"""`[intervals]`: how often each loop runs. Events wake the loops earlier; this is the backstop."""

from autonomyd.settings.base import Seconds, Table


class IntervalSettings(Table):
    """How often each loop runs. Events (a death, a changed unit) wake them earlier."""

    monitoring_s: Seconds = 10.0
    """Host metrics, and every check that has no every_s of its own."""
    healing_s: Seconds = 30.0
    """Open issues are looked at again."""
    goals_s: Seconds = 60.0
    """Goals are generated and their progress is measured."""
    optimization_s: Seconds = 300.0
    """The daemon's own cost is looked at."""
    alerts_s: Seconds = 30.0
    """What needs a person is looked for again; reminders and messages that wait have their own times."""
    insight_s: Seconds = 60.0
    """Forecasts, rollups, log templates and the timeline are brought up to date; each sample is judged as it comes."""
