"""What no single key shows: dependencies between services, names that occur twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autonomyd.settings.problem import KeyPath

OWN_PROBES = frozenset({"process", "memory", "logs"})
"""What the daemon itself looks at under a service's name; a check that is called so would take its place."""


class Contradiction(NamedTuple):
    """A fault between settings, at the key that a person would change."""

    path: KeyPath
    message: str
    word: str = ""
    """What was written, where the nearest of `known` may have been meant."""
    known: tuple[str, ...] = ()


def contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    """The faults between the settings of a whole configuration, as it was read: values of wrong type are passed over,
    because the tables themselves complain of them."""
    services = data.get("services")
    if isinstance(services, dict):
        wanted = {name: _texts(service, "depends_on") for name, service in services.items()}
        yield from _unknown_dependencies(wanted)
        yield from _cycles(wanted)
        for name, service in services.items():
            yield from _equal_check_names(name, service)
    yield from _unknown_in_windows(data.get("healing"), tuple(services) if isinstance(services, dict) else ())
    yield from _equal_roots(data.get("cleanup"))
    yield from _equal_targets(data.get("alerts"))


def _texts(table: Any, key: str) -> list[str]:
    values = table.get(key) if isinstance(table, dict) else None
    return [each for each in values if isinstance(each, str)] if isinstance(values, list | tuple) else []


def _unknown_dependencies(wanted: Mapping[str, list[str]]) -> Iterator[Contradiction]:
    for name, parents in wanted.items():
        for index, parent in enumerate(parents):
            path = ("services", name, "depends_on", index)
            if parent == name:
                yield Contradiction(path, f"the service '{name}' depends on itself")
            elif parent not in wanted:
                others = tuple(each for each in wanted if each != name)
                yield Contradiction(path, f"there is no service '{parent}'", parent, others)


def _unknown_in_windows(healing: Any, known: tuple[str, ...]) -> Iterator[Contradiction]:
    """A maintenance window for a service that is not there would hold nothing."""
    windows = healing.get("windows") if isinstance(healing, dict) else None
    for index, window in enumerate(windows if isinstance(windows, list) else ()):
        for place, name in enumerate(_texts(window, "services")):
            if name not in known:
                path = ("healing", "windows", index, "services", place)
                yield Contradiction(path, f"there is no service '{name}'", name, known)


def _cycles(wanted: Mapping[str, list[str]]) -> Iterator[Contradiction]:
    """Each cycle of two or more services once, at the dependency that closes it."""
    finished: set[str] = set()
    for start in wanted:
        trail: list[str] = []
        pending = [iter([start])]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                pending.pop()
                if trail:
                    finished.add(trail.pop())
            elif name in trail and name != trail[-1]:
                cycle = [*trail[trail.index(name) :], name]
                path = ("services", trail[-1], "depends_on", wanted[trail[-1]].index(name))
                yield Contradiction(path, f"services depend on one another: {' -> '.join(cycle)}")
            elif name in wanted and name not in finished and name not in trail:
                trail.append(name)
                pending.append(iter(wanted[name]))


def _equal_check_names(service: str, table: Any) -> Iterator[Contradiction]:
    checks = table.get("checks") if isinstance(table, dict) else None
    listed = checks if isinstance(checks, list) else []
    names = [each.get("name") if isinstance(each, dict) else None for each in listed]
    counts = Counter(name for name in names if isinstance(name, str))
    for index, name in enumerate(names):
        path = ("services", service, "checks", index, "name")
        if isinstance(name, str) and name in OWN_PROBES:
            yield Contradiction(path, f"'{name}' is what the daemon calls a look of its own: choose another name")
        elif isinstance(name, str) and counts[name] > 1 and name in names[:index]:
            yield Contradiction(path, f"another check of this service has the name '{name}' too")


def _equal_roots(cleanup: Any) -> Iterator[Contradiction]:
    seen: set[str] = set()
    for index, table in enumerate(cleanup if isinstance(cleanup, list) else ()):
        root = table.get("root") if isinstance(table, dict) else None
        if isinstance(root, str) and root.rstrip("/") in seen:
            yield Contradiction(("cleanup", index, "root"), f"the folder {root} is in the list twice")
        elif isinstance(root, str):
            seen.add(root.rstrip("/"))


def _equal_targets(alerts: Any) -> Iterator[Contradiction]:
    """A message is kept for a target by its name."""
    tables = [alerts.get(key) if isinstance(alerts, dict) else None for key in ("targets", "escalation")]
    first, second = (table if isinstance(table, dict) else {} for table in tables)
    for name in second:
        if name in first:
            yield Contradiction(("alerts", "escalation", name), f"'{name}' is a target already: give it another name")
