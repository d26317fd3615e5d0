"""What a problem means, and which series moved when it began: two parts of its story."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import OLD, indented, line, pairs, text, title
from autonomyd.cli.words import clean, count, duration


def suspect_lines(suspects: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """The suspects, the most suspect first."""
    if not suspects:
        return
    yield text("")
    yield title("What moved when it began", "most suspect first")
    for each in suspects:
        yield indented(line((f"{each['share']:>3.0f} %  ", OLD), clean(each["words"])))


def assessment_lines(found: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    """Severity, whom it reaches, how hard the repair is and how long it takes."""
    if not found:
        return
    affected = [clean(each) for each in found["affected"]]
    reach = f"{count(len(affected), 'service')}: {', '.join(affected)}" if affected else "nothing else depends on it"
    reasons = "; ".join(clean(each) for each in found["why"])
    repair = f"{clean(found['complexity'])} complexity, in {clean(found['fix_type'])}"
    yield text("")
    yield title("What it means")
    yield pairs(
        [
            ("severity", clean(found["severity"])),
            ("reaches", reach),
            ("repair", f"{repair} ({reasons})" if reasons else repair),
            ("takes", f"about {duration(found['fix_s'])} ({clean(found['fix_from'])})"),
        ]
    )
