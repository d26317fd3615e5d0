"""Lines of ordinary programs fall into their templates, whatever their headers and values; in bounded memory."""

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.templates import TemplateMiner
from autonomyd.analyze.templates.miner import KNOWN_SHAPES, LINE_CHARS
from autonomyd.analyze.templates.template import with_values
from autonomyd.analyze.templates.words import words_of

Make = Callable[[random.Random], str]


def _ip(r: random.Random) -> str:
    return ".".join(str(r.randint(1, 254)) for _ in range(4))


def _hex(r: random.Random, length: int) -> str:
    return "".join(r.choice("0123456789abcdef") for _ in range(length))


def _uuid(r: random.Random) -> str:
    return "-".join(_hex(r, length) for length in (8, 4, 4, 4, 12))


def _mac(r: random.Random) -> str:
    return ":".join(_hex(r, 2) for _ in range(6))


def _user(r: random.Random) -> str:
    return r.choice(("root", "admin", "test", "oracle", "guest", "webmaster", "pi", "git", "ftpuser", "alice", "bob"))


def _host(r: random.Random) -> str:
    return r.choice(("ns.example.com", "gw.example.org", "mail.example.net", "c-24.dyn.example.com", "w.x.example"))


LOGIN: list[Make] = [
    lambda r: f"Failed password for {_user(r)} from {_ip(r)} port {r.randint(1024, 65535)} ssh2",
    lambda r: f"Failed password for invalid user {_user(r)} from {_ip(r)} port {r.randint(1024, 65535)} ssh2",
    lambda r: f"session opened for user {_user(r)} by (uid=0)",
    lambda r: f"session closed for user {_user(r)}",
    lambda r: f"authentication failure; logname= uid=0 tty=ssh ruser= rhost={r.choice((_ip, _host))(r)}",
    lambda r: f"authentication failure; logname= uid=0 tty=ssh ruser= rhost={_ip(r)}  user={_user(r)}",
    lambda r: f"reverse mapping checking getaddrinfo for {_host(r)} [{_ip(r)}] failed - POSSIBLE BREAK-IN ATTEMPT!",
    lambda r: f"connection from {_ip(r)} ({r.choice(('', _host(r)))}) at {r.choice(('Sun Jul', 'Mon Jun'))} 17 2005",
]
LEASES: list[Make] = [
    lambda r: f"DHCPDISCOVER from {_mac(r)} via eth{r.randint(0, 9)}",
    lambda r: f"DHCPACK on {_ip(r)} to {_mac(r)} via eth{r.randint(0, 9)}",
    lambda r: f"read 4 bytes from /var/lib/dhcp/{_hex(r, 9)}.leases",
    lambda r: "no free leases",
]
BLOCKS: list[Make] = [
    lambda r: (
        f"Receiving block blk_-{r.randint(10**17, 10**18)} src: /{_ip(r)}:5010 dest: /{_ip(r)}:{r.randint(1, 9999)}"
    ),
    lambda r: f"Received block blk_{r.randint(10**17, 10**18)} of size {r.randint(1, 10**8)} from /{_ip(r)}",
    lambda r: (
        f"Block stored as bytes (estimated size {r.randint(1, 99)}.{r.randint(0, 9)} {r.choice(('B', 'KB', 'MB'))})"
    ),
    lambda r: f"Finished in {r.choice(('00:02', '<1 sec', '03:11'))}",
]
REQUESTS: list[Make] = [
    lambda r: f'{_ip(r)} "GET /v2/{_hex(r, 32)}/servers HTTP/1.1" status: 200 len: {r.randint(1, 9999)}',
    lambda r: f"[instance: {_uuid(r)}] VM Started (Lifecycle Event)",
    lambda r: f"[instance: {_uuid(r)}] VM Stopped (Lifecycle Event)",
    lambda r: f"[instance: {_uuid(r)}] Took {r.randint(1, 30)}.{r.randint(10, 99)} seconds to build instance.",
    lambda r: f"image {_uuid(r)} at (/var/lib/images/{_hex(r, 40)}): checking",
]
HEADERS: dict[str, Make] = {
    "none": lambda r: "",
    "syslog": lambda r: (
        f"Jul {r.randint(1, 28):2} 10:{r.randint(10, 59)}:07 combo {r.choice(('sshd', 'su'))}[{r.randint(1, 9999)}]: "
    ),
    "application": lambda r: (
        f"2026-05-04 10:11:{r.randint(10, 59)},123 {r.choice(('INFO', 'WARN'))} web.{r.choice('abcdef')}: "
    ),
    "dashes": lambda r: (
        f"2026-05-04 10:11:12,{r.randint(100, 999)} - INFO  [Worker {r.choice(('a b', 'c'))}@{r.randint(1, 99)}] - "
    ),
    "threads": lambda r: (
        f"2026-05-04 10:11:12 WARN [{r.choice(('main', 'IPC Server handler 7 on 6', 'a[b] c'))}] org.x.Y: "
    ),
    "bars": lambda r: f"20260504-10:11:12:{r.randint(100, 999)}|Step_{r.choice(('SC', 'Ext'))}|3000231|",
    "brackets": lambda r: f"[Sun Dec 04 04:47:{r.randint(10, 59)} 2005] [{r.choice(('error', 'notice'))}] ",
    "program": lambda r: f"[10.30 16:49:{r.randint(10, 59)}] {r.choice(('chrome.exe', 'chrome.exe *64', 'x.exe'))} - ",
    "cluster": lambda r: (
        f"- {r.randint(10**9, 2 * 10**9)} 2005.06.03 R{r.randint(10, 99)}-M1 RAS KERNEL {r.choice(('INFO', 'FATAL'))} "
    ),
}


