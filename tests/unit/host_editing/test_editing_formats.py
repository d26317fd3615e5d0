"""One number changes, every other byte stays; what can't be done for certain is refused."""

import json
import sys
import tomllib
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from autonomyd.host.editing.change import keys_changed, problem_of, read_number, with_number
from autonomyd.host.editing.place import EditRefused

PATHS = {"source": "/x/app.py"}


def change(kind, key, content, value):
    return with_number(content, value, path=PATHS.get(kind, f"/x/app.{kind}"), kind=kind, key=key)


TABLE = [
    ("toml", "client.delay", b"# c\r\n[client]\r\ndelay = 0.8 # h\r\n", 1.2, b"# c\r\n[client]\r\ndelay = 1.2 # h\r\n"),
    ("toml", "a.2.b", b"a=[1,2,{b=3}]", 4, b"a=[1,2,{b=4}]"),
    ("toml", "x.0.n", b"[[x]]\nn = 1_000 # old\n[[x]]\nn = 7\n", 1500, b"[[x]]\nn = 1500 # old\n[[x]]\nn = 7\n"),
    ("toml", "a", b"\xef\xbb\xbfa = 2.0", 3, b"\xef\xbb\xbfa = 3.0"),
    ("toml", "a", b"a = '5'", 6, b"a = '6'"),
    ("json", "a.1.b", b'{"a": [1, {"b":\t0.8 , "c":"x{,:"}]}', 1.2, b'{"a": [1, {"b":\t1.2 , "c":"x{,:"}]}'),
    ("json", 'e"', b'{"e\\"": 5, "f": "\\\\"}', 6, b'{"e\\"": 6, "f": "\\\\"}'),
    ("json", "a", b'{"a": -1.5e2}', -225, b'{"a": -225.0}'),
    ("yaml", "a.b", b"# x\na:\n  b: 0.8   # c\n  c: [1, 2]\n", 1.2, b"# x\na:\n  b: 1.2   # c\n  c: [1, 2]\n"),
    ("yaml", "a.c.1", b"a:\r\n  c: [1, '2']\r\n", 3, b"a:\r\n  c: [1, '3']\r\n"),
    ("yaml", "delay", b"key: !vault secret\ndelay: 10\n", 20, b"key: !vault secret\ndelay: 20\n"),
    ("yaml", "a", "ä: é\na: 1\n".encode(), 2, "ä: é\na: 2\n".encode()),
    ("ini", "s.delay", b"; c\n[s]\ndelay = 0.8 ; x\n\xff = 1\n", 1.2, b"; c\n[s]\ndelay = 1.2 ; x\n\xff = 1\n"),
    ("ini", "timeout", b"timeout: 30\n[s]\ntimeout=5", 45, b"timeout: 45\n[s]\ntimeout=5"),
    ("env", "DELAY", b"# c\nexport DELAY=\"0.8\"  # x\nB='a\nb'\n", 1.2, b"# c\nexport DELAY=\"1.2\"  # x\nB='a\nb'\n"),
    ("env", "D", b"B=$(x)\r\nD=5\r\n", 6, b"B=$(x)\r\nD=6\r\n"),
    ("source", r"^DELAY = ([\d.]+)$", b"# \xc3\xa9\nDELAY = 0.8\n", 1.2, b"# \xc3\xa9\nDELAY = 1.2\n"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "key", "before", "value", "after"), TABLE)
def test_only_the_number_changes(kind, key, before, value, after):
    assert change(kind, key, before, value) == after
    assert read_number(after, path=PATHS.get(kind, ""), kind=kind, key=key)[0] == value


