"""What the graph is learned from, without a machine: connections, units, containers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.host.connections import Link, matched
from autonomyd.host.containers.stacks import StackMember, member_of
from autonomyd.host.sock_diag import Connection
from autonomyd.host.unit_facts import UnitNeed, parsed_needs


def end(inode: str, port: int, peer_port: int, address: str = "127.0.0.1", peer: str = "127.0.0.1") -> Connection:
    return Connection(address=address, port=port, peer=peer, peer_port=peer_port, inode=inode)


BOTH = [end("11", 40000, 5432), end("21", 5432, 40000)]
LISTENS = {"20": 5432}
OWNERS = {"11": "web", "20": "db", "21": "db"}


def test_both_ends_of_a_connection_make_a_link_from_who_asks_to_who_listens() -> None:
    assert matched(BOTH, LISTENS, OWNERS) == (Link(child="web", parent="db", port=5432),)


@pytest.mark.parametrize(
    ("connections", "listens", "owners"),
    [
        (BOTH[:1], LISTENS, OWNERS),  # the other end is not on this machine
        (BOTH, {}, OWNERS),  # nobody listens any more
        (BOTH, {"20": 5432}, {**OWNERS, "20": "else"}),  # another one listens
        (BOTH, LISTENS, {"11": "db", "20": "db", "21": "db"}),  # it talks to itself
        (BOTH, LISTENS, {"20": "db", "21": "db"}),  # a stranger asks
        ([end("11", 40000, 5432, peer="10.0.0.9"), end("21", 5432, 40000)], LISTENS, OWNERS),
        ([], {}, {}),
    ],
)
def test_what_is_not_surely_between_two_services_is_no_link(
    connections: list[Connection], listens: dict[str, int], owners: dict[str, str]
) -> None:
    assert matched(connections, listens, owners) == ()


UNITS = """Id=web.service
Names=web.service www.service
Requires=db.service sysinit.target
BindsTo=
After=db.service network.target

Id=db.service
Names=db.service
Requires=
BindsTo=disk.mount
After=
"""


def test_requirements_of_units_make_edges_and_an_order_alone_does_not() -> None:
    found = parsed_needs(UNITS)
    assert UnitNeed(unit="web.service", other="db.service", how="Requires", ordered=True) in found
    assert UnitNeed(unit="www.service", other="db.service", how="Requires", ordered=True) in found
    assert UnitNeed(unit="db.service", other="disk.mount", how="BindsTo", ordered=False) in found
    assert not any(each.other == "network.target" for each in found)


@pytest.mark.parametrize("text", ["", "\n\n\n", "garbage", "Id=\nRequires=a b", "=\n="])
def test_an_answer_of_systemd_that_makes_no_sense_is_no_edge(text: str) -> None:
    assert parsed_needs(text) == ()


def test_a_container_tells_its_stack_its_needs_and_its_networks() -> None:
    answer = {
        "Id": "0123456789abcdef",
        "Names": ["/shop-web-1"],
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "web",
            "com.docker.compose.depends_on": "db:service_healthy:false, cache:service_started:true",
        },
        "NetworkSettings": {"Networks": {"bridge": {}, "shop_default": {}}},
    }
    found = member_of(answer)
    assert found == StackMember(
        id="0123456789abcdef",
        names=("shop-web-1",),
        project="shop",
        service="web",
        needs=("db", "cache"),
        networks=("shop_default",),
    )
    assert found.is_named("shop-web-1")
    assert found.is_named("0123456789ab")
    assert not found.is_named("0123")


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["Id", "Names", "Labels", "NetworkSettings", "Networks", "com.docker.compose.depends_on"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(answer=st.dictionaries(st.sampled_from(["Id", "Names", "Labels", "NetworkSettings"]), JUNK))
def test_whatever_an_engine_answers_it_is_a_container_or_an_empty_one(answer: dict[str, Any]) -> None:
    assert isinstance(member_of(answer), StackMember)
