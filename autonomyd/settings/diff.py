"""What a reload changes for the services."""

from typing import NamedTuple

from autonomyd.settings.root import Settings


class ServiceChanges(NamedTuple):
    """Names of services, sorted; `changed` ones are in both with other settings."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def changed_services(old: Settings, new: Settings) -> ServiceChanges:
    """The services that came, went, and changed from `old` to `new`."""
    before, after = old.services, new.services
    return ServiceChanges(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
    )
