"""The writes that the database has not got yet: bounded in memory, in order."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from autonomyd.knowledge.write import Op

CAPACITY = 10_000
DURABLE_SCAN = 256  # how far from the oldest a non-durable write is looked for


class Backlog:
    """Takes the newest at the end; `capacity` bounds it only where the caller says so."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._ops: deque[Op] = deque()
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self._ops)

    def __iter__(self) -> Iterator[Op]:
        return iter(self._ops)

    def add(self, ops: Iterable[Op], *, bounded: bool) -> list[Op]:
        """Add `ops`. When `bounded`, the oldest non-durable ones above the capacity go, then the oldest of all;
        returns those that went."""
        self._ops.extend(ops)
        gone: list[Op] = []
        while bounded and len(self._ops) > self._capacity:
            gone.append(self._drop_one())
        return gone

    def first(self, count: int) -> list[Op]:
        """The oldest `count`, which stay."""
        return list(islice(self._ops, count))

    def done(self, seq: int) -> None:
        """Forget those up to number `seq`: the database has them."""
        while self._ops and self._ops[0].seq <= seq:
            self._ops.popleft()

    def _drop_one(self) -> Op:
        for index, op in enumerate(islice(self._ops, DURABLE_SCAN)):
            if not op.durable:
                del self._ops[index]
                return op
        return self._ops.popleft()
