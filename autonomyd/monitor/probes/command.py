"""`type = "command"`: runs a program by the conventions of Nagios plugins.

Exit code 0 is well, 1 (warning) and 2 (critical) are failures, 3 and anything else says that the plugin could not
tell. The first line of output is the message.
Source: Monitoring Plugins Development Guidelines, section "Plugin Return Codes".
"""

from typing import ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.host.command import CommandFailure, run_command
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.base import Argv
from autonomyd.settings.service import CheckSettings

MESSAGE_CHARS = 300


class CommandOptions(CheckSettings):
    """A program that tells by its exit code: 0 well, 1 or 2 failed, else unknown."""

    argv: Argv
    """Program and arguments; no shell."""
    cwd: str | None = None
    """Working folder."""
    env: dict[str, str] = Field(default_factory=dict)
    """Added to the daemon's environment."""
    warning_fails: bool = True
    """Whether exit code 1 (warning) counts as a failure."""


class CommandProbe:
    kind: ClassVar[str] = "command"
    Options: ClassVar[type[CheckSettings]] = CommandOptions
    asks: ClassVar[bool] = False
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="exit_code"), MetricSpec(name="run_ms", unit="ms"))

    def __init__(self, options: CommandOptions, clock: Clock) -> None:
        self._options = options

    async def look(self) -> Look:
        options = self._options
        try:
            result = await run_command(
                options.argv, timeout_s=options.timeout_s, cwd=options.cwd, env=options.env or None
            )
        except CommandFailure as error:
            return unknown(str(error))
        if result.timed_out or result.code is None:
            return unknown(f"{options.argv[0]} did not end within {options.timeout_s:g} s and was stopped")
        text = (result.output or result.error).strip().splitlines()
        said = text[0].strip()[:MESSAGE_CHARS] if text else f"exit code {result.code}"
        values = {"exit_code": float(result.code), "run_ms": result.duration_s * 1000.0}
        if result.code == 0 or (result.code == 1 and not options.warning_fails):
            return ok(values, said)
        if result.code in (1, 2):
            return failed(said, values)
        return Look(state=unknown("").state, message=f"exit code {result.code}: {said}", values=values)
