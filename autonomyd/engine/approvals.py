"""The queue of plans that wait for a person: asked, answered, expired, or overtaken by events. Without an answer
nothing is done. An approval is no free pass: everything is judged again, and the plan must still be the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from autonomyd.aio.clock import Clock
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Plan, Refusal, RefusalReason
from autonomyd.model.trust import Approval, ApprovalState, Consent, ConsentFacts

ASK_AGAIN_S = 86400.0
"""Nobody answered: the same is asked again after this time, while the problem is still there."""
OPEN = (ApprovalState.WAITING, ApprovalState.APPROVED)

Judge = Callable[[int], Awaitable[Plan | Refusal | None]]
"""Decides anew about the issue of that number, and begins the fix when every gate is open."""
Save = Callable[[Approval], Awaitable[None]]


class UnknownApproval(LookupError):  # noqa: N818 - an answer, no error of the program
    """There is no approval, or consent, of that name."""


class TooLate(Exception):  # noqa: N818 - an answer, no error of the program
    """The approval was decided already, or is over; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a person's answer. `begun`: the fix has begun; else `message` says why not."""

    approval: Approval
    begun: bool
    message: str


class ApprovalDesk:
    """`note` stores an approval when it can. `denied` hears every no of a person with the plan, the approval's number
    and the actor; `tell` puts (kind, service, words, actor) into the diary."""

    def __init__(
        self,
        *,
        clock: Clock,
        next_id: Callable[[], int],
        expiry_s: Callable[[], float] = lambda: 3600.0,
        note: Callable[[Approval], None] = lambda approval: None,
        denied: Callable[[Plan, int, str], None] = lambda plan, approval, actor: None,
        tell: Callable[[str, str, str, str], None] = lambda kind, service, words, actor: None,
    ) -> None:
        self._clock = clock
        self._next_id = next_id
        self._expiry_s = expiry_s
        self._note = note
        self._denied_by = denied
        self._tell = tell
        self._open: dict[int, Approval] = {}
        self._silent: dict[tuple[int, str], float] = {}
        self._denied: dict[int, set[str]] = {}
        self._consents: dict[tuple[str, str, str], Consent] = {}

    @property
    def waiting(self) -> tuple[Approval, ...]:
        """Those that wait for an answer, oldest first."""
        return tuple(each for each in self._open.values() if each.state is ApprovalState.WAITING)

    @property
    def open(self) -> tuple[Approval, ...]:
        """Those, and the approved ones whose fix has not begun."""
        return tuple(self._open.values())

    @property
    def consents(self) -> tuple[Consent, ...]:
        return tuple(self._consents.values())

    def restore(self, recent: list[Approval], consents: list[Consent]) -> None:
        """Take back what earlier runs asked and heard; `recent` newest first."""
        for approval in reversed(recent):
            if approval.state in OPEN:
                self._open[approval.id] = approval
            elif approval.state is ApprovalState.DENIED:
                self._denied.setdefault(approval.issue_id, set()).add(approval.plan.strategy)
            elif approval.state is ApprovalState.EXPIRED:
                self._silent[(approval.issue_id, approval.plan.strategy)] = approval.expires_at
        self._consents = {_place(each): each for each in consents}

    # --- for the healing loop ----------------------------------------------------------------------------------------

    def facts(self, issue: Issue, service: str) -> ConsentFacts:
        """What a person has said about the remedies of `issue`."""
        self.expire()
        here = (each for each in self._open.values() if each.issue_id == issue.id)
        given = next((each for each in here if each.state is ApprovalState.APPROVED), None)
        standing = {(each.strategy, each.cause): each.actor for each in self.consents if each.service == service}
        return ConsentFacts(
            approved=given.plan if given else None,
            approval=given.id if given else None,
            actor=given.actor if given else "",
            standing=standing,
            denied=frozenset(self._denied.get(issue.id, ())),
        )

    def asked(self, issue: Issue, decision: Plan | Refusal) -> Plan | Refusal:
        """Put what needs a person into the queue; the refusal then says under which number. A plan uses its approval
        up: the next try is asked about anew."""
        if isinstance(decision, Plan):
            used = self._open.get(decision.approval or 0)
            if used is not None:
                self._close(used, ApprovalState.USED, note="the fix has begun")
            return decision
        self.expire()
        plan = decision.wanted
        if plan is None or decision.reason is RefusalReason.SHADOW:
            return decision
        found = next((each for each in self._open.values() if each.issue_id == issue.id), None)
        if found is not None and _same(found.plan, plan):
            return _told(decision, found)
        if found is not None:
            words = f"it is no longer what would be done: {'; '.join(plan.preview) or plan.strategy}"
            self._close(found, ApprovalState.OUTDATED, note=words)
        now = self._clock.wall()
        silent_since = self._silent.get((issue.id, plan.strategy))
        if silent_since is not None and now < silent_since + ASK_AGAIN_S:
            words = f"{decision.message}; nobody answered in time, so nothing is done; it is asked again later"
            return replace(decision, message=words, retry_at=silent_since + ASK_AGAIN_S, park=True)
        return _told(decision, self._ask(issue, decision, plan, now))

    def over(self, issue: Issue) -> None:
        """The issue was resolved: nothing is asked about it any longer."""
        for each in [each for each in self._open.values() if each.issue_id == issue.id]:
            self._close(each, ApprovalState.OUTDATED, note="the problem is over")
        self._denied.pop(issue.id, None)
        for key in [key for key in self._silent if key[0] == issue.id]:
            del self._silent[key]

    def expire(self) -> None:
        """Drop what nobody answered in time."""
        now = self._clock.wall()
        for each in [each for each in self._open.values() if each.expires_at <= now]:
            self._silent[(each.issue_id, each.plan.strategy)] = each.expires_at
            answered = each.state is ApprovalState.APPROVED
            why = "it was approved, and no gate opened in time" if answered else "nobody answered"
            self._close(each, ApprovalState.EXPIRED, note=f"{why}; {each.default}")

    # --- for a person ------------------------------------------------------------------------------------------------

    async def approve(self, approval_id: int, *, actor: str, save: Save, judge: Judge) -> Answered:
        """Allow the plan once. It begins now when every other gate is open, or as soon as they are, until it expires.

        Raises UnknownApproval or TooLate."""
        approval = self._waiting(approval_id)
        approval = replace(approval, state=ApprovalState.APPROVED, decided_at=self._clock.wall(), actor=actor)
        self._open[approval.id] = approval
        await save(approval)
        self._tell("approval_given", approval.plan.service or "", _words(approval), actor)
        decision = await judge(approval.issue_id)
        return _answered(approval, self._open.get(approval.id), decision)

    async def deny(self, approval_id: int, *, actor: str, save: Save, judge: Judge) -> Answered:
        """Say no: this remedy is not taken for this problem, and the no is learned from.

        Raises UnknownApproval or TooLate."""
        approval = self._waiting(approval_id)
        approval = replace(approval, state=ApprovalState.DENIED, decided_at=self._clock.wall(), actor=actor)
        self._open.pop(approval.id, None)
        self._denied.setdefault(approval.issue_id, set()).add(approval.plan.strategy)
        await save(approval)
        self._denied_by(approval.plan, approval.id, actor)
        self._tell("approval_denied", approval.plan.service or "", _words(approval), actor)
        decision = await judge(approval.issue_id)
        other = f"; instead: {'; '.join(decision.preview)}" if isinstance(decision, Plan) else ""
        return Answered(approval=approval, begun=isinstance(decision, Plan), message=f"it is not done{other}")

    def consent_of(self, approval_id: int, *, actor: str) -> Consent:
        """The standing consent that `always` would give. Raises UnknownApproval or TooLate."""
        plan = self._waiting(approval_id).plan
        return Consent(
            service=plan.service or "",
            cause=plan.cause,
            strategy=plan.strategy,
            at=self._clock.wall(),
            actor=actor,
        )

    def allow(self, consent: Consent) -> None:
        """From now on this remedy need not be asked about for this cause on this service."""
        self._consents[_place(consent)] = consent
        self._tell("consent_given", consent.service, f"{consent.strategy} against {consent.cause}", consent.actor)

    def revoke(self, service: str, strategy: str, *, actor: str) -> tuple[Consent, ...]:
        """End the standing consents of `strategy` on `service`; returns them. Raises UnknownApproval."""
        found = tuple(each for each in self.consents if (each.service, each.strategy) == (service, strategy))
        if not found:
            raise UnknownApproval(f"there is no standing consent for {strategy} on {service or 'the machine'}")
        for each in found:
            del self._consents[_place(each)]
            self._tell("consent_revoked", service, f"{strategy} against {each.cause}", actor)
        return found

    # --- private -----------------------------------------------------------------------------------------------------

    def _ask(self, issue: Issue, decision: Refusal, plan: Plan, now: float) -> Approval:
        approval = Approval(
            id=self._next_id(),
            issue_id=issue.id,
            plan=plan,
            reason=decision.reason,
            message=decision.message,
            asked_at=now,
            expires_at=now + self._expiry_s(),
        )
        self._open[approval.id] = approval
        self._note(approval)
        self._tell("approval_asked", plan.service or "", _words(approval), "autonomyd")
        return approval

    def _waiting(self, approval_id: int) -> Approval:
        self.expire()
        found = self._open.get(approval_id)
        if found is None:
            raise UnknownApproval(f"no approval #{approval_id} waits")
        if found.state is not ApprovalState.WAITING:
            raise TooLate(f"#{approval_id} was {found.state} by {found.actor} already")
        return found

    def _close(self, approval: Approval, state: ApprovalState, *, note: str) -> None:
        self._open.pop(approval.id, None)
        decided = approval.decided_at or self._clock.wall()
        self._note(replace(approval, state=state, note=note, decided_at=decided))
        if state is not ApprovalState.USED:
            self._tell(f"approval_{state}", approval.plan.service or "", f"#{approval.id}: {note}", "autonomyd")


