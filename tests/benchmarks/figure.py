"""A measured figure, what it should be, and the table that shows all of them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a benchmark measures. `warm_up_s` is for the memory of the zero-config daemon; `quick` takes shorter spans
    and fewer repetitions everywhere."""

    quick: bool = False
    warm_up_s: float = 600.0

    def pick(self, full: float, quick: float) -> float:
        """One of the two, in the same unit."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value` in `unit`; smaller is better. `target` is what is promised on a quiet machine, `bound` what a regression
    run on a shared one still accepts. `yardstick` tells what others take for the same work."""

    what: str
    value: float
    unit: str
    target: float | None = None
    bound: float | None = None
    yardstick: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.value <= self.target

    @property
    def broken(self) -> bool:
        """Whether the bound is passed."""
        return self.bound is not None and self.value > self.bound

    @property
    def verdict(self) -> str:
        words = {None: "-", True: "met", False: "OVER"}[self.met]
        return f"{words}, BOUND BROKEN" if self.broken else words

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met, "broken": self.broken}


HEADINGS = ("what", "measured", "target", "bound", "verdict", "yardstick and notes")


def table(figures: Iterable[Figure]) -> str:
    """The figures as text, one line each."""
    rows = [HEADINGS, *(_row(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    lines.insert(1, "  ".join("-" * width for width in (*widths, len(HEADINGS[-1]))))
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{number(figure.value)} {figure.unit}",
        "" if figure.target is None else f"<= {number(figure.target)} {figure.unit}",
        "" if figure.bound is None else f"<= {number(figure.bound)} {figure.unit}",
        figure.verdict,
        "; ".join(part for part in (figure.yardstick, figure.note) if part),
    )


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