def _log(makes: list[Make], header: Make, *, lines: int = 600, seed: int = 1) -> list[tuple[str, int]]:
    r = random.Random(seed)
    kinds = [r.randrange(len(makes)) for _ in range(lines)]
    return [(header(r) + makes[kind](r), kind) for kind in kinds]


def _sets(numbers: list[int]) -> set[tuple[int, ...]]:
    found = defaultdict(list)
    for place, number in enumerate(numbers):
        found[number].append(place)
    return {tuple(places) for places in found.values()}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("makes", [LOGIN, LEASES, BLOCKS, REQUESTS], ids=["login", "leases", "blocks", "requests"])
def test_each_line_is_with_those_of_its_template(makes: list[Make], header: str) -> None:
    rows = _log(makes, HEADERS[header])
    miner = TemplateMiner()
    numbers = [miner.add(line) for line, _ in rows]
    assert _sets([miner.final(number) for number in numbers]) == _sets([kind for _, kind in rows])


def test_a_template_shows_what_varies() -> None:
    miner = TemplateMiner()
    for line, _ in _log(LOGIN, HEADERS["syslog"]):
        miner.add(line)
    shown = {miner.template(number) for number in miner.groups()}
    assert "session opened for user <*> by (uid=<*>)" in shown
    assert "Failed password for invalid user <*> from <*> port <*> <*>" in {
        each.replace("ssh<*>", "<*>") for each in shown
    }
    assert all("combo" not in each for each in shown)


def test_counts_and_examples_are_of_the_group() -> None:
    miner = TemplateMiner()
    for number in range(30):
        miner.add(f"took {number} ms")
        miner.add("started")
    assert [miner.count(each) for each in miner.groups()] == [30, 30]
    assert miner.example(miner.groups()[0]) == "took 29 ms"
    assert miner.lines == 60


def test_states_and_truth_stay_apart() -> None:
    miner = TemplateMiner()
    lines = [f"task {n} moved from {state}" for n in range(50) for state in ("NEW to READY", "READY to DONE")]
    lines += [f"switch {n} ready: {value}" for n in range(50) for value in ("true", "false")]
    numbers = [miner.add(line) for line in lines]
    assert len({miner.final(number) for number in numbers}) == 4


def test_messages_in_key_value_pairs_stay_apart() -> None:
    miner = TemplateMiner()
    told = ("started", "stopped", "request served", "cache miss", "order placed", "payment failed")
    for number in range(240):
        quoted = f'"{told[number % 6]}"' if " " in told[number % 6] else told[number % 6]
        miner.add(f"time=2026-05-04T10:11:{number % 60:02}Z level=info msg={quoted} user={'abcdefghij'[number % 10]}x")
    assert len(miner.groups()) == 6


def test_another_header_is_learned_anew() -> None:
    r = random.Random(8)
    miner = TemplateMiner()
    names = [f"{one}{other}" for one in "abcdefghijklmno" for other in "abcdefghijklmno"]
    for name in names:
        miner.add(f"2026-05-04 10:11:{r.randint(10, 59)} INFO [main] module.{name}: served the page")
    for _ in range(2):
        for name in names:
            miner.add(f"<{r.randint(1, 9)}>1 2026-05-04T10:11:12Z host{r.randint(1, 9)} {name}: served the page")
    numbers = {miner.final(miner.add(f"<1>1 2026-05-04T10:11:12Z host1 {name}: served the page")) for name in names}
    assert [miner.template(number) for number in numbers] == ["served the page"]


def test_words_that_vary_become_one_group_later() -> None:
    r = random.Random(5)
    words = ["".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(7)) for _ in range(300)]
    miner = TemplateMiner()
    numbers = [miner.add(f"the queue of customer {word} has been emptied") for word in words]
    assert len({miner.final(number) for number in numbers}) == 1
    assert miner.template(numbers[0]) == "the queue of customer <*> has been emptied"
    before = len(miner.groups())
    miner.add("the queue of customer somebodyelse has been emptied")
    assert len(miner.groups()) == before


