"""What an HTTP check could never send is refused when the configuration is read, not blamed on the service."""

import pytest
from pydantic import ValidationError

from autonomyd.host.failure import HttpFailure
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes.http import HttpOptions
from autonomyd.monitor.remote import without_answer


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "http://me:hush@host/"}, "a user name or password in it would end in logs; use a header"),
        ({"url": "http://host:99999/"}, "bad url"),
        ({"url": "http:///path"}, "no host"),
        ({"method": "CONNECT"}, "bad method"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "bad header 'X-A'"),
        ({"headers": {"Content-Length": "1"}}, "bad header 'Content-Length'"),
    ],
)
def test_what_can_t_be_sent_is_refused(more, words):
    with pytest.raises(ValidationError, match=words) as refused:
        HttpOptions(**{"type": "http", "url": "http://localhost/"} | more)
    (error,) = refused.value.errors()
    assert error["loc"] == tuple(more)


async def test_a_request_that_never_left_says_nothing_about_the_service():
    look = await without_answer("", HttpFailure("bad url", stage="request"))
    assert look.state is ReadingState.UNKNOWN
