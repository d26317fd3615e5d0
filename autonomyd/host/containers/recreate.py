"""Puts a new container of the same description in the place of one, and keeps the old one until it is known whether the
new one is better.

The names carry the transaction, so that a crash at any point can be taken back by looking at what is there: the new one
is made as NAME.draft-autonomyd (a description that the engine refuses costs nothing), then the old one is stopped and
becomes NAME.before-autonomyd, then the new one gets NAME. It carries the label MADE_FROM with the old one's id: nothing
else is ever removed. Volumes are used on, never removed.
"""

from collections.abc import Mapping
from typing import Any

from autonomyd.host.containers.api import EngineApi, EngineFailure, EngineRefusal, part
from autonomyd.host.containers.inspected import rows, table, text

DRAFT = ".draft-autonomyd"
ASIDE = ".before-autonomyd"
MADE_FROM = "io.autonomyd.made-from"
ACT_TIMEOUT_S = 60.0
RUNNING = frozenset({"running", "paused", "restarting", "stopping"})
COPIED = (
    "Hostname", "Domainname", "User", "Tty", "OpenStdin", "StdinOnce", "ExposedPorts", "Env", "Cmd", "Entrypoint",
    "Healthcheck", "ArgsEscaped", "Image", "Volumes", "WorkingDir", "NetworkDisabled", "StopSignal", "StopTimeout",
    "Shell",
)  # fmt: skip
"""The keys of Config that a creation takes."""
SHARED_NETWORKS = ("host", "none", "container:")
PODMAN_RUNTIME = "oci"
"""How Podman describes its runtime, whatever it is; it refuses the word at a creation."""


class Recreation:
    """For one container by name. All acts raise EngineFailure and EngineRefusal."""

    def __init__(self, api: EngineApi, name: str, *, stop_timeout_s: float) -> None:
        self._api = api
        self._name = name
        self._stop_timeout_s = stop_timeout_s

    async def make_anew(self) -> str:
        """Replace it; words for what was done."""
        old = await self._described(self._name)
        if not old:
            raise EngineRefusal(f"there is no container {self._name}", 404)
        if table(old.get("HostConfig")).get("AutoRemove") is True:
            raise EngineFailure(f"{self._name} was made to be removed when it stops (--rm): it could not be taken back")
        await self.keep()
        if await self._described(self._name + ASIDE):
            raise EngineFailure(f"there is a container {self._name + ASIDE} already: rename or remove it")
        await self._remove_draft()
        networks = endpoints(old)
        body = description(old, networks)
        await self._act("POST", "/containers/create", query={"name": self._name + DRAFT}, body=body)
        for network in list(networks)[1:]:  # engines before API 1.44 take one at a creation
            joined = {"Container": self._name + DRAFT, "EndpointConfig": networks[network]}
            await self._act("POST", f"/networks/{part(network)}/connect", body=joined)
        await self._stop(old)
        await self._rename(self._name, self._name + ASIDE)
        await self._rename(self._name + DRAFT, self._name)
        await self._start()
        return f"made the container {self._name} anew; the old one waits as {self._name + ASIDE}"

    async def take_back(self) -> str | None:
        """The old one again, running; None when there was nothing to take back. It looks at what is there, so that it
        finishes what a crash left at any point."""
        await self._remove_draft()
        old = await self._described(self._name + ASIDE)
        if old:
            new = await self._described(self._name)
            if new and not _is_made_from(new, old):
                raise EngineFailure(
                    f"{self._name} is another container by now; the one before is kept as {self._name + ASIDE}"
                )
            if new:
                await self._remove(self._name, force=True)
            await self._rename(self._name + ASIDE, self._name)
        now = await self._described(self._name)
        if now and _status(now) not in RUNNING:
            await self._start()
        elif not old:
            return None
        return f"the container {self._name} is the one from before again"

    async def keep(self) -> str | None:
        """The new one has proved itself: remove the old one. None when there is none of ours."""
        old = await self._described(self._name + ASIDE)
        if not old or not _is_made_from(await self._described(self._name), old):
            return None
        await self._remove(self._name + ASIDE, force=False)
        return f"removed the container {self._name + ASIDE}"

    async def _described(self, name: str) -> Mapping[str, Any]:
        """Empty when there is none."""
        try:
            return table(await self._api.ask("GET", f"/containers/{part(name)}/json"))
        except EngineRefusal as error:
            if error.status == 404:
                return {}
            raise

    async def _remove_draft(self) -> None:
        draft = await self._described(self._name + DRAFT)
        if draft and _made_from(draft):
            await self._remove(self._name + DRAFT, force=True)

    async def _stop(self, old: Mapping[str, Any]) -> None:
        if _status(old) == "paused":
            await self._act("POST", f"/containers/{part(self._name)}/unpause")
        if _status(old) in RUNNING:
            wait_s = max(1, round(self._stop_timeout_s))
            await self._act(
                "POST", f"/containers/{part(self._name)}/stop", query={"t": str(wait_s)}, more_s=self._stop_timeout_s
            )

    async def _start(self) -> None:
        await self._act("POST", f"/containers/{part(self._name)}/start")

    async def _rename(self, before: str, after: str) -> None:
        await self._act("POST", f"/containers/{part(before)}/rename", query={"name": after})

    async def _remove(self, name: str, *, force: bool) -> None:
        await self._act("DELETE", f"/containers/{part(name)}", query={"force": "true" if force else "false"})

    async def _act(self, method: str, path: str, *, more_s: float = 0.0, **what: Any) -> None:
        await self._api.ask(method, path, timeout_s=ACT_TIMEOUT_S + more_s, **what)