def test_the_order_of_hashes_changes_nothing() -> None:
    """Swapped words once had the same sum of hashes."""
    miner = TemplateMiner()
    for number in range(300):
        one, other = ("AUTO", "SUSPENDED") if number % 2 else ("SUSPENDED", "AUTO")
        miner.add(f"driver{number % 7}: setting the operation mode of port {number} from {one} to {other}")
    assert sorted(miner.count(each) for each in miner.groups()) == [150, 150]


def test_dumped_and_loaded_it_goes_on_with_the_same_numbers() -> None:
    rows = _log(REQUESTS + LOGIN, HEADERS["application"], lines=900)
    miner = TemplateMiner()
    numbers = [miner.add(line) for line, _ in rows]
    finals = {kind: miner.final(number) for number, (_, kind) in zip(numbers, rows, strict=True)}
    again = TemplateMiner.load(json.loads(json.dumps(miner.dump())))
    assert {each: again.count(each) for each in again.groups()} == {each: miner.count(each) for each in miner.groups()}
    assert {each: again.template(each) for each in again.groups()} == {
        each: miner.template(each) for each in miner.groups()
    }
    for line, kind in _log(REQUESTS + LOGIN, HEADERS["application"], lines=300, seed=2):
        assert again.final(again.add(line)) == finals[kind]
    assert again.lines == 1200


def test_a_young_one_is_dumped_as_it_is() -> None:
    miner = TemplateMiner()
    for number in range(9):
        miner.add(f"10:11:{number:02} INFO worker: {'abc'[number % 3] * 5} done")
    again = TemplateMiner.load(json.loads(json.dumps(miner.dump())))
    assert [again.template(each) for each in again.groups()] == [miner.template(each) for each in miner.groups()]
    assert again.final(again.add("10:11:59 INFO worker: aaaaa done")) == miner.final(0)


FINE = {"version": 1, "lines": 1, "next": 1, "young": False, "header": [0, ""], "groups": []}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"version": 1},
        {**FINE, "version": 2},
        {**FINE, "header": [99, "x"]},
        {**FINE, "groups": [[1]]},
        {**FINE, "lines": "x"},
    ],
)
def test_what_was_not_dumped_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"templates|header|invalid literal"):
        TemplateMiner.load(broken)


def test_random_text_fills_no_memory() -> None:
    r = random.Random(3)
    miner = TemplateMiner(max_templates=60)
    letters = "abcdefghijklmnopqrstuvwxyz   :=()/."
    for _ in range(3_000):
        miner.add("".join(r.choice(letters) for _ in range(r.randint(1, 60))))
        miner.add("the one that stays")
    assert len(miner.groups()) <= 200
    assert miner.evicted > 0
    assert len(miner._known) <= KNOWN_SHAPES
    assert miner.template(miner.groups()[0]) == "the one that stays"
    assert miner.count(miner.groups()[0]) == 3_000


PIECES = (
    *(
        "a",
        "[",
        "]",
        "[a]",
        "=",
        "=a[1",
        "a=",
        '="',
        ":",
        "a:",
        "1:",
        ".",
        "...",
        "/",
        "http:",
        "(",
        " ",
        "|",
        "-",
        "{",
    ),
    *("\x00", "\u202e", "\ud800", "<*>", "0", "a1", "Mon ", "user ", "é", "Jan 1 "),
)


@pytest.mark.parametrize("piece", PIECES)
def test_no_line_is_slow(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    miner = TemplateMiner()
    for number in range(250):
        miner.add(
            f"2026-05-04 10:11:12 INFO [main] a.b: {'xyz'[number % 3]}{chr(97 + number % 26) * (number // 26 + 1)} ok"
        )
    began = time.thread_time()
    for _ in range(3):
        assert miner.count(miner.add(line)) > 0
        miner.template(miner.add(line + "x"))
    assert time.thread_time() - began < 0.5
    assert len(miner.example(miner.add(line))) <= LINE_CHARS


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=40), st.integers(8, 30))
def test_any_text_will_do(lines: list[str], most: int) -> None:
    miner = TemplateMiner(max_templates=most)
    numbers = [miner.add(line) for line in lines]
    finals = [miner.final(number) for number in numbers]
    assert sum(miner.count(each) for each in miner.groups()) == len(lines)
    assert set(finals) <= set(miner.groups())
    assert all(char.isprintable() for each in finals for char in miner.template(each))
    again = TemplateMiner.load(json.loads(json.dumps(miner.dump())))
    assert [again.count(each) for each in again.groups()] == [miner.count(each) for each in miner.groups()]


PARTS = ("user", "bob", "10.0.0.7", "took", "12", "ms", "(4 KB)", "a=b", "x.y.z", "eth0", "Mon", "...", "=", "true")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_the_words_of_a_shown_template_are_its_own(parts: list[str]) -> None:
    miner = TemplateMiner()
    number = miner.add(" ".join(parts))
    shown = miner.template(number)
    assert words_of(with_values(shown)) == words_of(" ".join(parts))
