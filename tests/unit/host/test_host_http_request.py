"""URLs and requests, without a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.host.failure import HttpFailure
from autonomyd.host.http import Target, parse_url, request_bytes


def test_the_parts_of_a_url() -> None:
    assert parse_url("http://127.0.0.1:8000/health?a=b c".replace(" ", "+")) == Target(
        secure=False, host="127.0.0.1", port=8000, authority="127.0.0.1:8000", path="/health?a=b+c"
    )
    assert parse_url("https://[::1]") == Target(secure=True, host="::1", port=443, authority="[::1]", path="/")
    assert parse_url("http://localhost/gr\u00fcn#part").path == "/gr%C3%BCn"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "host:80",
        "http://",
        "http://user:secret@host/",
        "http://host:99999/",
        "http://host:x/",
        "http://host/a b",
        "http://host/a\r\nX: y",
        "http://[::1/",
        "",
    ],
)
def test_a_url_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(HttpFailure) as caught:
        parse_url(url)
    assert caught.value.stage == "request"
    assert "secret" not in caught.value.message


@given(st.text())
def test_any_text_is_a_target_or_a_failure(url: str) -> None:
    for each in (url, "http://" + url, "http://h/" + url):
        try:
            target = parse_url(each)
            raw = request_bytes(target, "GET", ())
        except HttpFailure:
            continue
        assert raw.count(b"\r\n\r\n") == 1
        assert raw.count(b"\n") == 6


def test_own_headers_come_on_top_and_replace_the_defaults() -> None:
    raw = request_bytes(parse_url("http://h:8/x"), "GET", (("Host", "shop"), ("User-Agent", "me"), ("X-A", "1")))
    assert raw == (
        b"GET /x HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nUser-Agent: me\r\nX-A: 1\r\nAccept: */*\r\n\r\n"
    )


@pytest.mark.parametrize(
    "header", [("A b", "x"), ("A", "x\r\nB: y"), ("", "x"), ("Content-Length", "5"), ("A", "\u20ac")]
)
def test_a_header_that_would_change_the_request_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(HttpFailure):
        request_bytes(parse_url("http://h/"), "GET", (header,))


def test_a_method_is_one_word() -> None:
    with pytest.raises(HttpFailure):
        request_bytes(parse_url("http://h/"), "GET /x HTTP/1.1\r\nA:", ())
