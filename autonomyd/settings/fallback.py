"""`fallback = { command = [...] }`: what runs instead while the service's own command does not work."""

from pydantic import Field

from autonomyd.settings.base import Argv, Seconds, Table


class FallbackSettings(Table):
    """Only for services with `control.type = "process"`: a simpler command, to which it is switched when nothing else
    helped, and from which it is switched back."""

    command: Argv
    """Program and arguments; no shell."""
    env: dict[str, str] = Field(default_factory=dict)
    """Added to the daemon's own environment, instead of control.env."""
    retry_s: Seconds = 900.0
    """After this time its own command is tried again."""
