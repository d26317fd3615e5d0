"""A thousand HTTP checks every 10 s, against servers in processes of their own."""

import statistics
import subprocess
import time

import proc
import running
from figure import Figure, Options

SERVERS = 4
SERVICES = 100
CHECKS = 10
SETTLE_S = 12.0


def measure(options: Options) -> list[Figure]:
    shares = []
    with running.scratch() as scratch:
        ports = running.free_ports(SERVERS)
        pidfiles = []
        for port in ports:
            process = subprocess.Popen(running.service_command(port))
            pidfile = scratch.folder / f"{port}.pid"
            pidfile.write_text(str(process.pid))
            pidfiles.append(str(pidfile))
            running.wait_for(lambda port=port: running.answer_of(port), "a server")
        services = {
            f"s{number}": {
                "control": {"type": "command", "start": ["/bin/true"], "pidfile": pidfiles[number % SERVERS]},
                "checks": [
                    {"type": "http", "url": f"http://127.0.0.1:{ports[number % SERVERS]}/{check}", "every_s": 10.0}
                    for check in range(CHECKS)
                ],
            }
            for number in range(SERVICES)
        }
        with scratch.daemon(scratch.configure(services)) as daemon:
            running.wait_for(lambda: running.all_up(daemon, SERVICES), "all services up", every_s=0.5)
            time.sleep(SETTLE_S)
            for _ in range(3):
                began, cpu = time.perf_counter(), proc.cpu_s(daemon.pid)
                time.sleep(options.pick(60.0, 10.0))
                shares.append(100.0 * (proc.cpu_s(daemon.pid) - cpu) / (time.perf_counter() - began))
            memory = proc.memory_mb(daemon.pid)
    notes = [f"median of 3 spans, {min(shares):.1f} to {max(shares):.1f}; PSS {memory['Pss']:.0f} MB", proc.load_note()]
    return [
        Figure(
            what="1,000 HTTP checks every 10 s",
            value=statistics.median(shares),
            unit="% of a core",
            target=10.0,
            bound=30.0,
            note="; ".join(note for note in notes if note),
        )
    ]
