"""Gathers everything that one decision rests on into a Situation."""

import random
from collections.abc import Callable
from dataclasses import replace

from autonomyd.aio.clock import Clock
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.facts import FactReader, gathered
from autonomyd.engine.history import FixHistory
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.services import ServiceKeeper
from autonomyd.model.facts import GateLimits, ServiceFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Autonomy
from autonomyd.model.service import RunState
from autonomyd.model.subject import Subject, service_of
from autonomyd.model.window import MaintenanceWindow
from autonomyd.plan.windows import open_window
from autonomyd.settings.root import Settings
from autonomyd.settings.service import RestartLimit

CpuOf = Callable[[Subject], float | None]
ExceededOf = Callable[[str], tuple[str, ...]]
"""A service's name to the limits that it exceeds now."""


class SituationReader:
    """Reads; decides nothing."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        keeper: ServiceKeeper,
        history: FixHistory,
        pause: PauseSwitch,
        cleaner: Cleaner,
        cpu_of: CpuOf,
        exceeded_of: ExceededOf = lambda name: (),
        readers: tuple[FactReader, ...] = (),
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._keeper = keeper
        self._history = history
        self._pause = pause
        self._cleaner = cleaner
        self._cpu_of = cpu_of
        self._exceeded_of = exceeded_of
        self.readers = readers

    async def read(self, issue: Issue, custom: str | None) -> Situation:
        service = self.service_of(issue)
        cleanup = None
        if service is None and issue.subject.startswith(("disk:", "folder:")):
            cleanup = await self._cleaner.preview(issue.subject)
        managed = self._keeper.services.get(service.name) if service is not None else None
        values, unread = await gathered(self.readers, issue, managed)
        return Situation(
            now=self._clock.monotonic(),
            wall_now=self._clock.wall(),
            luck=random.random(),
            pause=self._pause.facts(),
            limits=self._limits(service),
            service=service,
            cleanup=cleanup,
            custom_strategy=custom,
            past=self._history.past,
            windows=self._windows(service.name if service is not None else None),
            tripped=self._history.tripped(service.name if service else None),
            unknown=_unknown(service, custom),
            unread=unread,
            **values,
        )

    def rank(self, issue: Issue) -> int:
        """Parents before children; everything else first."""
        name = service_of(issue.subject)
        order = self._keeper.order()
        return order.index(name) + 1 if name in order else 0

    def service_of(self, issue: Issue) -> ServiceFacts | None:
        """The service that the issue is about, as it is now; None for another subject, or one that is unknown here."""
        service = self._keeper.services.get(service_of(issue.subject) or "")
        if service is None:
            return None
        facts = self._keeper.facts(service, self._cpu_of(issue.subject), self._exceeded_of(service.name))
        facts = replace(facts, off_limits=tuple(name for name in facts.children if self._off_limits(name)))
        forgiven_at = self._history.forgiven_at
        if forgiven_at is None:
            return facts
        return replace(facts, deaths=tuple(at for at in facts.deaths if at > forgiven_at))

    def _off_limits(self, name: str) -> bool:
        """Whether a service is closed to a fix of another one: nobody asks its own gates then."""
        open_to_all = self._keeper.services[name].settings.autonomy is Autonomy.ACT
        now = self._clock.wall()
        return not open_to_all or bool(self._history.tripped(name)) or open_window(self._windows(name), now) is not None

    def _windows(self, name: str | None) -> tuple[MaintenanceWindow, ...]:
        """The maintenance windows that the configuration has for it; one that names services is not about the host."""
        general = (each for each in self._settings().healing.windows if not each.services or name in each.services)
        own = self._keeper.services[name].settings.maintenance if name is not None else ()
        return tuple(each.window() for each in (*general, *own))

    def _limits(self, service: ServiceFacts | None) -> GateLimits:
        healing = self._settings().healing
        restart = self._keeper.services[service.name].settings.restart if service else RestartLimit()
        return GateLimits(
            confidence=healing.confidence,
            cooldown_first_s=healing.cooldown.first_s,
            cooldown_factor=healing.cooldown.factor,
            cooldown_cap_s=healing.cooldown.cap_s,
            healthy_reset_s=healing.healthy_reset_s,
            recurrence_window_s=healing.recurrence_window_s,
            acts_per_hour_service=healing.acts_per_hour_service,
            acts_per_hour_host=healing.acts_per_hour_host,
            restart_max=restart.max,
            restart_within_s=restart.within_s,
            flapping_max=healing.flapping.max,
            flapping_within_s=healing.flapping.within_s,
            park_retry_s=healing.park_retry_s,
        )


def _unknown(service: ServiceFacts | None, custom: str | None) -> str:
    if service is None or custom is not None or service.run is not RunState.UNKNOWN:
        return ""
    return service.run_message or "whether it runs is not known"
