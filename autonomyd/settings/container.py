"""Containers and launchd jobs as services, and `[containers]`: the engine and what may be removed from it."""

from typing import Annotated, Literal

from pydantic import Field

from autonomyd.settings.base import Seconds, Table

ContainerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=253)]


class ContainerControl(Table):
    """A container of Docker or Podman, over the engine's socket. A stop through the engine (`docker stop`) counts as a
    person's wish, as `systemctl stop` does."""

    type: Literal["container"]
    """This kind of control."""
    name: ContainerName
    """Name or id of the container, which exists already."""
    socket: str | None = None
    """The engine's socket; default: containers.socket."""
    stop_timeout_s: Seconds = 10.0
    """Time for an orderly stop before the engine kills it."""
    reload_signal: Literal["HUP", "USR1", "USR2"] | None = None
    """Signal to its main process at which it reads its configuration anew; without it, it can't be reloaded."""


class LaunchdControl(Table):
    """A launchd job of macOS, through `launchctl`."""

    type: Literal["launchd"]
    """This kind of control."""
    label: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Label of the job: org.example.web."""
    domain: str = Field(default="system", pattern=r"^(system|(gui|user)/[0-9]+)$")
    """Domain of the job: system, gui/501 or user/501."""
    plist: str | None = Field(default=None, pattern=r"^/")
    """The job's file, needed to load a job that is not loaded; default: LABEL.plist in /Library/LaunchDaemons for the \
domain system, else in /Library/LaunchAgents."""
    stop_timeout_s: Seconds = 30.0
    """Time for the real exit after a stop."""
    reload_signal: Literal["HUP", "USR1", "USR2"] | None = None
    """Signal at which it reads its configuration anew; without it, it can't be reloaded."""


class ContainersSettings(Table):
    """The container engine, and what may be removed when its disk fills."""

    socket: str | None = None
    """The engine's Unix socket; default: $DOCKER_HOST, else /run/docker.sock, else /run/podman/podman.sock."""
    prune: bool = False
    """Consent to remove containers that ended long ago and images that nothing uses, when the disk fills that they \
are on."""
    prune_after_h: Annotated[float, Field(ge=1)] = 24.0
    """How long a container must have been dead, or an image must be old, h."""
    prune_images: Literal["none", "dangling", "unused"] = "dangling"
    """Which images: none; those without a name that no container uses; all that no container uses."""
