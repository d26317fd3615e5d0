"""What the steps of a plan do, in the past tense: "web was restarted". A new kind of step is one line here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autonomyd.cli.words import clean, count, data_size, duration

Step = Mapping[str, Any]


ASIDE = ".autonomyd-bad-"
"""What the name of a file that was set aside goes on with, after that of the file itself."""


def deed(steps: Iterable[Step]) -> str:
    """All steps in one sentence."""
    known = tuple(steps)
    aside = {path.partition(ASIDE)[0]: path for path in map(_kept_aside, known) if path}
    told = (_put_back(step, aside) or _one(step) for step in known if not _is_aside(step))
    return "; ".join(told) or "nothing was changed"


def _is_aside(step: Step) -> bool:
    return step.get("step") == "WriteFile" and ASIDE in str(step.get("path"))


def _kept_aside(step: Step) -> str:
    """The file that was set aside; its difference beside it goes without saying."""
    path = str(step.get("path"))
    return path if _is_aside(step) and not path.endswith(".diff") else ""


def _put_back(step: Step, aside: Mapping[str, str]) -> str:
    kept = aside.get(str(step.get("path"))) if step.get("step") == "WriteFile" else None
    if kept is None:
        return ""
    return f"{clean(step.get('path'))} was put back, and the bad one kept as {clean(kept.rpartition('/')[2])}"


def _one(step: Step) -> str:
    kind = step.get("step")
    made = _DEEDS.get(str(kind))
    return made(step) if made else clean(kind) or "an unknown step was taken"


def _service(words: str) -> Callable[[Step], str]:
    return lambda step: f"{clean(step.get('service'))} was {words}"


def _path(words: str) -> Callable[[Step], str]:
    return lambda step: f"{clean(step.get('path'))} was {words}"


def _stop(step: Step) -> str:
    return f"{clean(step.get('service'))} was {'killed' if step.get('force') else 'stopped'}"


def _switch(step: Step) -> str:
    return f"{clean(step.get('service'))} was switched to its {'fallback' if step.get('fallback') else 'own'} command"


def _remove_files(step: Step) -> str:
    files = count(len(step.get("files") or ()), "old file")
    return f"{files} ({data_size(step.get('total_bytes') or 0)}) in {clean(step.get('root'))} were removed"


def _interval(step: Step) -> str:
    spans = f"every {duration(step.get('after_s'))} (was {duration(step.get('before_s'))})"
    return f"{clean(step.get('probe'))} is now looked at {spans}"


def _restore(step: Step) -> str:
    return f"{count(len(step.get('paths') or ()), 'file')} of the backup {clean(step.get('backup'))} were put back"


def _number(step: Step) -> str:
    change = f"{step.get('before', 0):g} to {step.get('after', 0):g}"
    return f"{clean(step.get('key'))} in {clean(step.get('path'))} was changed from {change}"


def _sessions(step: Step) -> str:
    sessions = count(len(step.get("sessions") or ()), "session")
    return f"{sessions} of {clean(step.get('service'))}'s {clean(step.get('check'))} were ended"


def _prune(step: Step) -> str:
    containers, images = (len(step.get(name) or ()) for name in ("containers", "images"))
    return f"{count(containers, 'container')} and {count(images, 'image')} that nothing uses were removed"


def _ended(step: Step) -> str:
    return f"the process {clean(step.get('pid'))} was ended ({clean(step.get('why'))})"


_DEEDS: Mapping[str, Callable[[Step], str]] = {
    "StartService": _service("started"),
    "StopService": _stop,
    "RestartService": _service("restarted"),
    "ReloadService": _service("told to read its configuration anew"),
    "SwitchCommand": _switch,
    "RecreateContainer": _service("given a new container"),
    "EndProcess": _ended,
    "RemoveFiles": _remove_files,
    "WriteFile": _path("written"),
    "RemoveFile": _path("removed"),
    "SwitchLink": lambda step: f"{clean(step.get('path'))} was pointed to {clean(step.get('target'))}",
    "RestoreBackup": _restore,
    "SetNumber": _number,
    "RotateLog": _path("rotated"),
    "OptimizeSqlite": _path("tidied"),
    "TerminateSessions": _sessions,
    "PruneContainers": _prune,
    "RunCommand": lambda step: f"{clean((step.get('argv') or ('a command',))[0])} was run",
    "CallStrategy": lambda step: f"the strategy {clean(step.get('name'))} was called",
    "SetProbeInterval": _interval,
}
