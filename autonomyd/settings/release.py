"""`release = { link = "/srv/web/current" }`: the symbolic link through which a service finds its program."""

from pydantic import Field

from autonomyd.settings.base import Table


class ReleaseSettings(Table):
    """The target of the link is remembered whenever the service has been verified healthy; a new one that does not work
    is taken back."""

    link: str = Field(pattern=r"^/")
    """Absolute path of the symbolic link."""
