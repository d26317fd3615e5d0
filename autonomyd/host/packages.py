"""Hears of packages that were installed, upgraded or removed, from the log of the package manager (dpkg, dnf, pacman).
One stat a look while nothing happens; a first look reads the end of the log, for what happened while nobody looked."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autonomyd.host.files import tail_lines
from autonomyd.host.tail import FileTail

LOGS = ("/var/log/dpkg.log", "/var/log/dnf.rpm.log", "/var/log/pacman.log")
FIRST_LINES = 5000
FIRST_BYTES = 256 * 1024
MOST = 2000
"""Packages of one look; more is a new machine rather than a change of one."""
TEXT = 120

_DPKG = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) ([^\s:]{1,200})(?::\S{1,40})? "
    r"(\S{1,200}) (\S{1,200})"
)
_DNF = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}) \S{1,20} (Installed|Upgrade|Downgrade|Erase|Removed): (\S{1,300})"
)
_PACMAN = re.compile(
    r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4})\] \[ALPM\] (installed|upgraded|downgraded|removed) (\S{1,200}) "
    r"\(([^()]{1,200})\)"
)
_NEVRA = re.compile(r"(.+?)-(?:\d+:)?([^-]+-[^-]+?)(?:\.(?:x86_64|noarch|aarch64|i686|ppc64le|s390x))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package at `at` (epoch seconds): `before` is None for a new one, "" where the log does not name the version;
    `after` None for one that was removed."""

    at: float
    name: str
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        """ "nginx 1.24 to 1.26", "nginx 1.26 (new)", "nginx 1.24 (removed)"."""
        if self.after is None:
            return f"{self.name} {self.before or ''}".rstrip() + " (removed)"
        if self.before is None:
            return f"{self.name} {self.after} (new)"
        return f"{self.name} {self.before} to {self.after}".replace("  ", " ")


class PackageLog:
    """`look` is for a thread, and must not be called by two at once."""

    def __init__(self, paths: Iterable[str] = LOGS) -> None:
        self._tails = {path: FileTail(path) for path in paths}
        self._begun = False

    def look(self, *, since: float) -> tuple[PackageChange, ...]:
        """What is new since the last look, oldest first; at the first look what the log tells since `since` (epoch
        seconds). A log that can't be read tells nothing."""
        found: list[PackageChange] = []
        for path, tail in self._tails.items():
            try:
                if self._begun:
                    lines = tail.read().text.splitlines() if tail.waiting() else []
                else:
                    tail.to_end()
                    present = os.path.exists(path)
                    lines = list(tail_lines(path, FIRST_LINES, limit_bytes=FIRST_BYTES)) if present else []
            except OSError:
                continue
            found += [change for change in package_changes(lines) if self._begun or change.at >= since]
        self._begun = True
        return tuple(sorted(found[-MOST:], key=lambda change: change.at))


def package_changes(lines: Iterable[str]) -> Iterator[PackageChange]:
    """The changes that the lines of a package manager's log tell of; every other line is passed over."""
    for line in lines:
        found = _dpkg(line) or _dnf(line) or _pacman(line)
        if found is not None:
            yield found


def _dpkg(line: str) -> PackageChange | None:
    match = _DPKG.match(line)
    if match is None:
        return None
    at, verb, name, before, after = match.groups()
    gone = verb in ("remove", "purge")
    return _change(at, name, before=None if before == "<none>" else before, after=None if gone else after)


def _dnf(line: str) -> PackageChange | None:
    match = _DNF.match(line)
    if match is None:
        return None
    at, verb, package = match.groups()
    parts = _NEVRA.fullmatch(package)
    name, version = parts.groups() if parts else (package, "")
    gone = verb in ("Erase", "Removed")
    # dnf names the new version alone: what was there before stands in a line of its own, which is no change
    before = version if gone else "" if verb != "Installed" else None
    return _change(at, name, before=before, after=None if gone else version)


def _pacman(line: str) -> PackageChange | None:
    match = _PACMAN.match(line)
    if match is None:
        return None
    at, verb, name, versions = match.groups()
    before, arrow, after = versions.partition(" -> ")
    if arrow:
        return _change(at, name, before=before, after=after)
    gone = verb == "removed"
    return _change(at, name, before=versions if gone else None, after=None if gone else versions)


def _change(at: str, name: str, *, before: str | None, after: str | None) -> PackageChange | None:
    seconds = _epoch(at)
    if seconds is None:
        return None
    return PackageChange(
        at=seconds,
        name=name[:TEXT],
        before=None if before is None else before[:TEXT],
        after=None if after is None else after[:TEXT],
    )


def _epoch(text: str) -> float | None:
    """The time that the log wrote: with its zone, else in the machine's."""
    try:
        if "T" not in text:
            return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))
        parsed = time.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
        import calendar  # only where such a log is

        return calendar.timegm(parsed) - (parsed.tm_gmtoff or 0)
    except (ValueError, OverflowError):
        return None
