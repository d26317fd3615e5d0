"""Makes the pictures of the documentation: runs a real daemon with small services and a real drill, and draws what
they print on a terminal.

    make pictures                        all, about a quarter of an hour
    python docs/images/make.py status    only one of them: status, forecast (with metrics), drill

Needs Linux or macOS, the ports 8000 to 8002 free on loopback, and no folder /tmp/shop (it is made and removed).
"""

import contextlib
import fcntl
import html
import json
import os
import pty
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from autonomyd.cli.exits import CRITICAL, DEGRADED, OK

HERE = Path(__file__).parent
SHOP = Path("/tmp/shop")  # noqa: S108 - its name is in the picture
COLUMNS = {"status": 110, "forecast": 120, "metrics": 110, "drill": 160}
LINES = 60
WITHIN_S = 60.0
LOOK_EVERY_S = 0.2
SETTLED_S = 20.0
FILES = 660
FILE_EVERY_S = 1.0
FILE_BYTES = 150_000
TEXT = re.compile(r'(<text class="[^"]+-r\d+" x=")([\d.]+)(" y="[\d.]+" textLength=")([\d.]+)("[^>]*>)([^<]*)</text>')
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"

CONFIGURATION = f"""
[services.cache]
control = {{ type = "process", command = ["{sys.executable}", "-m", "http.server", "8001", "--bind", "127.0.0.1"] }}
checks = [{{ type = "tcp", port = 8001, every_s = 1.0 }}]

[services.web]
control = {{ type = "process", command = ["{sys.executable}", "-m", "http.server", "8000", "--bind", "127.0.0.1"] }}
depends_on = ["cache"]
checks = [{{ type = "http", url = "http://127.0.0.1:8000/", every_s = 1.0 }}]

[services.mailer]
control = {{ type = "process", command = ["{sys.executable}", "-m", "http.server", "8002", "--bind", "127.0.0.1"] }}

[services.reports]
control = {{ type = "process", command = ["{sys.executable}", "-c", "raise SystemExit('no database')"] }}
restart = {{ max = 2, within_s = 300 }}

[healing]
cooldown = {{ first_s = 0.5 }}
"""

FILLING = f"""
[services.web]
control = {{ type = "process", command = ["{sys.executable}", "-m", "http.server", "8000", "--bind", "127.0.0.1"] }}
limits = {{ rss_mb = 256, fds = 200 }}
checks = [
  {{ type = "http", url = "http://127.0.0.1:8000/", every_s = 1.0 }},
  {{ type = "directory", path = "{SHOP}/uploads", max_mb = 160, every_s = 2.0 }},
]
"""


def main() -> None:
    wanted = sys.argv[1:] or ["status", "forecast", "drill"]
    if "status" in wanted:
        with shop(CONFIGURATION):
            until(lambda: state("web") == "up" and parked("reports"))
            control("service", "stop", "mailer")
            os.kill(status()["services"]["web"]["pid"], signal.SIGKILL)
            until(lambda: status()["services"]["web"]["restarts"] == 1 and state("web") == "up")
            until(lambda: not status()["healing"]["running"])
            until(lambda: status()["daemon"]["uptime_s"] > SETTLED_S)
            draw(
                "status",
                "autonomyctl status",
                on_terminal([*ours("ctl"), "status"], COLUMNS["status"], DEGRADED, CRITICAL),
            )
    if "forecast" in wanted:
        with shop(FILLING):
            fill(SHOP / "uploads")
            draw("forecast", "autonomyctl forecast", on_terminal([*ours("ctl"), "forecast"], COLUMNS["forecast"], OK))
            words = ["metrics", "service:web/directory_mb", "--since", "12m"]
            shown = on_terminal([*ours("ctl"), *words], COLUMNS["metrics"], OK)
            draw("metrics", f"autonomyctl {' '.join(words)}", shown)
    if "drill" in wanted:
        draw("drill", "autonomyd drill", on_terminal([*ours("daemon"), "drill"], COLUMNS["drill"], OK, progress=False))


def fill(folder: Path) -> None:
    """Write FILES files of any size at any pace, as people do who upload something."""
    chance = random.Random(1)
    for number in range(FILES):
        (folder / f"{number}.jpg").write_bytes(os.urandom(round(chance.expovariate(1 / FILE_BYTES))))
        time.sleep(chance.expovariate(1 / FILE_EVERY_S))


