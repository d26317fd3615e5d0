"""When certificates end: a date, and no forecast. It belongs into the same report. Their checks raise the issues."""

from collections.abc import Iterator

from autonomyd.aio.clock import Clock
from autonomyd.model.forecast import BackTest, Forecast, Standing
from autonomyd.model.subject import Subject, service_subject
from autonomyd.model.words import DAY_S, duration
from autonomyd.monitor.ring import RingReader
from autonomyd.settings.root import Settings
from autonomyd.settings.service import checks_by_name

KIND = "certificate"
METRIC = "days_left"
UNIT = "d"


def certificates(
    metrics: RingReader, settings: Settings, *, clock: Clock
) -> tuple[tuple[Forecast, ...], tuple[Standing, ...]]:
    """(those that end within the horizon, those that are good for longer), soonest first. Of two checks of a service
    the samples come mixed: nothing is told."""
    found = sorted(_left(metrics, settings, clock.monotonic()), key=lambda each: each[2])
    horizon_s = settings.forecast.horizon_days * DAY_S
    now = clock.wall()
    near = tuple(_forecast(subject, name, left_s, now) for subject, name, left_s in found if left_s <= horizon_s)
    far = tuple(_standing(subject, left_s) for subject, _, left_s in found if left_s > horizon_s)
    return near, far


def _left(metrics: RingReader, settings: Settings, now: float) -> Iterator[tuple[Subject, str, float]]:
    """(service, name of the check, seconds until the certificate ends)."""
    for service, options in settings.services.items():
        names = [name for name, each in checks_by_name(options.checks).items() if each.type == KIND]
        subject = service_subject(service)
        known = list(view.known()) if len(names) == 1 and (view := metrics.view(subject, METRIC)) else []
        if known:
            at, days = known[-1]
            yield subject, names[0], max(0.0, days * DAY_S - (now - at))


def _forecast(subject: Subject, name: str, left_s: float, now: float) -> Forecast:
    service = subject.partition(":")[2]
    when = f"ends in {duration(left_s)}" if left_s > 0.0 else "has ended"
    return Forecast(
        subject=subject,
        metric=METRIC,
        unit=UNIT,
        at=now,
        value=left_s / DAY_S,
        bound=0.0,
        per_s=-1.0 / DAY_S,
        left_s=left_s,
        soonest_s=left_s,
        latest_s=left_s,
        backtest=BackTest(cases=0, covered=0),
        why_not="its check tells when it is to be renewed",
        words=f"the certificate of {name} of {service} {when}",
        growth="a date",
    )


def _standing(subject: Subject, left_s: float) -> Standing:
    why = f"a certificate, good for {duration(left_s)}"
    return Standing(subject=subject, metric=METRIC, unit=UNIT, value=left_s / DAY_S, bound=0.0, why=why)
