"""The rules that can be tried on recorded history, by the words that a person writes: a threshold by its name with
other levels (`cpu_percent enter=80 for=60`), or a detector (`anomaly`, `forecast bound=95`). Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from autonomyd.analyze.backtest import Judge, Rule
from autonomyd.analyze.detectors.leak import LeakDetector
from autonomyd.analyze.detectors.threshold import ThresholdDetector, ThresholdRule
from autonomyd.analyze.verdict import Verdict
from autonomyd.model.words import counted, duration

QUIET_S = 900.0
"""Surprises nearer than this are one alarm."""
RATE_WITHIN_S = 300.0
FORECAST_WITHIN_S = 7 * 86400.0
ASKED_EVERY_S = 600.0
"""How often a forecast is asked for: it changes slowly, and asking costs more than telling it a value."""
CLEAR_SHARE = 0.1
"""A level without a clear level clears this share of it from it."""
THRESHOLD = ("enter", "clear", "for", "clear_for", "samples", "of")
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPANS = ("for", "clear_for", "quiet", "within")


class BadRule(ValueError):  # noqa: N818 - it is what the person wrote
    """What is wrong with the words of a rule, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The words of a rule, taken apart: the first word, the series that it is for ("": all that it fits), and the
    options, spans in seconds."""

    name: str
    series: str
    options: Mapping[str, float]


def wish_of(words: str) -> Wish:
    """`cpu_percent enter=80 for=5m`, `anomaly host/cpu.percent`. Raises BadRule."""
    first, *rest = words.split() or [""]
    if not first or "=" in first:
        raise BadRule("a rule begins with its name: a threshold (cpu_percent), a metric, or a detector (anomaly)")
    named = [word for word in rest if "=" not in word]
    if len(named) > 1:
        raise BadRule(f"one series at a time: {' or '.join(named)}")
    options: dict[str, float] = {}
    for word in rest:
        key, sign, value = word.partition("=")
        if sign:
            options[key] = _number(key, value)
    return Wish(name=first, series=named[0] if named else "", options=options)


def threshold_rule(wish: Wish, known: ThresholdRule | None) -> Rule:
    """The threshold `known` (None: there is none of that name) with the levels of `wish`. Raises BadRule."""
    _only(wish, THRESHOLD)
    options = dict(wish.options)
    if known is None and "enter" not in options:
        raise BadRule(f"{wish.name} has no threshold: give it a level, {wish.name} enter=100")
    rule = known or ThresholdRule(enter=options["enter"], clear=_clear(options["enter"], above=True), consecutive=3)
    if "enter" in options:
        enter = options["enter"]
        above = options["clear"] < enter if "clear" in options else rule.above
        moved = rule.clear + enter - rule.enter if known is not None else _clear(enter, above=above)
        rule = replace(rule, enter=enter, clear=moved, above=above)
    rule = replace(
        rule,
        clear=options.get("clear", rule.clear),
        for_s=options.get("for", rule.for_s),
        clear_for_s=options.get("clear_for", rule.clear_for_s),
        consecutive=max(1, int(options.get("samples", rule.consecutive))),
        within=max(0, int(options.get("of", rule.within))),
    )
    if rule.clear == rule.enter:
        raise BadRule(f"clear must differ from enter ({rule.enter:g}), else it would flap")
    if (rule.clear < rule.enter) is not rule.above:
        raise BadRule(f"clear ({rule.clear:g}) must be {'below' if rule.above else 'above'} enter ({rule.enter:g})")
    return Rule(name=wish.name, words=threshold_words(rule), begin=lambda: threshold_judge(rule))


def threshold_words(rule: ThresholdRule) -> str:
    """What a threshold asks for, in words."""
    side = "over" if rule.above else "under"
    held = f" for {duration(rule.for_s)}" if rule.for_s else ""
    row = (
        f"{rule.consecutive} of {rule.within} samples"
        if rule.within
        else f"{counted(rule.consecutive, 'sample')} in a row"
    )
    return f"{side} {rule.enter:g}{held}, {row}; clear at {rule.clear:g}"


def detector_rule(wish: Wish) -> Rule:
    """The detector that `wish` names. Raises BadRule."""
    made = DETECTORS.get(wish.name)
    if made is None:
        raise BadRule(f"there is no detector {wish.name!r}; there are: {', '.join(DETECTORS)}")
    return made(wish)


def _anomaly(wish: Wish) -> Rule:
    from autonomyd.analyze.anomaly.detector import SURPRISE, AnomalyDetector  # not needed by the other rules

    _only(wish, ("above", "quiet"))
    above, quiet_s = wish.options.get("above", SURPRISE), wish.options.get("quiet", QUIET_S)

    def begin() -> Judge:
        detector = AnomalyDetector()
        last = -math.inf

        def judge(at: float, value: float) -> bool:
            nonlocal last
            if detector.observe(at, value) >= above:
                last = at
            return at - last < quiet_s

        return judge

    words = f"a surprise of {above:.3g} or more, over after {duration(quiet_s)} without one"
    return Rule(name=wish.name, words=words, begin=begin, whole=False)


def _leak(wish: Wish) -> Rule:
    _only(wish, ("bound",))
    bound = wish.options.get("bound")
    if bound is None or bound <= 0:
        raise BadRule("a leak grows toward a bound: leak service:web/rss_mb bound=500")

    def begin() -> Judge:
        detector = LeakDetector(bound)

        def judge(at: float, value: float) -> bool:
            detector.observe(at, value)
            return detector.raised

        return judge

    return Rule(name=wish.name, words=f"steady growth that reaches {bound:g} soon", begin=begin, whole=False)


def _rate(wish: Wish) -> Rule:
    from autonomyd.analyze.detectors.rate_of_change import RateDetector  # not needed by the other rules

    _only(wish, ("change", "within"))
    change, within_s = wish.options.get("change"), wish.options.get("within", RATE_WITHIN_S)
    if not change or within_s <= 0:
        raise BadRule("a rate is a change within a time: rate host/memory.percent change=20 within=5m")

    def begin() -> Judge:
        detector = RateDetector(change, within_s=within_s)

        def judge(at: float, value: float) -> bool | None:
            return None if detector.observe(at, value) is Verdict.SILENT else detector.raised

        return judge

    words = f"{'up' if change > 0 else 'down'} by {abs(change):g} within {duration(within_s)}"
    return Rule(name=wish.name, words=words, begin=begin, whole=False)


def _forecast(wish: Wish) -> Rule:
    from autonomyd.analyze.forecast.series import SeriesForecast  # not needed by the other rules

    _only(wish, ("bound", "within"))
    bound, within_s = wish.options.get("bound"), wish.options.get("within", FORECAST_WITHIN_S)
    if bound is None:
        raise BadRule("a forecast is of reaching a bound: forecast disk:/var/disk.used_percent bound=95 within=3d")

    def begin() -> Judge:
        forecast = SeriesForecast()
        asked, raised = -math.inf, False

        def judge(at: float, value: float) -> bool:
            nonlocal asked, raised
            forecast.add(at, value)
            forecast.turn()
            if at - asked >= ASKED_EVERY_S:
                asked, outlook = at, forecast.outlook(bound)
                raised = outlook is not None and outlook.left_s <= within_s
            return raised

        return judge

    return Rule(name=wish.name, words=f"on the way to {bound:g} within {duration(within_s)}", begin=begin, whole=False)


DETECTORS: Mapping[str, Callable[[Wish], Rule]] = {
    "anomaly": _anomaly,
    "forecast": _forecast,
    "leak": _leak,
    "rate": _rate,
}


def threshold_judge(rule: ThresholdRule) -> Judge:
    """A judge that follows the threshold `rule`."""
    detector = ThresholdDetector(rule)

    def judge(at: float, value: float) -> bool | None:
        return None if detector.observe(at, value) is Verdict.SILENT else detector.raised

    return judge


def _clear(enter: float, *, above: bool) -> float:
    share = CLEAR_SHARE * abs(enter) or CLEAR_SHARE
    return enter - share if above else enter + share


def _only(wish: Wish, known: tuple[str, ...]) -> None:
    strange = sorted(set(wish.options) - set(known))
    if strange:
        raise BadRule(f"{wish.name} has no option {', '.join(strange)}; it has: {', '.join(known)}")


def _number(key: str, text: str) -> float:
    unit = _UNIT_S.get(text[-1:], 0.0) if key in _SPANS else 0.0
    try:
        value = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (key in _SPANS and value < 0):
        raise BadRule(f"{key} must be a number, got {text!r}")
    return value
