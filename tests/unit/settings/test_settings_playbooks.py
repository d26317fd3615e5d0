"""playbooks.d: a good file is a playbook; a bad one is refused with its line, and the others stay."""

import os

import pytest

from autonomyd.settings.playbooks import load_playbooks

GOOD = """\
name = "clear-lock"
causes = ["process_gone"]
roots = ["/srv/web/run"]
[[steps]]
type = "run"
argv = ["/usr/bin/mv", "/srv/web/run/lock", "/srv/web/run/lock.old"]
undo = ["/usr/bin/mv", "/srv/web/run/lock.old", "/srv/web/run/lock"]
writes = ["/srv/web/run/lock", "/srv/web/run/lock.old"]
[[steps]]
type = "start"
"""
NUMBER = """\
[[steps]]
type = "number"
name = "delay"
file = "/srv/web/run/app.py"
format = "source"
pattern = '^DELAY = (\\d+)$'
floor = 1
ceiling = 9
"""


def load(folder, *, taken=(), check_number=lambda step: ""):
    return load_playbooks(folder, taken=taken, check_number=check_number)


def write(folder, name, text):
    (folder / name).write_text(text)
    (folder / name).chmod(0o644)


def refusal(folder, text, **more):
    """What is said about a file with `text`, while the good one beside it stays."""
    write(folder, "a.toml", GOOD)
    write(folder, "b.toml", text)
    found = load(folder, **more)
    assert [each.playbook.name for each in found.files] == ["clear-lock"]
    (refused,) = found.refused
    return [str(problem).removeprefix(f"{folder}/") for problem in refused.problems]


def test_a_good_file_is_read_with_its_defaults(tmp_path):
    write(tmp_path, "a.toml", GOOD + NUMBER)
    write(tmp_path, "notes.txt", "no playbook")
    (found,) = load(tmp_path).files
    assert (found.playbook.rung, found.playbook.disruptive, found.playbook.consent) == (1, True, "ask")
    assert [step.type for step in found.playbook.steps] == ["run", "start", "number"]


def test_no_folder_means_no_playbooks(tmp_path):
    assert load(tmp_path / "none").files == ()


OTHER = GOOD.replace("clear-lock", "other")


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (OTHER.replace('type = "start"', 'type = "strat"'), 10, "expected one of run, number, start"),
        (OTHER.replace('type = "start"', ""), 9, "missing key 'type'"),
        (OTHER.replace("undo = ", "undoo = "), 7, "did you mean 'undo'?"),
        (OTHER.replace("undo = ", "# undo = "), 4, "missing undo"),
        (OTHER.replace("writes", "irreversible = true\nwrites"), 4, "one of them is wrong"),
        (OTHER.replace('/srv/web/run/lock.old"]\n[[', '/srv/web/lock"]\n[['), 8, "outside the playbook's roots"),
        (OTHER.replace('/srv/web/run/lock.old"]\n[[', '/srv/web/run/../lock"]\n[['), 8, "outside the playbook's"),
        (OTHER.replace('"/usr/bin/mv", "/srv/web/run/lock", "/srv/web/run/lock.old"', '"sh", "-c", "mv a b"'), 6,
         "no shell strings"),
        (OTHER.replace('"/usr/bin/mv", "/srv/web/run/lock", "/srv/web/run/lock.old"', '"sudo", "bash", "-lc", "x"'), 6,
         "no shell strings"),
        (OTHER.replace('["/usr/bin/mv", "/srv/web/run/lock", "/srv/web/run/lock.old"]', '"mv a b"'), 6,
         "expected a list in [ ]"),
        (OTHER.replace("process_gone", "proces_gone"), 2, "expected one of"),
        (OTHER + 'colour = "red"', 11, "unknown key 'colour'"),
        (OTHER + '[needs]\nrun = ["asleep"]', 12, "expected one of running"),
        (OTHER + 'x = "', 11, ""),
        (GOOD, 1, "is taken by"),
        (OTHER + NUMBER.replace("ceiling = 9", "ceiling = 0"), 11, "floor must be less than ceiling"),
        (OTHER + NUMBER.replace("/srv/web/run/", "/srv/"), 14, "outside the playbook's roots"),
        (OTHER + NUMBER + NUMBER, 22, "written by another step"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, line, word):
    problems = refusal(tmp_path, text)
    assert any(problem.startswith(f"b.toml:{line}:") and word in problem for problem in problems), problems


def test_a_pattern_that_matches_twice_is_refused_at_its_line(tmp_path):
    (problem,) = refusal(tmp_path, OTHER + NUMBER, check_number=lambda step: f"{step.pattern} matches 2 times")
    assert problem == "b.toml:16: steps[2].pattern: ^DELAY = (\\d+)$ matches 2 times"


def test_a_name_of_a_bundled_strategy_is_taken(tmp_path):
    write(tmp_path, "a.toml", GOOD)
    (refused,) = load(tmp_path, taken={"clear-lock"}).refused
    assert "is taken by a bundled playbook" in str(refused.problems[0])


def test_a_file_that_everybody_may_write_is_not_trusted(tmp_path):
    write(tmp_path, "a.toml", GOOD)
    os.chmod(tmp_path / "a.toml", 0o666)
    (refused,) = load(tmp_path).refused
    assert "everybody may write" in str(refused.problems[0])


def test_too_many_files_are_not_read(tmp_path):
    for number in range(205):
        write(tmp_path, f"{number:03}.toml", GOOD.replace("clear-lock", f"lock-{number}"))
    found = load(tmp_path)
    assert (len(found.files), len(found.refused)) == (200, 5)
