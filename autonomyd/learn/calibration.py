"""Said 90 %, was right x %: how far confidence can be taken at its word. Bins of ten points, and the Brier score
(G. W. Brier, Monthly Weather Review 78, 1950): the mean of (said - happened)^2."""

from autonomyd.model.trust import Calibration, CalibrationBin

WIDTH = 10.0
BINS = 10


class CalibrationSums:
    """Running sums; `said` is 0..100."""

    def __init__(self) -> None:
        self._count = [0] * BINS
        self._right = [0] * BINS
        self._said = [0.0] * BINS
        self._squares = 0.0

    def add(self, said: float, *, right: bool) -> None:
        """One forecast, and whether it came true."""
        self._change(said, right=right, by=1)

    def take_back(self, said: float) -> None:
        """One that had counted as right does not count any more."""
        self._change(said, right=True, by=-1)

    def report(self) -> Calibration:
        """The bins that have something in them, lowest first."""
        total = sum(self._count)
        bins = tuple(
            CalibrationBin(
                low=index * WIDTH,
                high=(index + 1) * WIDTH,
                count=count,
                right=self._right[index],
                said=self._said[index] / count,
            )
            for index, count in enumerate(self._count)
            if count > 0
        )
        return Calibration(count=total, brier=max(0.0, self._squares) / total if total else None, bins=bins)

    def _change(self, said: float, *, right: bool, by: int) -> None:
        index = min(BINS - 1, max(0, int(said // WIDTH)))
        if by < 0 and not self._right[index]:
            return
        self._count[index] += by
        self._right[index] += by * right
        self._said[index] += by * said
        self._squares += by * (said / 100.0 - right) ** 2
