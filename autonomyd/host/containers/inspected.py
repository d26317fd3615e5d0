"""What the engine says about one container, as a value. Answers are believed only as far as their types are right."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autonomyd.host.containers.api import EngineFailure

NEVER_YEAR = 1
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """One container. `status` is the engine's word: created, running, paused, restarting, stopping, exited, dead, ...;
    `health` is healthy, unhealthy, starting or "" without a health check, `health_said` its newest output. Times are
    epoch seconds. `missing` has words when nothing is known of it, and `absent` says that there surely is none.

    `asked`: somebody else than this daemon had it stopped. `settling`: it has just died, and whether that was asked
    for is not known yet."""

    id: str = ""
    name: str = ""
    status: str = ""
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    health: str = ""
    health_said: str = ""
    restarts: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    image: str = ""
    memory_limit: int = 0
    tty: bool = False
    missing: str = ""
    absent: bool = False
    asked: bool = False
    settling: bool = False


def state_of(answer: Any) -> ContainerState:
    """The state in the answer to /containers/NAME/json. Raises EngineFailure when it is none."""
    whole = table(answer)
    state = table(whole.get("State"))
    config = table(whole.get("Config"))
    health = table(state.get("Health"))
    ident = text(whole.get("Id"))
    status = text(state.get("Status"))
    if not ident or not status:
        raise EngineFailure("the container engine's description of a container holds no id or no state")
    looks = health.get("Log")
    newest = table(looks[-1]) if isinstance(looks, list) and looks else NOTHING
    word = text(health.get("Status"))
    return ContainerState(
        id=ident,
        name=text(whole.get("Name")).removeprefix("/"),
        status=status,
        pid=number(state.get("Pid")),
        exit_code=number(state.get("ExitCode")),
        error=" ".join(text(state.get("Error")).split())[:300],
        oom_killed=state.get("OOMKilled") is True,
        health="" if word == "none" else word,
        health_said=" ".join(text(newest.get("Output")).split())[:300],
        restarts=number(whole.get("RestartCount")),
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")),
        image=text(whole.get("Image")),
        memory_limit=number(table(whole.get("HostConfig")).get("Memory")),
        tty=config.get("Tty") is True,
    )


def ended_words(state: ContainerState) -> str:
    """Why it does not run."""
    if state.status in ("created", "configured", "initialized"):
        return state.error or "the container has not been started yet"
    if state.oom_killed:
        return f"killed for want of memory (limit {state.memory_limit / 1e6:.0f} MB)"
    if state.error:
        return f"exited with code {state.exit_code}: {state.error}"
    return f"exited with code {state.exit_code}" + (" (killed)" if state.exit_code == 137 else "")


def table(value: Any) -> Mapping[str, Any]:
    """`value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else NOTHING


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a JSON list; empty for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: Any) -> float | None:
    """Epoch seconds of an RFC 3339 time; None for the engine's "never" (year 1) and for what is no time."""
    try:
        at = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return None if at.year <= NEVER_YEAR or at.tzinfo is None else at.timestamp()
