"""Which hours are quiet: by the configuration, else as the machine's own use has shown; kept over a restart."""

from dataclasses import replace
from datetime import UTC, datetime

from autonomyd.engine.facts.moment import MomentReader
from autonomyd.engine.insight.predictions import make_predictions
from autonomyd.engine.insight.quiet import QuietHours
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.knowledge.store import Store
from autonomyd.model.forecast import BackTest, Forecast
from autonomyd.model.issue import IssueType
from autonomyd.model.subject import HOST
from autonomyd.settings.load import make_settings
from autonomyd.settings.root import Settings
from autonomyd.testing import ManualClock, issue

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3600.0, 86400.0
NIGHT = {"begin": "02:00", "end": "04:00", "zone": "UTC"}


class Parts:
    def __init__(self, store, clock, settings):
        self.clock = clock
        self.records = Records(clock)
        self.records.attach(store)
        self.monitoring = SelfMonitoringSystem(clock=clock)
        around = {"clock": clock, "settings": lambda: settings, "records": self.records, "monitoring": self.monitoring}
        self.quiet = QuietHours(**around)
        self.predictions = make_predictions(**around)

    async def used(self, percent):
        self.monitoring.push("cpu.percent", percent, subject=HOST)
        await self.quiet.tick()


async def opened(settings=None):
    clock = ManualClock(wall=NOON)
    store = await Store.open(":memory:", clock=clock)
    return store, Parts(store, clock, settings or Settings())


async def test_the_hours_of_the_configuration():
    store, parts = await opened(make_settings({"risk": {"quiet": [NIGHT]}}))
    assert parts.quiet.busy() == (True, "outside the quiet hours")
    assert parts.quiet.next_at() == NOON + 14 * HOUR_S
    parts.clock.advance(15 * HOUR_S)
    assert parts.quiet.busy() == (False, "within the quiet hours")
    assert parts.quiet.next_at() == NOON + 38 * HOUR_S
    await store.close()


async def test_what_was_learned_survives_a_restart():
    store, parts = await opened()
    assert parts.quiet.busy() == (None, "its use is not known yet")
    assert parts.quiet.next_at() is None
    for step in range(4 * 48):
        await parts.used(60.0 if 8 <= (12 + step / 2) % 24 < 18 else 4.0)
        parts.clock.advance(HOUR_S / 2)
    busy, why = parts.quiet.busy()
    assert busy is True
    assert why == "the CPU is usually at 60 % in this hour, at 4 % in the median hour"
    await parts.quiet.close()
    await parts.records.drained()
    again = Parts(store, parts.clock, Settings())
    await again.quiet.restore()
    assert again.quiet.busy() == (busy, why)
    assert again.quiet.next_at() == parts.quiet.next_at()
    await store.close()


async def test_the_moment_of_a_decision():
    store, parts = await opened(make_settings({"risk": {"quiet": [NIGHT]}}))
    foreseen = {}
    reader = MomentReader(
        parts.monitoring.metrics, predictions=parts.predictions, quiet=parts.quiet,
        forecast_of=lambda subject, metric: foreseen.get((subject, metric)),
    )  # fmt: skip
    parts.monitoring.push("memory.percent", 91.0, subject=HOST)
    down = await reader.read(issue(), None)
    assert (down.memory_percent, down.cpu_percent, down.busy) == (91.0, None, True)
    assert (down.quiet_at, down.left_s, down.again) == (None, None, None), "only prevention can wait"
    soon = issue(IssueType.RESOURCE_EXHAUSTION, metric="rss_mb.soon")
    tested = Forecast(
        subject=soon.subject, metric="rss_mb", unit="MB", at=NOON, value=400.0, bound=512.0, per_s=1e-3,
        left_s=1.2 * DAY_S, soonest_s=DAY_S, latest_s=2 * DAY_S, backtest=BackTest(cases=50, covered=40), acts=True,
    )  # fmt: skip
    foreseen[soon.subject, "rss_mb"] = replace(tested, acts=False)
    assert (await reader.read(soon, None)).left_s is None, "it was never put to the test"
    foreseen[soon.subject, "rss_mb"] = tested
    found = await reader.read(soon, None)
    assert (found.quiet_at, found.left_s) == (NOON + 14 * HOUR_S, DAY_S)
    await store.close()
