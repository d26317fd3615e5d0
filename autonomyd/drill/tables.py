"""The daemon's configuration for a stage: TOML, made of the services that stand on it."""

import json
from collections.abc import Iterable, Mapping

from autonomyd.drill.services import LOOPBACK, Program, SmallService

HEARTBEAT_AGE_S = 2.0
RSS_MB = 64
FDS = 64
ZOMBIES = 5
CPU_PERCENT = 40
ERROR = "OperationalError"
"""The pattern of the log check."""
LINES = 2
"""A single bad line is no fault yet."""
FAILURES = 2


def service_table(service: SmallService) -> str:
    """`[services.NAME]` of one service."""
    spec, folder = service.spec, service.folder
    control = [
        'type = "process"',
        f"command = {quoted(list(service.command))}",
        f"cwd = {quoted(str(folder))}",
        "stop_timeout_s = 2.0",
        *([f"pidfile = {quoted(str(folder / 'pid'))}"] if spec.pidfile else []),
    ]
    made = {"control": f"{{ {', '.join(control)} }}", "checks": f"[{', '.join(_checks(service))}]"}
    if spec.program is Program.WEB:
        made |= _web(service)
    lines = (f"{key} = {value}" for key, value in (made | dict(spec.settings)).items())
    return "\n".join((f"[services.{service.name}]", *lines)) + "\n"


def _checks(service: SmallService) -> Iterable[str]:
    where = f"{LOOPBACK}:{service.port}"
    if service.spec.program is Program.REDIS:
        yield _check(service, "redis", url=f"redis://{where}")
        return
    yield _check(service, "http", name="health", url=f"http://{where}/health")
    if service.spec.program is Program.WEB:
        yield _check(service, "http", name="deep", url=f"http://{where}/deep")
        yield _check(service, "heartbeat", file=str(service.folder / "heartbeat"), max_age_s=HEARTBEAT_AGE_S)
        yield _check(service, "log", file=str(service.log), patterns=[ERROR], count=LINES, within_s=3.0)
        if service.spec.own_disk:
            yield _check(service, "mount", path=str(service.log.parent), used_percent=90)


def _check(service: SmallService, kind: str, **options: object) -> str:
    every = {"every_s": service.spec.every_s, "timeout_s": service.spec.timeout_s, "failures": FAILURES}
    keys = {"type": kind, **options, **every}
    return f"{{ {', '.join(f'{key} = {quoted(value)}' for key, value in keys.items())} }}"


def _web(service: SmallService) -> Mapping[str, str]:
    limits = f"rss_mb = {RSS_MB}, fds = {FDS}, zombies = {ZOMBIES}, cpu_percent = {CPU_PERCENT}, for_s = 1.0"
    return {
        "depends_on": quoted([service.spec.needs] if service.spec.needs else []),
        "logs": quoted([str(service.log)]),
        "config_files": quoted([str(service.config)]),
        "release": f"{{ link = {quoted(str(service.release))} }}",
        "limits": f"{{ {limits} }}",
        "rotate": '{ method = "copytruncate", keep = 1 }',
    }


def quoted(value: object) -> str:
    """A text, a number, or a list of texts as TOML (what JSON writes of these is TOML)."""
    return json.dumps(value, ensure_ascii=False)
