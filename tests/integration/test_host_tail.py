"""Following a log through every kind of rotation, without losing a line or seeing one twice."""

import json
import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomyd.host import tail as tailing
from autonomyd.host.tail import FileTail


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("before the daemon\n")
    return path


@pytest.fixture
def tail(log):
    made = FileTail(str(log))
    made.read()
    return made


def add(path, text):
    with path.open("a") as file:
        file.write(text)


def test_it_begins_at_the_end(log):
    tail = FileTail(str(log))
    assert tail.read().text == ""
    add(log, "one\ntwo\n")
    assert tail.read().text == "one\ntwo\n"
    assert tail.read().text == ""


def test_a_file_that_appears_later_is_read_whole(tmp_path):
    tail = FileTail(str(tmp_path / "late.log"))
    assert tail.read().missing
    (tmp_path / "late.log").write_text("first\n")
    assert tail.read().text == "first\n"


def test_a_line_waits_for_its_end_unless_nothing_more_comes(log, tail):
    add(log, "hal")
    assert tail.read().text == ""
    add(log, "f\nrest")
    assert tail.read().text == "half\n"
    assert tail.read().text == "rest"
    assert tail.read().text == ""


def test_renamed_and_made_anew(log, tail):
    add(log, "old\n")
    log.rename(log.with_name("app.log.1"))
    log.write_text("new\n")
    assert tail.read().text == "old\nnew\n"


def test_renamed_and_not_yet_made_anew(log, tail):
    add(log, "old\n")
    log.rename(log.with_name("app.log.1"))
    news = tail.read()
    assert (news.text, news.missing) == ("old\n", True)
    log.write_text("new\n")
    assert tail.read().text == "new\n"


