"""Measures what autonomyd costs and how quick it is, on this machine, and prints a table.

    python tests/benchmarks/run.py [--bounds] [--quick] [--json] [--warm-up SECONDS] [NAME ...]

`--bounds` measures the quick way and exits with 1 when a figure is beyond its bound."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import all_probes  # noqa: E402 - the two folders above come first
import decision  # noqa: E402
import forecast  # noqa: E402
import host_collection  # noqa: E402
import http_checks  # noqa: E402
import insight_tick  # noqa: E402
import journal_kill  # noqa: E402
import log_rules  # noqa: E402
import loghub  # noqa: E402
import nab  # noqa: E402
import planning  # noqa: E402
import proc  # noqa: E402
import ready  # noqa: E402
import restart  # noqa: E402
import ring_write  # noqa: E402
import risk  # noqa: E402
import rollups  # noqa: E402
import root_cause  # noqa: E402
import services  # noqa: E402
import status_command  # noqa: E402
import store_put  # noqa: E402
import zero_config  # noqa: E402
from figure import Figure, Options, table  # noqa: E402

BENCHMARKS: dict[str, Callable[[Options], list[Figure]]] = {
    "ring_write": ring_write.measure,
    "root_cause": root_cause.measure,
    "log_rules": log_rules.measure,
    "loghub": loghub.measure,
    "forecast": forecast.measure,
    "host_collection": host_collection.measure,
    "store_put": store_put.measure,
    "rollups": rollups.measure,
    "insight": insight_tick.measure,
    "nab": nab.measure,
    "planning": planning.measure,
    "decision": decision.measure,
    "risk": risk.measure,
    "journal_kill": journal_kill.measure,
    "ready": ready.measure,
    "status_command": status_command.measure,
    "restart": restart.measure,
    "services": services.measure,
    "http_checks": http_checks.measure,
    "all_probes": all_probes.measure,
    "zero_config": zero_config.measure,
}
QUICK_WARM_UP_S = 60.0
FULL_WARM_UP_S = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure what autonomyd costs and how quick it is.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of: {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--bounds", action="store_true", help="the quick way; exit with 1 when a bound is broken")
    parser.add_argument("--quick", action="store_true", help="shorter spans, fewer repetitions")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of the table")
    parser.add_argument("--warm-up", type=float, metavar="S", help="age at which memory is measured (600; quick: 60)")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    if sys.platform != "linux":
        parser.error("the figures come from Linux's /proc")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what was started is ended
    quick = chosen.quick or chosen.bounds
    warm_up_s = chosen.warm_up or (QUICK_WARM_UP_S if quick else FULL_WARM_UP_S)
    figures = measured(chosen.names or list(BENCHMARKS), Options(quick=quick, warm_up_s=warm_up_s))
    print(json.dumps([each.plain() for each in figures], indent=2) if chosen.json else table(figures))
    broken = [each.what for each in figures if each.broken]
    if chosen.bounds and broken:
        print(f"beyond its bound: {', '.join(broken)}", file=sys.stderr)
        return 1
    return 0


def measured(names: Sequence[str], options: Options) -> list[Figure]:
    """Run the benchmarks one after the other; progress goes to stderr."""
    figures: list[Figure] = []
    for name in names:
        began = time.perf_counter()
        print(f"measuring {name} ...", end="", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name](options)
        load = proc.load_note()
        took = f" {time.perf_counter() - began:.0f} s{f' ({load})' if load else ''}"
        print(took, file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
