"""How handlers are run: order, threads, failures, printing, limits and the end."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading

import pytest

from tcnb.routing import Router, delivery


def test_order_is_kept_within_a_chat(post, seen):
    """Events of a chat are handled one after the other, whatever a handler waits for."""

    @post.router.message()
    async def on_message(message):
        for _ in range(int(message.text)):
            await asyncio.sleep(0)
        seen.note(message.text)

    numbers = [str(number) for number in (50, 3, 20, 0, 7)]
    for number in numbers:
        post.say(number)
    assert seen.take(5) == numbers


def test_chats_do_not_wait_for_each_other(post, seen):
    """A handler that waits in one chat does not hold up another."""
    goes_on = threading.Event()

    @post.router.message()
    def on_message(message):
        if message.text == "wait":
            assert goes_on.wait(30)
        seen.note(message.text)

    post.say("wait", chat="c1")
    post.say("after", chat="c1")
    post.say("elsewhere", chat="c2")
    assert seen.next() == "elsewhere"
    goes_on.set()
    assert seen.take(2) == ["wait", "after"]


def test_where_handlers_run(post, seen):
    """Async handlers share a thread of their own, plain ones get another, and offering returns at once."""

    @post.router.message(text="async")
    async def on_async(message):
        seen.note(threading.current_thread().name)

    @post.router.message(text="plain")
    def on_plain(message):
        seen.note(threading.current_thread().name)

    post.say("async")
    post.say("plain")
    first, second = seen.take(2)
    assert first == "test handlers"
    assert second.startswith("test handler_")


def test_plain_function_may_return_what_is_to_be_awaited(post, seen):
    """A lambda over a coroutine works."""

    async def answer(text):
        seen.note(text)

    post.router.message()(lambda message: answer(message.text))
    post.say("hello")
    assert seen.next() == "hello"


def test_what_a_handler_takes(post, seen):
    """Besides the event a handler gets by name what it asks for, and may ask for nothing at all."""

    @post.router.message(text="names")
    async def on_names(event, bot, update, *, tc, other="default"):
        seen.note((event.text, bot.me_id, update.method, tc, other))

    @post.router.message(text="nothing")
    def on_nothing():
        seen.note("called")

    @post.router.message(command="echo")
    async def on_echo(message, command):
        seen.note(command.args)

    for text in ("names", "nothing", "/echo hello"):
        post.say(text)
    assert seen.take(3) == [
        ("names", "robot@practice.local", "sendMessage", "the session", "default"),
        "called",
        "hello",
    ]


@pytest.mark.parametrize("error", [KeyError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("is_async", [True, False])
def test_failure_is_kept_and_stops_nothing(post, seen, error, is_async):
    """An exception is kept with its traceback, counted, told, and the next event is handled."""

    def fail(message):
        if message.text == "bad":
            raise error("bad")
        seen.note(message.text)

    async def fail_awaited(message):
        fail(message)

    post.router.message()(fail_awaited if is_async else fail)
    post.say("bad", chat="c7")
    post.say("good", chat="c7")
    assert seen.next() == "good"
    (failure,) = post.router.failures
    assert post.failures == [failure]
    assert (failure.event, failure.chat_id) == ("message", "c7")
    assert failure.error.startswith(error.__name__)
    assert 'raise error("bad")' in str(failure)
    assert "routing/handlers.py" not in str(failure)
    (handler,) = post.router.handlers
    assert (handler.calls, handler.failures, handler.last_error) == (2, 1, failure.error)
    assert (post.delivery.handled, post.delivery.failed) == (2, 1)


def test_notes_stand_in_the_traceback_alone(post):
    """The line that tells a failure is the exception, whatever notes libraries have added to it."""

    @post.router.message()
    async def on_message(message):
        error = ValueError("bad text")
        error.add_note("seen while reading\nline 3")
        raise error

    post.say("bad")
    post.settle()
    (failure,) = post.router.failures
    assert failure.error == "ValueError: bad text"
    assert "line 3" in str(failure)


def test_cancelled_inside_is_a_failure(post, seen):
    """What a handler awaits may be cancelled; the chat goes on."""

    @post.router.message()
    async def on_message(message):
        if message.text == "bad":
            raise asyncio.CancelledError
        seen.note(message.text)

    post.say("bad")
    post.say("good")
    assert seen.next() == "good"
    assert "CancelledError" in post.router.failures[0].error


class Stop(BaseException):
    """An exception that is no `Exception`, as test runners and other loops have."""


async def leave():
    sys.exit(3)


async def leave_inside_a_wait():
    await asyncio.wait_for(leave(), 30)


async def leave_inside_a_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(leave())


async def leave_in_a_task():
    await asyncio.wait([asyncio.create_task(leave())])


async def leave_in_a_forgotten_task():
    asyncio.create_task(leave())  # noqa: RUF006
    await asyncio.sleep(0)


async def leave_later():
    asyncio.get_running_loop().call_soon(sys.exit, 3)
    await asyncio.sleep(0)


async def stop_the_loop():
    asyncio.get_running_loop().stop()


async def cancel_itself():
    asyncio.current_task().cancel()


async def cancel_itself_and_wait():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


async def cancel_everything():
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)


async def raise_another():
    raise Stop


async def raise_the_end_of_a_generator():
    raise GeneratorExit


@pytest.mark.parametrize(
    ("deed", "said", "by"),
    [
        (leave_inside_a_wait, "SystemExit: 3", "on_message"),
        (leave_inside_a_group, "SystemExit: 3", "on_message"),
        (leave_in_a_task, "SystemExit: 3", "on_message"),
        (leave_in_a_forgotten_task, "SystemExit: 3", "on_message"),
        (leave_later, "SystemExit: 3", "on_message"),
        (stop_the_loop, "RuntimeError: something called stop()", ""),
        (cancel_itself, "CancelledError", "on_message"),
        (cancel_itself_and_wait, "CancelledError", "on_message"),
        (cancel_everything, "CancelledError", "on_message"),
        (raise_another, "Stop", "on_message"),
        (raise_the_end_of_a_generator, "GeneratorExit", "on_message"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_handler_ends_nothing_but_itself(post, seen, deed, said, by):
    """Whatever a handler does to its task, its loop or its process is one failure of its own, and all else goes on."""
    goes_on = asyncio.Event()

    @post.router.message(text="bad")
    async def on_message(message):
        await deed()

    @post.router.message(text="wait")
    async def on_wait(message):
        seen.note("waiting")
        await goes_on.wait()
        seen.note("waited")

    @post.router.message()
    async def on_other(message):
        goes_on.set()
        seen.note(message.text)

    if deed is not cancel_everything:
        post.say("wait", chat="c2")
        assert seen.next() == "waiting"
    for number in range(2):
        post.say("bad", chat="c1")
        post.say(f"later {number}", chat="c1")
        while (noted := seen.next()) != f"later {number}":
            assert noted == "waited"
        post.settle()
        gc.collect()
        post.settle()
        assert len(post.router.failures) == post.delivery.failed == number + 1
    post.say("elsewhere", chat="c3")
    while (noted := seen.next()) != "elsewhere":
        assert noted == "waited"
    assert said in post.router.failures[-1].error
    assert {failure.handler for failure in post.router.failures} == {by}
    assert post.failures == list(post.router.failures)


def test_error_in_a_task_that_a_handler_left_behind_is_its_failure(post, seen):
    """What a handler starts and does not wait for fails as loudly as the handler itself."""

    @post.router.message()
    async def on_message(message):
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        seen.note("done")

    post.say("hello")
    assert seen.next() == "done"
    post.settle()
    (failure,) = post.router.failures
    assert (failure.handler, failure.error) == ("on_message", "ZeroDivisionError: division by zero")


def test_loop_that_a_handler_has_broken_is_replaced(post, seen):
    """A loop that cannot run any more is noted, and another one goes on with what waits."""

    @post.router.message()
    async def on_message(message):
        if message.text == "bad":
            asyncio.get_running_loop()._selector.close()
            await asyncio.sleep(3600)
        seen.note(message.text)

    post.say("bad", chat="c1")
    post.say("next", chat="c1")
    post.say("elsewhere", chat="c2")
    assert {seen.next(), seen.next()} == {"next", "elsewhere"}
    assert post.router.failures


def test_iterator_that_ends_in_a_plain_handler_is_a_failure(post, seen):
    """`next` of an empty iterator is an error like any other."""

    @post.router.message()
    def on_message(message):
        if message.text == "bad":
            next(iter([]))
        seen.note(message.text)

    post.say("bad")
    post.say("good")
    assert seen.next() == "good"
    assert "StopIteration" in post.router.failures[0].error


def test_filter_that_wants_to_leave_does_not_hold(post, seen, texts):
    """A filter that raises `SystemExit` is a failure of its handler, and the event goes on to the next one."""
    post.router.message(lambda message: sys.exit(3))(texts("first"))
    post.router.message()(texts("second"))
    post.say("hello")
    assert seen.next() == ("second", "hello")
    assert [failure.handler for failure in post.router.failures] == ["on_first"]


def test_failures_of_routers_below_reach_the_top(post, texts):
    """A failure stands in the router of its handler and in the uppermost one."""
    one, two = Router("one"), Router("two")
    post.router.include_routers(one, two)
    two.message()(lambda message: 1 / 0)
    post.say("x")
    post.settle()
    assert [len(router.failures) for router in (post.router, one, two)] == [1, 0, 1]


def test_failing_filter_is_counted_and_does_not_hold(post, seen, texts):
    """A filter that raises is a failure of its handler, and the event goes on to the next one."""
    post.router.message(lambda message: 1 / 0)(texts("first"))
    post.router.message()(texts("second"))
    post.say("hello")
    assert seen.next() == ("second", "hello")
    assert post.router.handlers[0].failures == 1
    assert post.router.handlers[0].calls == 0


def test_failing_middleware_is_kept(post, texts):
    """What goes wrong outside of any handler is kept as well."""

    async def broken(handler, event, data):
        raise RuntimeError("broken")

    post.router.outer_middleware(broken)
    post.router.message()(texts("never"))
    post.say("hello")
    post.settle()
    assert [(failure.handler, failure.error) for failure in post.router.failures] == [("", "RuntimeError: broken")]


def test_unreadable_event_is_kept(post, texts):
    """A notification that is no object is a failure, not the end."""
    post.router.message()(texts("it"))
    post.send("sendMessage", [1, 2])
    post.settle()
    assert "MalformedFrameError" in post.router.failures[0].error


def test_failures_are_bounded(post):
    """Only the last hundred are kept, all are counted."""
    post.router.message()(lambda message: 1 / 0)
    for _ in range(130):
        post.say("x")
    post.settle()
    assert (len(post.router.failures), post.delivery.failed) == (100, 130)


@pytest.mark.parametrize("is_async", [True, False])
def test_printing_goes_to_the_handlers_output(post, seen, capsys, is_async):
    """What a handler prints lands in no cell; it is kept as its output."""
    import sys

    def speak(message):
        print("said", message.text)
        print("warned", file=sys.stderr)
        seen.note("done")

    async def speak_awaited(message):
        speak(message)

    post.router.message()(speak_awaited if is_async else speak)
    post.say("hello")
    seen.next()
    post.settle()
    print("mine")
    assert capsys.readouterr() == ("mine\n", "")
    assert post.router.handlers[0].output == "said hello\nwarned\n"


def test_others_print_as_ever_while_a_handler_runs(post, seen, capsys):
    """Printing elsewhere goes where it always goes."""
    goes_on = threading.Event()

    @post.router.message()
    def on_message(message):
        print("inside")
        seen.note("started")
        assert goes_on.wait(30)

    post.say("hello")
    seen.next()
    print("outside")
    goes_on.set()
    post.settle()
    assert capsys.readouterr().out == "outside\n"


PRINTING = """
import sys, threading
from tcnb.routing.output import captured