@contextlib.contextmanager
def shop(configuration: str) -> Iterator[None]:
    """A daemon with the services of `configuration`."""
    SHOP.mkdir()
    (SHOP / "uploads").mkdir()
    (SHOP / "autonomyd.toml").write_text(configuration, encoding="utf-8")
    os.environ["AUTONOMYD_SOCKET"] = str(SHOP / "control.sock")
    argv = [*ours("daemon"), "--config", f"{SHOP}/autonomyd.toml", "--state-dir", f"{SHOP}/state"]
    with (SHOP / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen([*argv, "--socket", os.environ["AUTONOMYD_SOCKET"]], stderr=log)
        try:
            until((SHOP / "control.sock").exists)
            yield
        finally:
            for name in reversed(tomllib.loads(configuration)["services"]):
                control("service", "stop", name)
            daemon.terminate()
            daemon.wait()
            shutil.rmtree(SHOP)


def ours(which: str) -> list[str]:
    """The command as this interpreter runs it."""
    return [sys.executable, "-m", f"autonomyd.cli.{which}"]


def control(*words: str) -> str:
    return subprocess.run([*ours("ctl"), *words], capture_output=True, text=True, check=False).stdout


def status() -> Any:
    return json.loads(control("status", "--json"))


def state(name: str) -> str:
    return str(status()["services"][name]["state"])


def parked(name: str) -> bool:
    return any(
        each["issue"]["subject"] == f"service:{name}" and each["issue"]["state"] == "parked"
        for each in status()["issues"]
    )


def until(wanted: Callable[[], bool]) -> None:
    for _ in range(round(WITHIN_S / LOOK_EVERY_S)):
        if wanted():
            return
        time.sleep(LOOK_EVERY_S)
    raise SystemExit("it did not come about; see the daemon's log")


def on_terminal(argv: list[str], columns: int, *codes: int, progress: bool = True) -> str:
    """What the program prints on a terminal that understands colours; it has to end with one of `codes`. Without
    `progress` what goes to the standard error is left out."""
    ours_end, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    environ["TERM"] = "xterm-256color"
    errors = its_end if progress else subprocess.DEVNULL
    running = subprocess.Popen(argv, stdin=its_end, stdout=its_end, stderr=errors, env=environ)
    os.close(its_end)
    printed = b""
    with contextlib.suppress(OSError):  # the other end was closed: the program has ended
        while piece := os.read(ours_end, 65536):
            printed += piece
    os.close(ours_end)
    code = running.wait()
    shown = printed.decode("utf-8")
    if code not in codes:
        raise SystemExit(f"{shown}\n{argv[-1]} ended with {code}: this is no picture for the documentation")
    return shown


def draw(name: str, title: str, printed: str) -> None:
    """Write what was printed as docs/images/NAME.svg."""
    shown = Text.from_ansi(last_screen(printed))
    with tempfile.TemporaryFile("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=max(map(len, shown.plain.splitlines())) + 1, file=nowhere)
        console.print(shown, no_wrap=True, crop=False)
        svg = console.export_svg(title=title, unique_id=name)
    svg = re.sub(r"@font-face {.*?}\s*", "", svg, flags=re.DOTALL)  # nothing is loaded from elsewhere
    svg = svg.replace("Fira Code, monospace", FONTS).replace("font-family: Fira Code", f"font-family: {FONTS}")
    svg = TEXT.sub(without_blanks, svg)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


def without_blanks(found: re.Match[str]) -> str:
    """A text element as one element for each run of words, at its own place: some programs that draw SVG drop or
    collapse blanks, and the columns would move."""
    before, x, between, length, after, content = found.groups()
    words = html.unescape(content)
    width = float(length) / max(1, len(words))
    made = []
    for run in re.finditer(r"[^\xa0](?:\xa0?[^\xa0])*", words):
        place = round(float(x) + width * run.start(), 1)
        shown = html.escape(run.group(), quote=False).replace("\xa0", "&#160;")
        made.append(f"{before}{place}{between}{round(width * len(run.group()), 1)}{after}{shown}</text>")
    return "".join(made)


def last_screen(printed: str) -> str:
    """The lines as they stand at the end: of a line that was written over, only its last state."""
    lines = printed.replace("\r\n", "\n").rstrip("\n").split("\n")
    return "\n".join(re.split(r"\r|\x1b\[2K", line)[-1] for line in lines)


if __name__ == "__main__":
    main()