def description(old: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
    """What a creation of the same container is asked with, from the inspection of one."""
    config = table(old.get("Config"))
    host = dict(table(old.get("HostConfig")))
    body = {key: config[key] for key in COPIED if config.get(key) is not None}
    ident = text(old.get("Id"))
    if ident.startswith(text(body.get("Hostname")) or "-") or host.get("NetworkMode") == "host":
        body.pop("Hostname", None)  # given by the engine, not by a person
    body["Labels"] = {**table(config.get("Labels")), MADE_FROM: ident}
    if host.get("Runtime") == PODMAN_RUNTIME:
        _as_taken_by_podman(host)
    host.pop("ConsoleSize", None)
    host["Binds"] = [*_texts(host.get("Binds")), *_volumes(old, host)]
    body["HostConfig"] = host
    first = next(iter(networks), None)
    if first is not None:
        body["NetworkingConfig"] = {"EndpointsConfig": {first: networks[first]}}
    return body


def endpoints(old: Mapping[str, Any]) -> dict[str, Any]:
    """The networks that it is connected to, with what a person said about each."""
    mode = text(table(old.get("HostConfig")).get("NetworkMode"))
    if mode.startswith(SHARED_NETWORKS):
        return {}
    short = text(old.get("Id"))[:12]
    found = {}
    for name, endpoint in table(table(old.get("NetworkSettings")).get("Networks")).items():
        said = table(endpoint)
        found[name] = {
            "IPAMConfig": said.get("IPAMConfig"),
            "Links": said.get("Links"),
            "DriverOpts": said.get("DriverOpts"),
            "Aliases": [alias for alias in _texts(said.get("Aliases")) if alias != short],
        }
    return found


def _as_taken_by_podman(host: dict[str, Any]) -> None:
    """Podman describes some things otherwise than it takes them."""
    del host["Runtime"]
    if host.get("MemorySwappiness") == 0:
        del host["MemorySwappiness"]  # its word for "not set"
    host["Ulimits"] = [
        {**limit, "Name": text(limit.get("Name")).removeprefix("RLIMIT_").lower()}
        for limit in rows(host.get("Ulimits"))
    ]


def _volumes(old: Mapping[str, Any], host: Mapping[str, Any]) -> list[str]:
    """Volumes that the engine made and named itself: without them the new container would begin with empty ones."""
    named = {bind.split(":")[1] for bind in _texts(host.get("Binds")) if ":" in bind}
    named |= {text(mount.get("Target")) for mount in rows(host.get("Mounts"))}
    return [
        f"{mount['Name']}:{mount['Destination']}" + ("" if mount.get("RW", True) else ":ro")
        for mount in rows(old.get("Mounts"))
        if mount.get("Type") == "volume" and mount.get("Name") and mount.get("Destination") not in named
    ]


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _status(described: Mapping[str, Any]) -> str:
    return text(table(described.get("State")).get("Status"))


def _made_from(described: Mapping[str, Any]) -> str:
    return text(table(table(described.get("Config")).get("Labels")).get(MADE_FROM))


def _is_made_from(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    made_from = _made_from(new)
    return bool(made_from) and made_from == text(old.get("Id"))
