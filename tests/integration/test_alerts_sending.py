"""Messages over the wire: a real receiver that answers, fails, hangs or is not there. No error shows the URL."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from autonomyd.host.failure import NotifyFailure
from autonomyd.host.notifying import check_target, send_message, without_secrets
from tests.boxes.receiver import Receiver

pytest.importorskip("apprise", reason="Apprise is not installed: pip install 'autonomyd[alerts]'")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


async def send(url: str, *, timeout_s: float = 20.0, **more: Any) -> None:
    fields = {"title": "web is down", "body": "line one\nline two <b>", "mood": "failure"} | more
    await send_message(url, timeout_s=timeout_s, **fields)


async def test_a_message_comes_as_it_was_written(receiver: Receiver) -> None:
    await send(receiver.target, title="wéb is down", body="a\nb; $(c) `d` \u2713")
    (got,) = receiver.got
    assert (got["title"], got["message"], got["type"]) == ("wéb is down", "a\nb; $(c) `d` \u2713", "failure")


async def test_a_server_error_is_told_with_its_number(receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(NotifyFailure, match="500") as caught:
        await send(receiver.target)
    assert not caught.value.permanent


async def test_nobody_listens(receiver: Receiver) -> None:
    receiver.down()
    with pytest.raises(NotifyFailure, match="refused") as caught:
        await send(f"json://user:hunter22@127.0.0.1:{receiver.port}/secret-path/?token=abc123")
    for secret in ("hunter22", "secret-path", "abc123", str(receiver.port)):
        assert secret not in caught.value.message


async def test_a_receiver_that_hangs_is_left_at_the_deadline(receiver: Receiver) -> None:
    receiver.hangs = True
    began = time.monotonic()
    with pytest.raises(NotifyFailure, match=r"not sent within 1\.5 s"):
        await send(receiver.target, timeout_s=1.5)
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("url", ["nosuch://s3cret/thing", "slack://T0kenAAAA", "json://"])
async def test_a_url_that_apprise_does_not_take(url: str) -> None:
    for ask in (send(url), check_target(url, timeout_s=20.0)):
        with pytest.raises(NotifyFailure, match="Apprise does not take its URL") as caught:
            await ask
        assert caught.value.permanent
        assert "s3cret" not in caught.value.message
        assert "T0kenAAAA" not in caught.value.message


async def test_a_look_at_a_target_sends_nothing(receiver: Receiver) -> None:
    await check_target(receiver.target, timeout_s=20.0)
    assert receiver.got == []


async def test_without_apprise_it_says_what_to_install(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomyd.host.notifying.LAUNCH", ("-S", "-P"))  # no site-packages
    with pytest.raises(NotifyFailure, match=r"pip install 'autonomyd\[alerts\]'") as caught:
        await send(receiver.target)
    assert caught.value.permanent


def test_every_piece_of_a_url_is_masked() -> None:
    url = "slack://T0ken%2FA/T0kenB@host.example/?x=T0kenC"
    said = "T0ken%2FA T0ken/A T0kenB host.example T0kenC: no"
    assert "T0ken" not in without_secrets(said, url)