def test_copied_and_emptied(log, tail):
    add(log, "old\n")
    log.with_name("app.log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)
    add(log, "new\n")
    assert tail.read().text == "old\nnew\n"


def test_emptied_and_grown_past_the_place_again(log, tail):
    os.truncate(log, 0)
    add(log, "something else, longer than what was there before\n")
    assert tail.read().text == "something else, longer than what was there before\n"


def test_deleted_and_made_anew(log, tail):
    log.unlink()
    log.write_text("new\n")
    assert tail.read().text == "new\n"


def test_a_foreign_first_rotation_is_not_taken_for_ours(log, tail):
    log.with_name("app.log.1").write_text("x" * 100 + "\nERROR of last week\n")
    os.truncate(log, 0)
    add(log, "n\n")
    assert tail.read().text == "n\n"


def test_too_much_at_once_is_passed_over(log, tail, monkeypatch):
    monkeypatch.setattr(tailing, "LOOK_BYTES", 1000)
    add(log, "".join(f"line {number}\n" for number in range(1000)))
    news = tail.read()
    assert news.text.endswith("line 999\n")
    assert news.text.startswith("line ")
    assert len(news.text) <= 1000
    assert news.skipped + len(news.text) == len("".join(f"line {number}\n" for number in range(1000)))


def test_a_huge_line_and_binary_text(log, tail):
    with log.open("ab") as file:
        file.write(b"\xff\x00" * 100_000)
    assert len(tail.read().text) == 200_000
    add(log, "\nnext\n")
    assert tail.read().text == "\nnext\n"


def test_a_folder_or_a_pipe_is_no_log(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        FileTail(str(tmp_path / "pipe")).read()


def test_how_much_waits(log, tail):
    assert tail.waiting() == 0
    add(log, "12345\n")
    assert tail.waiting() == 6
    tail.read()
    assert tail.waiting() == 0
    log.unlink()
    assert tail.waiting() == 0


STEPS = st.lists(st.sampled_from(["line", "look", "rename", "copytruncate", "rename-late"]), max_size=25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_every_line_once_whatever_the_rotation(tmp_path_factory, steps):
    """With at most one rotation between two looks, each line is seen exactly once, in order. A log that was still empty
    at the last look, written and emptied since, is the one case that nothing can tell."""
    log = tmp_path_factory.mktemp("any") / "app.log"
    log.write_text("start of the log\n")
    tail = FileTail(str(log))
    tail.read()
    written, seen, rotated = [], "", False
    for number, step in enumerate([*steps, "look", "look"]):
        old = log.with_name("app.log.1")
        if step == "line":
            written.append(f"line {number} {'x' * (number % 7)}\n")
            add(log, written[-1])
        elif step == "look":
            seen += tail.read().text
            rotated = False
        elif not rotated and log.exists() and tail.place is not None and tail.place.position:
            rotated = True
            if step == "copytruncate":
                old.write_bytes(log.read_bytes())
                os.truncate(log, 0)
            else:
                log.rename(old)
                if step == "rename":
                    log.touch()
    assert seen == "".join(written)


def again(log, tail):
    """The tail of a daemon that was started anew: it knows only what the one before has kept."""
    made = FileTail(str(log))
    made.take_up(json.loads(json.dumps(tail.kept())))
    return made


def test_what_was_written_while_nobody_read_is_read(log, tail):
    add(log, "meanwhile\n")
    tail = again(log, tail)
    assert tail.waiting() == len("meanwhile\n")
    assert tail.read().text == "meanwhile\n"
    assert again(log, tail).read().text == ""


def test_several_rotations_while_nobody_read(log, tail):
    add(log, "one\n")
    for text in ("two\n", "three\n"):
        for older in (2, 1):
            if log.with_name(f"app.log.{older}").exists():
                log.with_name(f"app.log.{older}").rename(log.with_name(f"app.log.{older + 1}"))
        log.rename(log.with_name("app.log.1"))
        log.write_text(text)
    news = again(log, tail).read()
    assert (news.text, news.gap) == ("one\ntwo\nthree\n", False)


def test_several_copies_while_nobody_read(log, tail):
    for text in ("one\n", "two, longer than what was there at the beginning\n", "three\n"):
        add(log, text)
        if log.with_name("app.log-2026-05-04").exists():
            log.with_name("app.log-2026-05-05").write_bytes(log.read_bytes())
        else:
            log.with_name("app.log-2026-05-04").write_bytes(log.read_bytes())
        os.truncate(log, 0)
        if text.startswith("two"):
            break
    add(log, "three\n")
    news = again(log, tail).read()
    assert (news.text, news.gap) == ("one\ntwo, longer than what was there at the beginning\nthree\n", False)


def test_a_copy_made_by_a_person_is_not_read(log, tail):
    log.with_name("app.log.bak").write_text("start\nERROR of last week\n" * 20)
    log.with_name("app.log.2.gz").write_bytes(b"\x1f\x8b compressed")
    log.unlink()
    log.write_text("new\n")
    news = again(log, tail).read()
    assert (news.text, news.gap) == ("new\n", True)


def test_a_gap_is_told_once(log, tail):
    log.unlink()
    log.write_text("new\n")
    tail = again(log, tail)
    assert tail.read().gap
    add(log, "more\n")
    assert tail.read() == tailing.News(text="more\n")


def test_a_log_that_was_cut_to_its_newest_lines_is_read_on_where_reading_stopped(log, tail):
    add(log, "".join(f"line {number} of the morning\n" for number in range(100)))
    assert tail.read().text.count("\n") == 100
    add(log, "the newest\n")
    kept = log.read_text()[-600:]
    log.write_text(kept)  # the same file, emptied and written anew
    add(log, "after the cut\n")
    assert tail.read() == tailing.News(text="the newest\nafter the cut\n")


def test_where_a_cut_log_was_read_to_is_not_guessed(log, tail):
    add(log, "the same line again and again, longer than what is remembered of it\n" * 100)
    tail.read()
    log.write_text(log.read_text()[-700:])
    news = tail.read()
    assert (news.gap, len(news.text)) == (True, 700)


def test_the_device_may_have_another_number_after_a_boot(log, tail):
    kept = tail.kept() | {"device": 12345}
    add(log, "meanwhile\n")
    tail = FileTail(str(log))
    tail.take_up(kept)
    assert tail.read().text == "meanwhile\n"


@pytest.mark.parametrize(
    "change",
    [
        {"mark": "no hex"},
        {"position": -5},
        {"position": "x"},
        {"inode": None},
        {"mark": 7},
        {"changed_ns": float("inf")},
        {"position": 1},
    ],
)
def test_a_place_that_is_none_is_passed_over(log, tail, change):
    made = FileTail(str(log))
    made.take_up(tail.kept() | change)
    add(log, "new\n")
    assert made.read().text in ("", "new\n")
    add(log, "more\n")
    assert made.read().text.endswith("more\n")


def test_a_log_that_grew_by_a_gigabyte(log, tail):
    with log.open("r+b") as file:  # a hole costs nothing, and reads as zeros
        file.seek(0, os.SEEK_END)
        file.truncate(file.tell() + 1_000_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\nnewest\n")
    tracemalloc.start()
    news = tail.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert news.text.endswith("newest\n")
    assert news.skipped >= 1_000_000_000 - tailing.LOOK_BYTES
    assert peak < 6 * tailing.LOOK_BYTES
    assert tail.read().text == ""


RESTARTS = st.lists(st.sampled_from(["line", "look", "restart", "rename", "copytruncate"]), max_size=25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=RESTARTS)
def test_every_line_once_over_restarts_and_rotations(tmp_path_factory, steps):
    """Any number of rotations by renaming, or by copying, between two looks; the daemon may start anew at any time."""
    log = tmp_path_factory.mktemp("any") / "app.log"
    log.write_text("start of the log, long enough to be told from another\n")
    tail = FileTail(str(log))
    tail.read()
    written, seen, way, rotations = [], "", "", 0
    for number, step in enumerate([*steps, "look", "look"]):
        if step == "line":
            written.append(f"line {number} {'x' * (number % 7)}\n")
            add(log, written[-1])
        elif step == "look":
            seen += tail.read().text
            way, rotations = "", 0
        elif step == "restart":
            tail = again(log, tail)
        elif way in ("", step) and rotations < 5 and tail.place is not None and tail.place.position:
            if log.stat().st_size == 0:
                continue  # an empty file is not rotated
            way, rotations = step, rotations + 1
            old = log.with_name(f"app.log.{number}")
            if step == "rename":
                log.rename(old)
                log.touch()
            else:
                old.write_bytes(log.read_bytes())
                os.truncate(log, 0)
            stamp = 2_000_000_000_000_000_000 + number * 1_000_000_000
            os.utime(old, ns=(stamp, stamp))
    assert seen == "".join(written)
