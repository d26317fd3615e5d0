"""Places of keys in TOML: written examples, and random documents in random styles."""

import json
import tomllib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomyd.settings.locate import locate, nearest

DOCUMENT = """\
# a comment with [brackets] and "quotes"
title = "x # not a comment"
[a.b]   # header
c.d = 1
"e f".'g' = '''
[not.a.table]
h = 1
'''
list = [
  1, # one ]
  [2, 3],
  { x = 1, y.z = "}" },
]
[[t]]
n = \"\"\"quote \\\"\"\" inside\"\"\"\"
[[t.u]]
m = 1979-05-27 07:32:00
[[t]]
[t.v]
w = 1
[services."my app"]
k = 5"""


def test_every_kind_of_key_has_its_place() -> None:
    tomllib.loads(DOCUMENT)
    places = locate(DOCUMENT)
    assert places[("title",)] == (2, 1)
    assert places[("a", "b")] == (3, 1)
    assert places[("a", "b", "c", "d")] == (4, 1)
    assert places[("a", "b", "e f", "g")] == (5, 1)
    assert places[("a", "b", "list", 0)] == (10, 3)
    assert places[("a", "b", "list", 1, 1)] == (11, 7)
    assert places[("a", "b", "list", 2, "y", "z")] == (12, 12)
    assert places[("t", 0)] == (14, 1)
    assert places[("t", 0, "n")] == (15, 1)
    assert places[("t", 0, "u", 0, "m")] == (17, 1)
    assert places[("t", 1)] == (18, 1)
    assert places[("t", 1, "v", "w")] == (20, 1)
    assert places[("services", "my app", "k")] == (22, 1)
    assert ("h",) not in places


def test_what_is_missing_is_sought_around() -> None:
    places = locate("[a]\nb = { c = 1 }\n")
    assert nearest(places, ("a", "b", "d")) == (2, 1)
    assert nearest(places, ("x",)) is None


def test_windows_line_ends_count_as_one() -> None:
    assert locate("[a]\r\n\r\nb = 1\r\n")[("a", "b")] == (3, 1)


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.text(alphabet="ab .\"'#=[]{}\\é\n", max_size=5)
)
TEXTS = st.text(alphabet="ab#[]{},=\"'\\\n\té ", max_size=12)
SCALARS = st.one_of(st.integers(-1000, 1000), st.booleans(), st.floats(-10, 10), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


class Writer:
    """Writes TOML in drawn styles, and notes the line of each key path as it goes."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def note(self, path: tuple[str | int, ...]) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def noise(self) -> None:
        self.put(self.draw(st.sampled_from(["", "", "\n", "# x = [1] \"'\n", "  \n\n"])))

    def key(self, key: str) -> str:
        if key and key.isascii() and key.replace("-", "a").replace("_", "a").isalnum() and self.draw(st.booleans()):
            return key
        if "'" not in key and "\n" not in key and self.draw(st.booleans()):
            return f"'{key}'"
        return json.dumps(key)

    def string(self, text: str) -> str:
        style = self.draw(st.integers(0, 3))
        if style == 1 and "'" not in text and "\n" not in text:
            return f"'{text}'"
        if style == 2 and "'" not in text:
            return f"'''\n{text}'''"
        if style == 3:
            escaped = text.replace("\\", "\\\\").replace('"""', '""\\"')
            return f'"""\n{escaped[:-1]}\\""""' if escaped.endswith('"') else f'"""\n{escaped}"""'
        return json.dumps(text, ensure_ascii=False)

    def value(self, value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, list):
            self.put("[")
            for index, each in enumerate(value):
                self.put(self.draw(st.sampled_from(["", " ", "\n", " # ]\n"])))
                self.note((*path, index))
                self.value(each, (*path, index))
                self.put(", " if index < len(value) - 1 or self.draw(st.booleans()) else "")
            self.put("]")
        elif isinstance(value, dict):
            self.put("{ ")
            for index, (key, each) in enumerate(value.items()):
                self.put(", " if index else "")
                self.note((*path, key))
                self.put(f"{self.key(key)} = ")
                self.value(each, (*path, key))
            self.put(" }")
        elif isinstance(value, str):
            self.put(self.string(value))
        else:
            self.put(json.dumps(value))

    def table(self, table: dict[str, object], path: tuple[str | int, ...], header: str) -> None:
        """The plain keys first, then tables and arrays of tables below their own headers."""
        later = []
        for key, value in table.items():
            is_tables = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
            if (isinstance(value, dict) or is_tables) and self.draw(st.booleans()):
                later.append((key, value))
                continue
            self.noise()
            self.note((*path, key))
            self.put(f"{self.key(key)} = ")
            self.value(value, (*path, key))
            self.put(self.draw(st.sampled_from(["\n", "  # end\n"])))
        for key, value in later:
            name = f"{header}{'.' if header else ''}{self.key(key)}"
            for index, each in enumerate(value if isinstance(value, list) else [value]):
                inner = (*path, key, index) if isinstance(value, list) else (*path, key)
                self.noise()
                self.note((*path, key))
                self.note(inner)
                self.put(f"[[{name}]]\n" if isinstance(value, list) else f"[ {name} ]\n")
                self.table(each, inner, name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=st.dictionaries(KEYS, VALUES, max_size=4), data=st.data())
def test_random_documents(tree: dict[str, object], data: st.DataObject) -> None:
    writer = Writer(data)
    writer.table(tree, (), "")
    assert tomllib.loads(writer.text) == tree  # the test's own writer writes what it means
    assert {path: place.line for path, place in locate(writer.text).items()} == writer.lines
