"""Who needs whom: walks that end, in trees and in circles."""

from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.graph import NO_GRAPH, ServiceGraph
from autonomyd.model.graph import Edge, EdgeKind


def edge(child: str, parent: str, kind: EdgeKind = EdgeKind.DECLARED) -> Edge:
    return Edge(child=child, parent=parent, kind=kind, how=f"{kind}")


SHOP = ServiceGraph(
    ["web", "api", "db", "cache"],
    [edge("web", "api"), edge("api", "db"), edge("api", "cache", EdgeKind.CONNECTION), edge("web", "cache")],
)


def test_what_a_service_needs_and_whom_its_failure_reaches_nearest_first() -> None:
    assert SHOP.above("web") == ("api", "cache", "db")
    assert SHOP.below("db") == ("api", "web")
    assert SHOP.below("web") == ()
    assert SHOP.parents("api") == ("db", "cache")


def test_edges_to_strangers_and_to_itself_are_left_out() -> None:
    graph = ServiceGraph(["a"], [edge("a", "gone"), edge("a", "a"), edge("x", "a")])
    assert graph.edges == ()
    assert graph.above("a") == ()


def test_the_failed_parent_at_the_end_of_the_chain_is_the_root() -> None:
    assert SHOP.root_of("web", {"web", "api", "db"}) == "db"
    assert SHOP.root_of("web", {"web", "db"}) is None  # the api between them is well
    assert SHOP.root_of("db", {"db"}) is None
    assert SHOP.root_of("web", {"web", "cache"}) == "cache"


def test_in_a_circle_of_failed_ones_nobody_is_the_root() -> None:
    graph = ServiceGraph("ab", [edge("a", "b"), edge("b", "a")])
    assert graph.root_of("a", {"a", "b"}) is None
    assert graph.above("a") == ("b",)


def test_the_strongest_knowledge_of_an_edge_is_told() -> None:
    graph = ServiceGraph("ab", [edge("a", "b", EdgeKind.CONNECTION), edge("a", "b")])
    assert graph.how("a", "b") == "declared"
    assert graph.how("b", "a") == ""
    assert graph.parents("a") == ("b",)
    assert NO_GRAPH.how("a", "b") == ""


NAMES = st.sampled_from("abcdefg")


@given(pairs=st.lists(st.tuples(NAMES, NAMES), max_size=40), failed=st.sets(NAMES), name=NAMES)
def test_every_walk_ends_whatever_the_graph(pairs: list[tuple[str, str]], failed: set[str], name: str) -> None:
    graph = ServiceGraph("abcdef", [edge(child, parent) for child, parent in pairs])
    above = graph.above(name)
    assert len(above) == len(set(above))
    assert name not in above
    assert all(name in graph.below(parent) for parent in above)
    root = graph.root_of(name, failed)
    assert root is None or (root in failed and root in above)
