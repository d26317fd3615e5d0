"""What a person should do about an issue that the daemon leaves to them, with the exact command. One table for the
alerts and for the screens of `autonomyctl`."""

from collections.abc import Mapping

# Refusal reason: what the person should do. None: nothing, it goes on by itself. {service}, {id} are filled in;
# a new line begins where a command must not be broken by the terminal's width.
ADVICE: Mapping[str, str | None] = {
    "paused": "`autonomyctl resume` lets autonomyd act again",
    "maintenance": None,
    "intent": None,
    "observe_only": "{mend}\nor let autonomyd do it: {allow}",
    "shadow": "{mend}\nautonomyd only notes what it would have done (autonomy is shadow)",
    "needs_approval": "{decide}",
    "undetermined": "look into it: `autonomyctl explain {id}` has what was seen",
    "unknown_data": None,
    "too_few_signals": None,
    "low_confidence": "{decide}\nautonomyd is not sure enough",
    "irreversible": "{decide}\nit could not be undone",
    "no_backup": "{mend}; what it would change could not be saved before",
    "cooldown": None,
    "can_wait": None,
    "restart_limit": "find out why it keeps failing: {log}\nthen {start}",
    "flapping": "find out why it comes and goes: {log}\nthen {start}",
    "healing_loop": "find out why the fix does not last: {log}\nthen {start}",
    "blast_radius": "see what is happening: `autonomyctl fixes`\nthen `autonomyctl resume` lets autonomyd act again",
    "parent_failed": None,
    "no_strategy": "{mend}; autonomyd knows no remedy",
    "nothing_to_do": "{mend}; autonomyd found nothing that it may do",
}


def advised(reason: str | None, *, issue_id: int, service: str | None, approval: int | None = None) -> str | None:
    """What the person should do about issue `issue_id`, of which the planner said `reason`; lines end where a command
    does. `approval` is the number under which a fix waits for their word. None: nothing, it goes on by itself. A reason
    that is not known here is one to look into."""
    told = None if reason is None else ADVICE.get(reason, ADVICE["undetermined"])
    if told is None:
        return None
    mend = f"mend it yourself, perhaps by `autonomyctl service restart {service}`" if service else "mend it yourself"
    approve = f"allow it: `autonomyctl approve {approval}`, or not: `autonomyctl deny {approval}`\nor {mend}"
    return told.format(
        id=issue_id,
        mend=mend,
        decide=f"decide and {mend}" if approval is None else approve,
        allow=f'set autonomy = "act" for {service}' if service else "allow it in the configuration",
        log=f"`autonomyctl logs {service}`" if service else f"`autonomyctl explain {issue_id}`",
        start=f"`autonomyctl service start {service}`" if service else "mend it",
    )