class Slow:
    def write(self, text):
        writing.set()
        assert has_ended.wait(30)
        sys.__stdout__.write(text)

    def flush(self):
        sys.__stdout__.flush()

def handle():
    with captured():
        begun.set()
        assert writing.wait(30)
    [Slow() for _ in range(10_000)]  # takes the memory of whatever was dropped
    has_ended.set()

begun, writing, has_ended = (threading.Event() for _ in range(3))
sys.stdout = Slow()
threading.Thread(target=handle).start()
assert begun.wait(30)
print("a cell", "prints")
"""


def test_stream_that_is_being_written_to_stays():
    """A cell that prints while the last handler ends does not lose its stream, and the kernel with it."""
    ran = subprocess.run([sys.executable, "-c", PRINTING], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a cell prints\n", "")


def test_long_output_is_cut_at_its_beginning(post, seen):
    """Of endless printing the end is kept."""
    post.router.message()(lambda message: print("x" * 20_000 + "end"))
    post.say("hello")
    post.settle()
    output = post.router.handlers[0].output
    assert len(output) == 10_000
    assert output.endswith("end\n")


def test_message_sent_again_is_handled_once(post, seen, texts):
    """A message that the server sends again after a break reaches no handler again."""
    post.router.message()(texts("it"))
    message_id = post.say("once")
    post.say("again", messageId=message_id)
    post.say("next")
    assert seen.take(2) == [("it", "once"), ("it", "next")]


def test_full_line_is_counted_and_other_chats_go_on(post, seen, monkeypatch):
    """Beyond what may wait in a chat events are counted, and the loop that offers them never waits."""
    monkeypatch.setattr(delivery, "MOST_WAITING", 5)
    goes_on = threading.Event()

    @post.router.message()
    def on_message(message):
        seen.note(message.text)
        assert goes_on.wait(30)

    post.say("0")
    assert seen.next() == "0"
    for number in range(1, 11):
        post.say(str(number))
    assert (post.delivery.waiting, post.delivery.overflowed) == (5, 5)
    goes_on.set()
    assert seen.take(5) == ["1", "2", "3", "4", "5"]


def test_nothing_is_looked_at_without_a_handler_for_it(post, texts):
    """Without a handler for its kind a notification is not even decoded, and no thread is started."""
    post.router.removed_chat()(texts("it"))
    post.say("hello")
    assert post.delivery._thread is None
    assert post.delivery.waiting == 0


async def test_closing_gives_time_and_then_cancels(post, seen):
    """What is under way may end; what does not end is cancelled; what waits is counted."""

    @post.router.message(text="quick")
    async def on_quick(message):
        seen.note("begun")
        await asyncio.sleep(0.01)
        seen.note("ended")

    @post.router.message(text="endless")
    async def on_endless(message):
        seen.note("begun")
        try:
            await asyncio.Event().wait()
        finally:
            seen.note("cancelled")

    post.say("endless", chat="c1")
    post.say("never", chat="c1")
    post.say("quick", chat="c2")
    assert seen.take(2) == ["begun", "begun"]
    await post.delivery.close(2.0)
    assert seen.take(2) == ["ended", "cancelled"]
    assert post.delivery.overflowed == 1
    assert not post.router.failures
    post.say("too late", chat="c3")
    assert post.delivery.waiting == 0


async def test_closing_leaves_a_blocked_handler_to_itself(post, seen):
    """A handler that blocks its thread holds nothing up."""
    goes_on = threading.Event()

    @post.router.message()
    async def on_message(message):
        seen.note("begun")
        goes_on.wait(30)

    post.say("hello")
    seen.next()
    await post.delivery.close(0.05)
    assert post.delivery.running == ["on_message"]
    goes_on.set()
