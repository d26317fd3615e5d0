"""What must never be shown, and what must stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model import secrets
from autonomyd.model.secrets import masked, masked_plain, masked_words

SECRET = "s3cr3tV4lue99"
HIDDEN = [
    f"postgresql://app:{SECRET}@db.example.org:5432/shop",
    f"redis://:{SECRET}@127.0.0.1:6379/0 refused",
    f"amqp://user:p@{SECRET}@host/vhost",
    f"Authorization: Bearer {SECRET}",
    f"authorization: Basic {SECRET}==",
    f"got Bearer {SECRET} from the client",
    f'{{"password": "{SECRET}", "user": "web"}}',
    f"password={SECRET} host=db",
    f"DB_PASSWORD={SECRET}",
    f"PGPASSWORD='{SECRET}'",
    f"api_key={SECRET}&x=1",
    f"https://example.org/?token={SECRET}&page=2",
    f"x-api-key: {SECRET}",
    f"aws_secret_access_key = {SECRET}/abc",
    f"mysqldump --password {SECRET} shop",
    f"Set-Cookie: session={SECRET}; Path=/",
    f"client_secret => {SECRET}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}",
    f"ghp_{SECRET}{SECRET}",
    f"eyJhbGciOiJI.eyJzdWIiOiI.{SECRET}",
]
SHOWN = [
    "GET /index.html HTTP/1.1 200",
    "OperationalError: could not connect to server: Connection refused",
    "password authentication failed for user web",
    "the task-queue has 5 entries",
    "http://example.org/a@b",
    "tokens per second: high",
    "basic setup finished",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_masked(text):
    shown = masked(text)
    assert SECRET not in shown
    assert "***" in shown


@pytest.mark.parametrize("text", SHOWN)
def test_ordinary_words_stay(text):
    assert masked(text) == text


def test_the_rest_of_the_line_stays():
    assert masked("connect postgresql://a:b@db/shop failed") == "connect postgresql://***@db/shop failed"
    assert masked("AKIAABCDEFGHIJKLMNOP denied") == "*** denied"


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once(text):
    assert masked(masked(text)) == masked(text)


PIECES = [
    *HIDDEN,
    *SHOWN,
    "pass",
    "Pass: ",
    "--pass ",
    "my-pass x",
    "-",
    "=",
    "\n",
    "\u017f",
    "pa\u017f\u017fword=x1",
    "Token abcdefgh",
    "all checks pass",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=9), max_size=6).map("".join))
def test_the_quick_look_misses_nothing(text):
    assert masked(text) == secrets._thoroughly(text)


def test_a_secret_that_is_a_word_of_its_own_is_masked():
    assert masked_words(["x", "--password", SECRET, "--port", "80", f"--token={SECRET}", "-api-key", SECRET]) == [
        "x", "--password", "***", "--port", "80", "--token=***", "-api-key", "***",
    ]  # fmt: skip
    assert masked_words([]) == []


def test_answers_are_masked_at_every_depth():
    value = {"a": [{"argv": ["run", "--token", SECRET]}, 1, None], "b": f"password={SECRET}", "c": [["x"], True]}
    assert masked_plain(value) == {
        "a": [{"argv": ["run", "--token", "***"]}, 1, None], "b": "password=***", "c": [["x"], True],
    }  # fmt: skip
