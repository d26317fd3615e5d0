"""Other levels in a configuration file: nothing else moves, and what can't be done safely is refused."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.settings.load import make_settings
from autonomyd.settings.rewrite import Levels, NotRewritten, with_levels

CPU = {"cpu_percent": Levels(60.0, 55.0)}
TWO = CPU | {"memory_percent": Levels(70.5, 65.0)}

FILE = """\
# mine
[daemon]
log_level = "info"  # loud

[thresholds]   # levels
cpu_percent = 70 # busy
memory_percent = { enter = 80, clear = 70 } # full

[thresholds.disk_percent]
# slow
for_s = 20

[services.web]
control = { type = "command", start = ["/bin/true"] }
"""


def test_numbers_change_and_comments_stay() -> None:
    changed = with_levels(FILE, TWO)
    assert changed == FILE.replace("= 70 # busy", "= 60 # busy").replace(
        "enter = 80, clear = 70", "enter = 70.5, clear = 65"
    )


def test_a_table_without_a_level_gets_one() -> None:
    changed = with_levels(FILE, {"disk_percent": Levels(77.0, 70.0)})
    assert "[thresholds.disk_percent]\nenter = 77\n# slow\nfor_s = 20\n" in changed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "[thresholds]\ncpu_percent = 60\nmemory_percent = 70.5\n"),
        ("[thresholds]", "[thresholds]\ncpu_percent = 60\nmemory_percent = 70.5\n"),
        ("[goals]\n", "[goals]\n\n[thresholds]\ncpu_percent = 60\nmemory_percent = 70.5\n"),
        ("[goals]", "[goals]\n\n[thresholds]\ncpu_percent = 60\nmemory_percent = 70.5\n"),
        (
            "[thresholds]\r\nload_per_core = 3\r\n",
            "[thresholds]\r\ncpu_percent = 60\r\nmemory_percent = 70.5\r\nload_per_core = 3\r\n",
        ),
    ],
)
def test_new_lines_go_into_the_table(text: str, expected: str) -> None:
    assert with_levels(text, TWO) == expected
    assert make_settings(tomllib.loads(expected)).thresholds.cpu_percent.enter == 60.0


def test_thresholds_of_ones_own() -> None:
    text = "[thresholds.custom]\nqueue = 100\nrate = { enter = 3, clear = 2 }\n"
    changed = with_levels(text, {"queue": Levels(50.0, 45.0), "rate": Levels(4.0, 3.0)})
    assert changed == "[thresholds.custom]\nqueue = 50\nrate = { enter = 4, clear = 3 }\n"


@pytest.mark.parametrize(
    "text",
    [
        "thresholds.load_per_core = 3\n",
        "thresholds = { load_per_core = 3 }\n",
        "[thresholds]\ncpu_percent = { for_s = 5 }\n",
    ],
)
def test_what_is_written_in_another_way_is_left_to_a_person(text: str) -> None:
    with pytest.raises(NotRewritten, match="by hand: cpu_percent = 60"):
        with_levels(text, CPU)


@given(st.text(max_size=80))
def test_any_valid_file_is_changed_rightly_or_not_at_all(text: str) -> None:
    try:
        before = tomllib.loads(text)
    except ValueError:
        return
    if "thresholds" in before:
        return
    after = tomllib.loads(with_levels(text, CPU))
    assert after.pop("thresholds") == {"cpu_percent": 60}
    assert after == before
