"""What a log ordinarily says: its templates (lines without what varies in them) and their counts, as they are shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatus:
    """One template: `text` has <*> for what varies, `example` is its newest line (secrets masked). `per_hour` is how
    many lines came in the last hour, None while that is not known; `mark` is new, surging, vanished or empty."""

    number: int
    text: str
    count: int
    example: str
    per_hour: float | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTemplates:
    """One log of a service: the templates with the most lines first. `learning`: too little was read to call anything
    unusual. `skipped_bytes` came too fast and were passed over, `gaps` times something was not found after a rotation,
    `forgotten` templates made room for others; `problem` says why it can't be read now."""

    log: str
    lines: int
    learning: bool
    templates: tuple[TemplateStatus, ...]
    skipped_bytes: int = 0
    gaps: int = 0
    forgotten: int = 0
    problem: str = ""
