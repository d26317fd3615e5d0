"""A blocking call in its own thread: its result, its error, and a hang that holds up nobody."""

import asyncio
import threading

import pytest

from autonomyd.aio.offload import in_thread


async def test_the_result_comes_back_from_another_thread():
    assert await in_thread(threading.get_ident) != threading.get_ident()


async def test_the_error_comes_back():
    def fail():
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await in_thread(fail)


async def test_a_hung_thread_delays_nobody_and_is_left_behind_when_its_waiter_gives_up():
    hanging, release, ended = threading.Event(), threading.Event(), threading.Event()

    def hang():
        hanging.set()
        release.wait(30)
        ended.set()

    waiter = asyncio.create_task(in_thread(hang))
    assert await in_thread(lambda: hanging.wait(5))
    assert not waiter.done()
    assert await in_thread(lambda: "another") == "another"
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert not ended.is_set()
    release.set()
    assert await in_thread(lambda: ended.wait(5))


def test_a_hung_thread_does_not_keep_the_program_from_ending():
    release, ended = threading.Event(), threading.Event()

    def hang():
        release.wait(30)
        ended.set()

    async def give_up():
        task = asyncio.create_task(in_thread(hang))
        await asyncio.sleep(0)
        task.cancel()

    before = set(threading.enumerate())
    asyncio.run(give_up())
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert all(thread.daemon for thread in left)
    release.set()  # the loop is closed: the late answer goes nowhere, without a complaint
    assert ended.wait(5)
    for thread in left:
        thread.join(5)
