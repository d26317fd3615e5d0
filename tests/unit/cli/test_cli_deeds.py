"""Every kind of step has its words."""

from typing import get_args

from autonomyd.cli.views.deeds import _DEEDS, deed
from autonomyd.model.step import RunCommand, SetNumber, Step, WriteFile
from autonomyd.model.wire import plain


def test_every_kind_of_step_can_be_told():
    assert set(_DEEDS) == {kind.__name__ for kind in get_args(Step)}


def test_what_is_told_of_files_numbers_and_commands():
    steps = (
        WriteFile(path="/etc/a", sha256="x", before_sha256=None),
        SetNumber(path="/etc/a", format="toml", key="c.delay", before=0.8, after=1.2),
        RunCommand(argv=("/bin/x", "--password=y")),
    )
    assert deed(plain(steps)) == "/etc/a was written; c.delay in /etc/a was changed from 0.8 to 1.2; /bin/x was run"


def test_a_configuration_that_was_put_back_is_one_deed():
    beside = "/etc/a.autonomyd-bad-20261121T130250"
    paths = (beside, f"{beside}.diff", "/etc/a", "/etc/b")
    steps = tuple(WriteFile(path=path, sha256="x", before_sha256=None) for path in paths)
    kept = "a.autonomyd-bad-20261121T130250"
    assert deed(plain(steps)) == f"/etc/a was put back, and the bad one kept as {kept}; /etc/b was written"
