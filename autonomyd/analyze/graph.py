"""The dependency graph of services: who needs whom, whom a failure reaches, whose failure explains another's. Cycles
are allowed (two services may talk to each other); every walk is bounded by the number of services."""

from collections.abc import Callable, Collection, Iterable

from autonomyd.model.graph import Edge, EdgeKind

STRENGTH = (EdgeKind.DECLARED, EdgeKind.UNIT, EdgeKind.STACK, EdgeKind.CONNECTION)
"""Of two edges between the same services the earlier kind is shown first."""


class ServiceGraph:
    """Immutable once made. Edges to or from a service that is not in `names`, and those to itself, are left out."""

    __slots__ = ("_children", "_parents", "edges", "names")

    def __init__(self, names: Iterable[str] = (), edges: Iterable[Edge] = ()) -> None:
        self.names = tuple(dict.fromkeys(names))
        known = set(self.names)
        kept = {
            (each.child, each.parent, each.kind): each
            for each in edges
            if each.child in known and each.parent in known and each.child != each.parent
        }
        order = {name: index for index, name in enumerate(self.names)}
        self.edges = tuple(
            sorted(kept.values(), key=lambda each: (order[each.child], order[each.parent], STRENGTH.index(each.kind)))
        )
        self._parents: dict[str, tuple[str, ...]] = {}
        self._children: dict[str, tuple[str, ...]] = {}
        for each in self.edges:
            if each.parent not in self._parents.get(each.child, ()):
                self._parents[each.child] = (*self._parents.get(each.child, ()), each.parent)
                self._children[each.parent] = (*self._children.get(each.parent, ()), each.child)

    def parents(self, name: str) -> tuple[str, ...]:
        """What `name` needs directly."""
        return self._parents.get(name, ())

    def children(self, name: str) -> tuple[str, ...]:
        """What needs `name` directly."""
        return self._children.get(name, ())

    def above(self, name: str) -> tuple[str, ...]:
        """Everything that `name` needs, at any depth, nearest first; never itself."""
        return _reached(name, self.parents)

    def below(self, name: str) -> tuple[str, ...]:
        """Everything that a failure of `name` can reach, nearest first; never itself."""
        return _reached(name, self.children)

    def root_of(self, name: str, failed: Collection[str]) -> str | None:
        """The failed service that explains why `name` fails: followed up through failed parents to one without a failed
        parent of its own. None when none of its parents failed. In a cycle of failed ones nobody is the root."""
        seen = {name}
        at = name
        while True:
            above = [parent for parent in self.parents(at) if parent in failed]
            if not above:
                return at if at != name else None
            fresh = [parent for parent in above if parent not in seen]
            if not fresh:
                return None
            at = fresh[0]
            seen.add(at)

    def how(self, child: str, parent: str) -> str:
        """How it is known that `child` needs `parent`, in words; "" when it does not."""
        return next((each.how for each in self.edges if (each.child, each.parent) == (child, parent)), "")


NO_GRAPH = ServiceGraph()


def _reached(name: str, step: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = list(step(name))
    while waiting:
        each = waiting.pop(0)
        if each != name and each not in found:
            found[each] = None
            waiting += step(each)
    return tuple(found)
