"""The daemon's anomaly detector in the form that the scorer of the Numenta benchmark takes."""

from autonomyd.analyze.anomaly.detector import AnomalyDetector


class _Fed:
    """One series."""

    def __init__(self) -> None:
        self._detector = AnomalyDetector()

    def update(self, timestamp: float, value: float) -> float:
        """`timestamp` in epoch seconds; the score is 0..1."""
        return self._detector.observe(timestamp, value)


def make_detector(min_value: float | None, max_value: float | None, probationary_period: int) -> _Fed:
    """Nothing of what the scorer could tell is used: the daemon knows neither range nor length of a series."""
    return _Fed()