def _place(consent: Consent) -> tuple[str, str, str]:
    return (consent.service, consent.cause.value, consent.strategy)


def _same(one: Plan, other: Plan) -> bool:
    return (one.strategy, one.cause, one.steps) == (other.strategy, other.cause, other.steps)


def _words(approval: Approval) -> str:
    what = "; ".join(approval.plan.preview) or approval.plan.strategy
    return f"#{approval.id} for issue #{approval.issue_id}: {what}"


def _told(decision: Refusal, approval: Approval) -> Refusal:
    if approval.state is ApprovalState.APPROVED:
        return replace(decision, approval=approval.id)
    ask = f"`autonomyctl approve {approval.id}` lets it; without an answer {approval.default}"
    return replace(decision, message=f"{decision.message}; {ask}", approval=approval.id)


def _answered(given: Approval, left: Approval | None, decision: Plan | Refusal | None) -> Answered:
    if isinstance(decision, Plan) and decision.approval == given.id:
        words = "; ".join(decision.preview) or decision.strategy
        return Answered(approval=given, begun=True, message=f"every gate is open, it is done now: {words}")
    if isinstance(decision, Plan):
        words = "; ".join(decision.preview) or decision.strategy
        message = f"it is no longer what is done about this problem; instead: {words}"
        return Answered(approval=given, begun=True, message=message)
    if decision is None:
        return Answered(approval=given, begun=False, message="the problem is over, or in hand already")
    if left is None:
        other = f"; it is asked anew as #{decision.approval}" if decision.approval else ""
        message = f"what would be done has changed since it was asked{other}: {decision.message}"
        return Answered(approval=given, begun=False, message=message)
    return Answered(approval=given, begun=False, message=f"approved; it waits for another gate: {decision.message}")
