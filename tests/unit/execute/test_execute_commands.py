"""Commands of the user: real ones, with what they say masked and bounded, and time-outs that prove nothing."""

import sys

import pytest

from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.steps.commands import SHOWN_CHARS, RunCommandHandler, validated, with_own_validation
from autonomyd.execute.transaction import Validation
from autonomyd.host.command import run_command
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import CommandCheck, Plan, Risk
from autonomyd.model.step import RunCommand

HANDLER = RunCommandHandler(run_command)


def says(code: int, words: str = "", *, wait_s: float = 0.0) -> tuple[str, ...]:
    return (
        sys.executable,
        "-c",
        f"import time; print({words!r}, flush=True); time.sleep({wait_s}); raise SystemExit({code})",
    )


async def test_a_command_is_run_and_taken_back(tmp_path):
    file = tmp_path / "lock"
    step = RunCommand(argv=("touch", str(file)), undo=("rm", "-f", str(file)))
    assert (await HANDLER.apply(step)).ok
    assert file.exists()
    assert (await HANDLER.undo(step)).ok
    assert not file.exists()
    assert await HANDLER.undo(RunCommand(argv=("true",))) is None


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (RunCommand(argv=says(3, "no room")), "ended with code 3: no room"),
        (RunCommand(argv=says(0, wait_s=30), timeout_s=0.3), "did not end within 0.3 s"),
        (RunCommand(argv=("/no/such/program",)), "can't start"),
        (RunCommand(argv=("pwd",), cwd="/no/such/folder"), "is not there"),
    ],
)
async def test_a_command_that_fails_is_a_failed_step(step, word):
    with pytest.raises(StepFailure, match=word):
        await HANDLER.apply(step)


async def test_what_it_says_is_masked_and_bounded():
    result = await HANDLER.apply(RunCommand(argv=says(0, "password=hunter2 " + "x" * 10_000 + " token=abcdef end")))
    assert "hunter2" not in result.message
    assert "abcdef" not in result.message
    assert len(result.message) < 3 * SHOWN_CHARS


CASES = [
    (says(0, "fine"), 5.0, Outcome.HEALED, "passed: fine"),
    (says(2, "502"), 5.0, Outcome.INEFFECTIVE, "code 2: 502"),
    (says(0, wait_s=30), 0.3, Outcome.UNVERIFIED, "could not tell"),
    (("/no/such/program",), 5.0, Outcome.UNVERIFIED, "could not tell"),
]


@pytest.mark.parametrize(("argv", "timeout_s", "outcome", "word"), CASES)
async def test_a_validation_that_does_not_end_shows_nothing(argv, timeout_s, outcome, word):
    found = await validated(CommandCheck(argv=argv, timeout_s=timeout_s), run_command)
    assert found.outcome is outcome
    assert word in found.message


@pytest.mark.parametrize(
    ("checks", "argv", "outcome"),
    [
        (Outcome.HEALED, says(0), Outcome.HEALED),
        (Outcome.HEALED, says(1), Outcome.INEFFECTIVE),
        (Outcome.UNVERIFIED, says(0), Outcome.HEALED),
        (Outcome.INEFFECTIVE, says(0), Outcome.INEFFECTIVE),
        (Outcome.WORSENED, says(0), Outcome.WORSENED),
        (Outcome.HEALED, None, Outcome.HEALED),
        (Outcome.UNVERIFIED, None, Outcome.UNVERIFIED),
    ],
)
async def test_both_the_checks_and_the_own_validation_must_find_it_healed(checks, argv, outcome):
    async def seen(plan: Plan, since: float) -> Validation:
        return Validation(outcome=checks, message="seen")

    plan = Plan(
        strategy="mine", cause=Cause.PROCESS_HUNG, steps=(), confidence=99.0, risk=Risk.LOW, disruptive=False,
        reversible=True, validation=None if argv is None else CommandCheck(argv=argv),
    )  # fmt: skip
    assert (await with_own_validation(seen, run_command)(plan, 0.0)).outcome is outcome
