"""`type = "network"`: whether this machine is on the network at all."""

import asyncio
from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.tcp import tcp_connect
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.service import CheckSettings

Target = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@]+):[0-9]{1,5}$")]


class NetworkOptions(CheckSettings):
    """This machine's own network: a way out whose gateway answers, and one of the targets, if there are any."""

    targets: tuple[Target, ...] = ()
    """"host:port" of machines that are always there: one that takes a connection is enough."""


class NetworkProbe:
    kind: ClassVar[str] = "network"
    Options: ClassVar[type[CheckSettings]] = NetworkOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = False
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="targets_answering"),)

    def __init__(self, options: NetworkOptions, clock: Clock) -> None:
        self._options = options

    async def look(self) -> Look:
        from autonomyd.host.connectivity import why_off_the_network

        why = why_off_the_network()
        if not self._options.targets:
            return failed(why) if why else ok(message="there is a way out")
        answers = await asyncio.gather(*(self._asked(target) for target in self._options.targets))
        values = {"targets_answering": float(sum(not answer for answer in answers))}
        if values["targets_answering"]:
            return ok(values, f"{values['targets_answering']:.0f} of {len(answers)} targets answer")
        if all(answer.ours for answer in answers if answer is not None):
            return unknown(str(answers[0]))
        return failed(why or f"none of {len(answers)} targets answers: {answers[0]}", values)

    async def _asked(self, target: str) -> NetworkFailure | None:
        """Why there was no connection, None when there was one."""
        host, _, port = target.rpartition(":")
        try:
            await tcp_connect(host.strip("[]"), int(port), timeout_s=self._options.timeout_s)
        except NetworkFailure as error:
            return error
        return None
