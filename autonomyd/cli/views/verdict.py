"""What the whole status comes to, in one sentence; and for each issue what is being done and what a person should do.

Pure, and free of rich: values of the wire in, words out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomyd.alert.advice import advised
from autonomyd.cli.words import ahead, clean, count

Status = Mapping[str, Any]

DOING: Mapping[str, str] = {
    "open": "being looked at",
    "diagnosed": "the cause is known, a plan is being made",
    "planned": "about to be fixed",
    "refused": "nothing is done",
    "fixing": "being fixed now",
    "verifying": "being watched whether it lasts",
    "parked": "given up for now",
    "muted": "muted",
    "resolved": "over",
}
_TOLD_WITH_STATE = ("planned", "fixing", "verifying", "parked")
_NOT_JUDGED = "not judged yet"
_NOTICE = "notice"
_WELL_LOOPS = ("running", "starting")
_BAD_HEALTH = ("critical", "failing")
_ICONS = {"fine": ("✔", "+"), "waiting": ("●", "!"), "bad": ("✘", "x")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`tone` is fine, waiting or bad; `more` adds the figures behind the sentence."""

    tone: str
    sentence: str
    more: str = ""

    def icon(self, unicode: bool) -> str:
        return _ICONS[self.tone][0 if unicode else 1]


def service_of(subject: object) -> str | None:
    """The service's name in a subject, or None."""
    kind, _, name = str(subject).partition(":")
    return clean(name) if kind == "service" and name else None


def advice(item: Status) -> str | None:
    """What the person should do about an IssueStatus, or None when it goes on without one."""
    issue, refusal = item["issue"], item.get("refusal")
    if issue["state"] in ("resolved", "muted", "fixing", "verifying"):
        return None
    reason = refusal["reason"] if refusal else None
    service = service_of(issue["subject"])
    if reason == "nothing_to_do" and service and issue["state"] != "parked":
        return None  # a service that has come back by itself needs nobody
    approval = refusal.get("approval") if refusal else None
    told = advised(reason, issue_id=issue["id"], service=service, approval=approval)
    if told is None and issue["state"] == "parked":
        return advised("restart_limit", issue_id=issue["id"], service=service)
    return told


def doing(item: Status, now: float) -> str:
    """What autonomyd does about an IssueStatus now, and when it tries again."""
    issue, refusal = item["issue"], item.get("refusal")
    state = DOING.get(issue["state"], clean(issue["state"]))
    if refusal and refusal["reason"] == "cooldown":
        words = "waits before it tries again"  # its message holds the wait as it was then
    else:
        words = clean(refusal["message"]) if refusal else clean(item.get("decision"))
    known_by_now = ("", _NOT_JUDGED, issue["state"])
    if issue["state"] in _TOLD_WITH_STATE or words in known_by_now:
        words = f"{state}: {words}" if words not in known_by_now else state
    at = issue.get("next_try_at") or (refusal.get("retry_at") if refusal else None)
    return f"{words}; next try {ahead(at, now)}" if at else words


def own_troubles(status: Status) -> list[str]:
    """What is wrong with autonomyd itself, in words."""
    daemon, store = status["daemon"], status["store"]
    found = []
    if daemon.get("config_error"):
        found.append(f"the configuration was refused, the old one stays in force: {clean(daemon['config_error'])}")
    if store["state"] != "ok":
        waiting = f" ({count(store['pending'], 'write')} waiting)" if store.get("pending") else ""
        found.append(f"the store is {clean(store['state'])}{waiting}: {clean(store.get('message')) or store['path']}")
    for name, loop in status["loops"].items():
        if loop["state"] not in _WELL_LOOPS:
            why = f": {clean(loop['last_error'])}" if loop.get("last_error") else ""
            found.append(f"the {clean(name)} loop is {loop['state']} ({count(loop['failures'], 'failure')}){why}")
    return found


def verdict(status: Status) -> Verdict:
    """The first line of `status`."""
    health = status["health"]["status"]
    seen = [item for item in status["issues"] if item["issue"]["state"] not in ("resolved", "muted")]
    open_items = [item for item in seen if item["issue"]["severity"] != _NOTICE]
    needs = sum(1 for item in open_items if advice(item)) + len(own_troubles(status))
    busy = sum(1 for item in open_items if not advice(item))
    tone = "bad" if health in _BAD_HEALTH else "waiting"
    if needs:
        more = f"{count(busy, 'more problem')} in hand" if busy else ""
        return Verdict(tone=tone, sentence=f"{count(needs, 'thing needs', 'things need')} you.", more=more)
    if busy:
        return Verdict(
            tone=tone, sentence=f"{count(busy, 'problem is', 'problems are')} in hand.", more="nothing to do for you"
        )
    return _without_issues(status, tone, noticed=len(seen))


def _without_issues(status: Status, tone: str, *, noticed: int) -> Verdict:
    health = status["health"]
    reasons = [each for each in health["subjects"] if each["status"] not in ("healthy", "unknown")]
    why = "; ".join(f"{clean(each['subject'])}: {clean(each['reason']) or each['status']}" for each in reasons[:2])
    if health["status"] == "healthy":
        more = f"{_figures(status)}; {count(noticed, 'thing')} noticed" if noticed else _figures(status)
        return Verdict(tone="fine", sentence="All is well.", more=more)
    blind = [each for each in status["services"].values() if each["state"] == "unknown"]
    if health["status"] == "unknown" and blind:
        seen = "1 service can not be seen" if len(blind) == 1 else f"{len(blind)} services can not be seen"
        words = "; ".join(f"{clean(each['name'])}: {clean(each['message']) or 'unknown'}" for each in blind[:2])
        return Verdict(tone="waiting", sentence=f"{seen}.", more=words)
    if health["status"] == "unknown":
        return Verdict(tone="waiting", sentence="Nothing is known yet.", more="the first checks have not come back")
    return Verdict(tone=tone, sentence=f"The machine is {clean(health['status'])}.", more=why)


def _figures(status: Status) -> str:
    services = list(status["services"].values())
    up = sum(1 for service in services if service["state"] == "up")
    off = sum(1 for service in services if service["state"] == "stopped")
    parts = [f"{up} of {count(len(services) - off, 'service')} up"] if len(services) > off else []
    starting = sum(1 for service in services if service["state"] == "starting")
    parts += [f"{starting} starting"] if starting else []
    parts += [f"{off} stopped on purpose"] if off else []
    parts += ["no services are configured"] if not services else []
    return ", ".join(parts)