@pytest.mark.parametrize(
    ("kind", "key", "content", "word"),
    [
        ("toml", "a", b"a = ", "no valid TOML"),
        ("toml", "b", b"a = 1", "not there"),
        ("toml", "a", b"a = 0x1F", "no plain number"),
        ("toml", "a", b"a = inf", "no plain number"),
        ("toml", "a", b"a = 1\n\xff", "not UTF-8"),
        ("toml", "a.b", b'a.b = 1\n"a.b" = 2', "2 times"),
        ("json", "a", b'{"a": 1, "a": 2}', "occurs twice"),
        ("json", "a", b'{"a": 1,}', "no valid JSON"),
        ("json", "a", b'{"a": true}', "no plain number"),
        ("yaml", "a", b"a: [1\nb", "no valid YAML"),
        ("yaml", "b", b"a: &n\n  c: 5\nb: *n\n", "not there"),
        ("yaml", "y.c", b"x: &n\n  c: 5\ny: *n\n", "alias"),
        ("yaml", "a", b"a: 1\n---\na: 2\n", "2 times"),
        ("ini", "a.b", b"[a]\nb = 5\n  6\n", "not there"),
        ("ini", "a.b", b"[a]\nb = 5\nb = 6\n", "2 times"),
        ("ini", "a.b", b"[a]\n= 5\n", "line 2"),
        ("env", "A", b"A=1\nA=2\n", "2 times"),
        ("env", "A", b'A="1\n', "line 1"),
        ("env", "A", b"A=30s\n", "no plain number"),
        ("source", r"D = (\d)", b"D = 5\nD = 6", "matches 2 times (lines 1, 2)"),
        ("source", r"E = (\d)", b"D = 5", "matches nowhere"),
        ("source", r"D = \d", b"D = 5", "0 groups"),
        ("source", r"D = ((\d))", b"D = 5", "2 groups"),
        ("source", r"D = (", b"D = 5", "no regular expression"),
        ("source", r"D = (\d)", b"D = 5\nif:", ["no valid Python", " line 2"][0]),
        ("xml", "a", b"<a>1</a>", "not known"),
        ("ini", "a.b", b"[a]\0b = 1", "NUL"),
    ],
)
def test_what_is_not_certain_is_refused(kind, key, content, word):
    with pytest.raises(EditRefused) as refused:
        change(kind, key, content, 7)
    assert word in str(refused.value)


def test_a_whole_number_stays_whole():
    assert change("toml", "a", b"a = 10", 15) == b"a = 15"
    with pytest.raises(EditRefused, match="whole number"):
        change("toml", "a", b"a = 10", 15.5)


def test_a_source_that_would_not_compile_is_not_written():
    with pytest.raises(EditRefused, match="no valid Python"):
        change("source", r"x(\d)", b"x1 = 5\n", -2)


def test_what_does_not_parse_is_told_by_its_name():
    assert "no valid TOML" in problem_of(b"a =", "/etc/app.toml")
    assert "no valid Python" in problem_of(b"def x(:", "/srv/app.py")
    assert problem_of(b"a = 1", "/etc/app.toml") == ""
    assert problem_of(b"\x00 anything", "/etc/nginx.conf") == ""


def test_without_its_parser_nothing_is_known_of_a_yaml_file(monkeypatch):
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    assert problem_of(b"a: [", "/etc/app.yaml") == ""
    with pytest.raises(EditRefused, match="needs the package"):
        change("yaml", "a", b"a: 1", 2)


def test_changed_keys_are_named_without_their_values():
    before, after = b"a = 1\n[b]\nc = 2\ngone = 1\n", b"a = 1\n[b]\nc = 3\nnew = 'hunter2'\n"
    assert keys_changed(before, after, "/x.toml") == ("b.c", "b.new", "b.gone")
    assert keys_changed(before, b"a =", "/x.toml") is None
    assert keys_changed(before, after, "/x.conf") is None


QUICK = settings(deadline=None, max_examples=40)
NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
LEAVES = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)),
    st.booleans(),
    st.text(max_size=12),
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
        max_leaves=6,
    ),
    max_size=4,
)
NEW = st.floats(-1e5, 1e5, allow_nan=False).map(lambda value: float(f"{value:.6g}"))


def _set(tree, value):
    return {**tree, "target": {"it": value}}


