"""The disk that holds nothing but a service's log, and one file that is none, is full: the service can't log, and
answers 500."""

from dataclasses import replace

from autonomyd.drill import disk
from autonomyd.drill.fault import Fault
from autonomyd.drill.stage import Stage
from autonomyd.drill.verdict import REDIS, WEB

PRECIOUS = b"no log" * 1000


def inject(stage: Stage) -> None:
    (stage.web.log.parent / "precious.bin").write_bytes(PRECIOUS)
    stage.web.ask("/fill/100", timeout_s=5.0)


def lost(stage: Stage) -> list[str]:
    kept = (stage.web.log.parent / "precious.bin").read_bytes()
    return [] if kept == PRECIOUS else ["a file that is no log was touched"]


SCENARIO = Fault(
    name="log-disk-full",
    what="the disk of its log is full",
    bound_s=3.0,
    inject=inject,
    renewed=(),
    services=(REDIS, replace(WEB, own_disk=True)),
    after=lost,
    why_not=disk.why_not,
).scenario()
