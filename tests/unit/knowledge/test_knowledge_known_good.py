"""The store's snapshots: newest first, five of each path, one row a content."""

from autonomyd.knowledge.known_good import KnownGoods
from autonomyd.model.change import FileKind, FileState
from autonomyd.model.known_good import GoodState


def good(value, at, path="/etc/a", service="web"):
    return GoodState(service=service, path=path, state=FileState(kind=FileKind.FILE, sha256=value, mode=0o640), at=at)


async def test_the_newest_five_of_a_path_stay_whole_and_in_order(store):
    goods = KnownGoods(store)
    kept = [good(f"{number:064x}", float(number)) for number in range(8)]
    for each in kept:
        await goods.save(each)
    await goods.save(good("f" * 64, 3.0, path="/etc/b"))
    found = await goods.all()
    assert [each for each in found if each.path == "/etc/a"] == kept[:2:-1]
    assert len([each for each in found if each.path == "/etc/b"]) == 1


async def test_what_was_good_before_becomes_the_newest_again(store):
    goods = KnownGoods(store)
    for value, at in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        await goods.save(good(value, at))
    assert [(each.value, each.at) for each in await goods.all()] == [("a", 3.0), ("b", 2.0)]
