"""How every control is played: nothing is wrong, and nothing may be done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autonomyd.control.client import ClientError
from autonomyd.drill.fault import nothing, page_is_good
from autonomyd.drill.services import ServiceSpec
from autonomyd.drill.stage import Stage, failed_request
from autonomyd.drill.verdict import REDIS, WEB, Kind, Observed, Scenario, always

WELL_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """`act` is what happens; then everything is looked at for `for_s` seconds. Only the services in `renewed` may be
    other processes after (`starts` of each, by whoever acts), and the page must be good at the end."""

    name: str
    what: str
    act: Callable[[Stage], object]
    for_s: float = 5.0
    renewed: tuple[str, ...] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    services: tuple[ServiceSpec, ...] = (REDIS, WEB)
    after: Callable[[Stage], list[str]] = nothing
    well: Callable[[Stage], bool] = page_is_good
    note: str = ""
    why_not: Callable[[], str] = always

    def scenario(self) -> Scenario:
        """The control as a row of the drill."""
        return Scenario(
            name=self.name,
            kind=Kind.CONTROL,
            what=self.what,
            play=self._play,
            services=self.services,
            starts=dict.fromkeys(self.renewed, 1) | dict(self.starts),
            why_not=self.why_not,
        )

    def _play(self, stage: Stage) -> Observed:
        stage.settle()
        before = stage.pids()
        problems: list[str] = []
        try:
            self.act(stage)
        except ClientError as error:
            problems.append(failed_request(error))
        stage.rest(self.for_s)
        if not stage.until(lambda: self.well(stage), within_s=WELL_WITHIN_S):
            problems.append("it is not well at the end")
        now = stage.pids()
        problems += [
            f"{name} is another process now, or none"
            for name, pid in before.items()
            if name not in self.renewed and now.get(name) != pid
        ]
        return Observed(problems=tuple(problems + self.after(stage)), note=self.note)
