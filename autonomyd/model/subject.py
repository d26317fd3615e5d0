"""What is watched, named by one string: `host`, `service:web`, `disk:/var`, `folder:/srv/log`."""

from typing import NewType

Subject = NewType("Subject", str)

HOST = Subject("host")


def service_subject(name: str) -> Subject:
    """The subject of the service `name`."""
    return Subject(f"service:{name}")


def service_of(subject: Subject) -> str | None:
    """The service's name when `subject` is a service, else None."""
    kind, _, name = subject.partition(":")
    return name if kind == "service" else None