@QUICK
@given(tree=TREES, value=NEW, indent=st.sampled_from([None, 1, "\t"]), last=st.booleans(), ascii_=st.booleans())
def test_json_of_any_shape_changes_at_the_number_alone(tree, value, indent, last, ascii_):
    whole = _set(tree, 0.125) if last else {"target": {"it": 0.125}, **tree}
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_)
    try:
        before = text.encode()
    except UnicodeEncodeError:
        return
    after = change("json", "target.it", before, value)
    assert json.loads(after) == {**whole, "target": {"it": value}}
    assert _same_around(before, after, b"0.125")


@QUICK
@given(tree=TREES, value=NEW, flow=st.booleans(), newline=st.sampled_from(["\n", "\r\n"]))
def test_yaml_of_any_shape_changes_at_the_number_alone(tree, value, flow, newline):
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    stream = StringIO()
    yaml.dump(_set(tree, 0.125), stream)
    try:
        before = ("# a comment: 1" + newline + stream.getvalue().replace("\n", newline)).encode()
    except UnicodeEncodeError:
        return
    after = change("yaml", "target.it", before, value)
    assert _same_around(before, after, b"0.125")
    assert YAML(typ="safe", pure=True).load(after.decode())["target"]["it"] == value


TOML_LEAVES = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["0.125", "true", "1979-05-27T07:32:00Z", "[1, 2, [3]]", "{ a = 1, b.c = [1] }", "nan", "0xFF"]),
    st.text("abc =#[]{}.'\\", max_size=8).map(json.dumps),
    st.text('abc =#[]"{}.', max_size=8).map(lambda text: f"'{text}'"),
    st.text('abc =#[]\n".', max_size=8).filter(lambda text: '"""' not in text and text[-1:] != '"').map(
        lambda text: f'"""{text}"""'),
)  # fmt: skip
TOML_LINES = st.lists(
    st.tuples(NAMES, TOML_LEAVES, st.sampled_from(["", "  # a = 1", "\t"])), unique_by=lambda line: line[0], max_size=4
)


@QUICK
@given(first=TOML_LINES, second=TOML_LINES, value=NEW, newline=st.sampled_from(["\n", "\r\n"]))
def test_toml_of_any_shape_changes_at_the_number_alone(first, second, value, newline):
    lines = [
        *(f"{name} = {text}{end}" for name, text, end in first),
        "# [target]", "[zz.target]", "it = 0.125# here", "[zz.other]",
        *(f"{name} = {text}{end}" for name, text, end in second),
    ]  # fmt: skip
    before = newline.join(lines).encode()
    after = change("toml", "zz.target.it", before, value)
    assert tomllib.loads(after.decode())["zz"]["target"]["it"] == value
    assert _same_around(before, after, b"0.125")


PLAIN = st.text("abc 0.5:#'\"[]=\xe9", max_size=10)


@QUICK
@given(noise=st.lists(PLAIN, max_size=5), value=NEW, newline=st.sampled_from(["\n", "\r\n"]))
def test_ini_and_env_change_at_the_number_alone(noise, value, newline):
    ini = newline.join([*(f"; {each}" for each in noise), "[s]", "other = 0.125", "it = 0.125 ; 1"]).encode()
    env = newline.join([*(f"# {each}" for each in noise), "OTHER=0.125", "it=0.125 # 1", ""]).encode()
    for kind, key, before in (("ini", "s.it", ini), ("env", "it", env)):
        after = change(kind, key, before, value)
        assert read_number(after, path="", kind=kind, key=key)[0] == value
        head, _, tail = before.rpartition(b"0.125")
        assert after.startswith(head)
        assert after.endswith(tail)


def _same_around(before: bytes, after: bytes, old: bytes) -> bool:
    """Whether `after` is `before` with one occurrence of `old` replaced."""
    at = -1
    while (at := before.find(old, at + 1)) >= 0:
        head, tail = before[:at], before[at + len(old) :]
        if after.startswith(head) and after.endswith(tail) and len(after) >= len(head) + len(tail):
            return True
    return False
