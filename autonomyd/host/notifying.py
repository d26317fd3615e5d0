"""Sends a message to one target by its Apprise URL; knows the machine's name. URLs are secrets: no error shows one."""

import json
import re
import socket
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from autonomyd.host.command import run_command
from autonomyd.host.failure import CommandFailure, NotifyFailure

__all__ = ["Mood", "NotifyFailure", "check_target", "machine_name", "send_message", "target_kind"]

Mood = Literal["info", "success", "warning", "failure"]
"""Apprise's kinds of message: some channels show them as a colour or an icon."""

LAUNCH = ("-P",)
"""Python without the script's folder on its path: the names in it (http, signals) would be taken for the standard
library's."""
_CHILD = str(Path(__file__).with_name("apprise_child.py"))
_REFUSED = {
    2: "Apprise does not take its URL",
    3: "Apprise is not installed (`pip install 'autonomyd[alerts]'`)",
}
_SHORTEST_SECRET = 3
_REASON_CHARS = 300


async def send_message(url: str, *, title: str, body: str, mood: Mood, timeout_s: float) -> None:
    """Send, and return when the target's server has taken it. Raises NotifyFailure."""
    await _child({"url": url, "title": title, "body": body, "kind": mood}, timeout_s)


async def check_target(url: str, *, timeout_s: float) -> None:
    """Return when Apprise takes the URL; sends nothing. Raises NotifyFailure."""
    await _child({"url": url}, timeout_s)


def machine_name() -> str:
    """The host name of this machine, without its domain."""
    return socket.gethostname().partition(".")[0] or "this machine"


def target_kind(url: str) -> str:
    """What a target is, without its secrets: the scheme of its URL."""
    return url.partition("://")[0]


async def _child(job: dict[str, str], timeout_s: float) -> None:
    url = job["url"]
    try:
        done = await run_command(
            [sys.executable, *LAUNCH, _CHILD],
            timeout_s=timeout_s,
            env={"APPRISE_JOB": json.dumps(job), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except CommandFailure as failure:
        raise NotifyFailure(failure.message) from None
    if done.code == 0:
        return
    if done.timed_out:
        raise NotifyFailure(f"not sent within {timeout_s:g} s")
    said = without_secrets((done.error.strip().splitlines() or [""])[-1], url)[:_REASON_CHARS]
    refused = _REFUSED.get(done.code or 0)
    if refused is None:
        raise NotifyFailure(said or f"the sender ended with code {done.code} and no word")
    raise NotifyFailure(f"{refused}: {said}" if said else refused, permanent=True)


def without_secrets(text: str, url: str) -> str:
    """`text` without any piece of `url` but its scheme: in most of them host, path and query are tokens."""
    rest = url.partition("://")[2]
    pieces = {piece for piece in re.split(r"[/:@?&=#,]+", rest) if len(piece) >= _SHORTEST_SECRET}
    for piece in sorted(pieces | {unquote(piece) for piece in pieces}, key=len, reverse=True):
        text = text.replace(piece, "***")
    return text.replace(rest, "***") if rest else text
