"""The feed's kernel side: what it sends, how often, and what it answers; the page's side is tested in a browser."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

from tcnb.notebook.feed import feed as feed_module
from tcnb.notebook.feed.feed import INTERVAL, LARGEST_BATCH, Feed
from tcnb.record.record import Record
from tcnb.routing import Router
from tcnb.routing.handlers import Failure

NOW = 1_767_000_000_000
"""When everything arrives, in milliseconds since 1970."""

UNIT = 5.0
"""Seconds a test waits at most for something that comes much sooner."""


class StandInSession:
    """A stand-in for a connected session: a real loop in a real thread and a real record, but no server."""

    name = "default"
    server = "practice.local"
    me_id = "robot@practice.local"
    journal_path = None
    kept_frames = None
    restored_seq = 0

    def __init__(self) -> None:
        self.record = Record(self.me_id)
        self.state: dict[str, Any] = {"state": "connected", "reason": None, "retry_at": None}
        self.people: dict[str, str] = {}
        self.row_listeners: list[Callable[[], None]] = []
        self.state_listeners: list[Callable[[dict[str, Any]], None]] = []
        self.failure_listeners: list[Callable[[Failure], None]] = []
        self.router = Router()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def _watched(self, chat: str) -> str:
        return chat

    def known_people(self) -> list[tuple[str | None, str]]:
        return [(name, user_id) for user_id, name in self.people.items()]

    def on_rows(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.row_listeners.append(callback)
        return lambda: self.row_listeners.remove(callback)

    def on_state(self, callback: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        self.state_listeners.append(callback)
        return lambda: self.state_listeners.remove(callback)

    def on_failure(self, callback: Callable[[Failure], None]) -> Callable[[], None]:
        self.failure_listeners.append(callback)
        return lambda: self.failure_listeners.remove(callback)

    def on_loop(self, work: Callable[[], Any]) -> Any:
        """Do something on the bot's loop and wait for it."""

        async def do() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self.loop).result(UNIT)

    @property
    def df(self) -> pd.DataFrame:
        return self.record.frame()

    def say(
        self, *texts: str, chat: str = "c1", author: str = "alice@practice.local", ago: int = 0, origin: str = "live"
    ) -> None:
        """Let messages arrive in one go that were written so many milliseconds ago, each a millisecond later."""

        def arrive() -> None:
            for text in texts:
                number = len(self.record) + 1
                payload = envelope(text, number, chat, author, NOW + number - ago)
                self.record.append("sendMessage", payload, NOW * 1000, origin=origin)
            for listener in list(self.row_listeners):
                listener()

        self.on_loop(arrive)

    def stop(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(UNIT)
            self.loop.close()


def envelope(text: str, number: int, chat: str, author: str, time: int = NOW) -> bytes:
    """Give the payload of a message notification (`protocol` section 5.1)."""
    payload = {
        "messageId": f"m{number}",
        "chatId": chat,
        "chat": {"chatId": chat, "chatTitle": f"Title of {chat}", "chatType": 2},
        "timestamp": time,
        "isEdited": False,
        "author": {"id": author, "type": 1},
        "box": {"id": number, "position": "0"},
        "type": 200,
        "content": {"text": text, "parseMode": "text"},
    }
    return json.dumps(payload).encode()


class StandInPage:
    """A stand-in for the page: takes the place of the widget's `send` and keeps what would have gone to the browser."""

    def __init__(self, feed: Feed, session: StandInSession) -> None:
        self.messages: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.threads: set[threading.Thread] = set()
        self._feed, self._session = feed, session
        self._came = threading.Condition()
        self._asked = 0
        feed.send = self._take

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        assert content == {"type": "feed"}
        with self._came:
            self.messages.append(json.loads(buffers[0]))
            self.times.append(self._session.loop.time())
            self.threads.add(threading.current_thread())
            self._came.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for messages until the condition holds."""
        with self._came:
            assert self._came.wait_for(condition, UNIT), self.messages

    def parts(self, name: str) -> list[Any]:
        return [message[name] for message in self.messages if name in message]

    @property
    def texts(self) -> list[str]:
        return [row["x"] for batch in self.parts("batch") for row in batch["rows"]]

    @property
    def last(self) -> int:
        """The number up to which batches have announced."""
        return max((batch["last"] for batch in self.parts("batch")), default=0)

    def say(self, **message: Any) -> None:
        """Send what needs no answer, as the page does."""
        self._feed._handle_custom_msg(message, [])

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request as the page does and wait for its answer."""
        self._asked += 1
        re = f"test-{self._asked}"
        self._feed._handle_custom_msg({**request, "re": re}, [])
        self.wait_until(lambda: re in {answer["re"] for answers in self.parts("answers") for answer in answers})
        return next(answer for answers in self.parts("answers") for answer in answers if answer["re"] == re)


@pytest.fixture
def session() -> Iterator[StandInSession]:
    session = StandInSession()
    yield session
    session.stop()


@pytest.fixture
def open_feed(
    session: StandInSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Feed, StandInPage]]]:
    feeds = []

    def open_one(*chats: str, restate: float = 0.0) -> tuple[Feed, StandInPage]:
        monkeypatch.setattr(feed_module, "RESTATE", restate)
        feed = Feed(session, *chats)
        feeds.append(feed)
        page = StandInPage(feed, session)
        session.on_loop(lambda: None)  # the feed listens from here on
        return feed, page

    yield open_one
    for feed in feeds:
        feed.close()


def test_rows_reach_the_page(session, open_feed):
    """New rows are sent with what is shown of them."""
    _, page = open_feed()
    session.say("Hello")
    page.wait_until(lambda: page.texts == ["Hello"])
    row = page.parts("batch")[0]["rows"][0]
    assert row == {
        "s": 1,
        "t": NOW + 1,
        "k": "text",
        "c": "c1",
        "n": "Title of c1",
        "m": "m1",
        "a": "alice@practice.local",
        "x": "Hello",
    }


def test_messages_come_from_the_bots_thread(session, open_feed):
    """Nothing is sent from the kernel's threads, so a busy cell holds nothing up."""
    _, page = open_feed()
    session.say("Hello")
    page.ask(type="open")
    assert page.threads == {session.thread}


def test_at_most_ten_messages_a_second(session, open_feed):
    """Rows that come one by one are gathered: there are never more messages than the interval leaves room for."""
    start = session.loop.time()
    _, page = open_feed()
    count = 0
    while len(page.messages) < 5:
        session.say(str(count))
        count += 1
    page.wait_until(lambda: page.last == count)
    told = [message for message in page.messages if message]  # the heartbeat, which says nothing, has its own pace
    assert len(told) <= (page.times[-1] - start) / INTERVAL + 1


def test_batches_join_without_a_gap(session, open_feed):
    """Each batch begins where the one before ended."""
    _, page = open_feed()
    while len(page.parts("batch")) < 4:
        session.say("one", "two")
    batches = page.parts("batch")
    assert [batch["after"] for batch in batches] == [0, *(batch["last"] for batch in batches[:-1])]


def test_rows_are_repeated_while_a_page_opens(session, open_feed):
    """What is sent before the page has loaded the feed's script is said again, so that it need not ask for it."""
    _, page = open_feed(restate=60.0)
    session.say("unheard")
    page.wait_until(lambda: page.texts == ["unheard"])
    page.messages.clear()
    session.say("heard")
    page.wait_until(lambda: page.texts == ["unheard", "heard"])
    assert page.parts("batch")[0]["after"] == 0


def test_a_quiet_feed_says_how_it_is(session, open_feed):
    """A page that opens hears the state without asking, also when nothing happens."""
    _, page = open_feed(restate=0.3)
    page.wait_until(lambda: len(page.parts("state")) >= 2)


def test_flood_is_announced_and_stays_in_the_record(session, open_feed):
    """Of more rows than fit in a batch the latest are sent, and the page is told where it gets the others."""
    _, page = open_feed()
    session.say(*map(str, range(3 * LARGEST_BATCH)))
    page.wait_until(lambda: page.last == 3 * LARGEST_BATCH)
    (batch,) = page.parts("batch")
    assert [row["s"] for row in batch["rows"]] == list(range(2 * LARGEST_BATCH + 1, 3 * LARGEST_BATCH + 1))
    (gap,) = batch["gaps"]
    assert gap == [NOW + 1, 1, NOW + 2 * LARGEST_BATCH, 2 * LARGEST_BATCH, 2 * LARGEST_BATCH]
    start, end = gap[:2], gap[2:4]
    answer = page.ask(type="earlier", at=[end[0], end[1] + 1], floor=start, limit=LARGEST_BATCH)
    assert [row["s"] for row in answer["rows"]] == list(range(LARGEST_BATCH + 1, 2 * LARGEST_BATCH + 1))
    answer = page.ask(type="earlier", at=answer["reached"], floor=start, limit=LARGEST_BATCH)
    assert [row["s"] for row in answer["rows"]] == list(range(1, LARGEST_BATCH + 1))
    assert answer["reached"] is None


def test_lost_message_is_told_again(session, open_feed):
    """A page that missed a message asks for what was recorded and gets it as it was told."""
    session.say(*map(str, range(50)))
    _, page = open_feed()
    answer = page.ask(type="again", after=10, until=40)
    assert (answer["after"], answer["last"], answer["gaps"]) == (10, 40, [])
    assert [row["s"] for row in answer["rows"]] == list(range(11, 41))


def test_past_is_told_at_its_time(session, open_feed):
    """What is read of the past stands, in batches and in answers, where it was written, and says that it came late."""
    session.say("now")
    _, page = open_feed()
    session.say("long ago", "a little later", ago=60_000, origin="history")
    session.say("later")
    page.wait_until(lambda: page.last == 4)
    rows = page.ask(type="earlier", at=None)["rows"]
    assert [row["x"] for row in rows] == ["long ago", "a little later", "now", "later"]
    told = {row["x"]: row.get("late", 0) for batch in page.parts("batch") for row in batch["rows"]}
    assert told == {"long ago": 1, "a little later": 1, "later": 0}


def test_pages_go_by_time_in_both_directions(session, open_feed):
    """Whatever the order of recording, rows before and behind a place are those that were written then."""
    for minute in (1, 3, 0, 2):
        session.say(f"{minute} a", f"{minute} b", ago=60_000 * minute)
    _, page = open_feed()
    back = page.ask(type="earlier", at=None, limit=3)
    assert [row["x"] for row in back["rows"]] == ["1 b", "0 a", "0 b"]
    further = page.ask(type="earlier", at=back["reached"], limit=3)
    assert [row["x"] for row in further["rows"]] == ["2 a", "2 b", "1 a"]
    on = page.ask(type="later", at=further["reached"], limit=3)
    assert [row["x"] for row in on["rows"]] == ["2 b", "1 a", "1 b"]
    assert page.ask(type="later", at=on["reached"])["reached"] is None


@pytest.mark.parametrize("year", [1970, 3000, 9999])
def test_time_that_cannot_be_is_not_the_end_of_the_feed(session, open_feed, year):
    """A message that claims to be from another age is shown, and what comes after it is still the latest."""
    _, page = open_feed()
    session.say("before")
    session.say("odd", ago=-int(pd.Timestamp(year=year, month=1, day=2).timestamp() * 1000) + NOW)
    session.say("after")
    page.wait_until(lambda: page.last == 3)
    rows = page.ask(type="earlier", at=None)["rows"]
    assert rows[-1]["x"] == "after"
    assert {row["x"] for row in rows} == {"before", "odd", "after"}


def test_flood_in_other_chats_skips_nothing_of_ours(session, open_feed):
    """A feed of one chat gets all rows of it, however many others came with them, and opens with its last ones."""
    _, page = open_feed("c2")
    session.say("ours", chat="c2")
    session.say(*map(str, range(3 * LARGEST_BATCH)))
    page.wait_until(lambda: page.last == 3 * LARGEST_BATCH + 1)
    assert page.texts == ["ours"]
    assert [batch["gaps"] for batch in page.parts("batch")] == [[] for _ in page.parts("batch")]
    feed, _ = open_feed("c2")
    assert [row["x"] for row in json.loads(feed._opening_state())["rows"]] == ["ours"]


def test_page_hears_how_far_somebody_has_looked(session, open_feed):
    """What was recorded before the session counts as looked at; later what a page says, also for the next page."""
    session.say("seen last week", "and this")
    session.restored_seq = 2
    session.say("new")
    feed, page = open_feed()
    assert json.loads(feed._opening_state())["looked"] == [NOW + 2, 2]
    page.say(type="looked", at=[NOW + 3, 3])
    page.say(type="looked", at=[NOW + 1, 1])
    session.on_loop(lambda: None)
    assert json.loads(feed._opening_state())["looked"] == [NOW + 3, 3]


def test_opening_state_is_of_the_moment_it_is_asked_for(session, open_feed):
    """A reloaded page gets the latest rows, not those of the first display."""
    feed, _ = open_feed()
    session.say("later")
    opening = json.loads(feed.get_state("opening")["opening"])
    assert [row["x"] for row in opening["rows"]] == ["later"]
    assert (opening["reached"], opening["last"], opening["state"]["state"]) == (None, 1, "connected")
    assert opening["looked"] is None


def test_feed_shows_the_chats_it_is_given(session, open_feed):
    """Chats are known by their ids, and rows of others are announced without being sent."""
    _, page = open_feed("c1", "c3")
    session.say("one", chat="c1")
    session.say("two", chat="c2")
    session.say("three", chat="c3")
    page.wait_until(lambda: page.last == 3)
    assert page.texts == ["one", "three"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"text": "GREEN"}, ["build 2 is green"]),
        ({"chat": "c2"}, ["build 1 is red"]),
        ({"author": "bob@practice.local"}, ["build 2 is green"]),
        ({"kinds": ["photo"]}, []),
        ({"kinds": ["text"], "chat": "c2", "text": "red"}, ["build 1 is red"]),
    ],
)
def test_search_goes_through_the_record(session, open_feed, wanted, expected):
    """A request with a filter is answered with the rows that pass, wherever they are in the record."""
    session.say("build 1 is red", chat="c2")
    session.say("build 2 is green", author="bob@practice.local")
    session.say(*map(str, range(700)))
    _, page = open_feed()
    answer = page.ask(type="earlier", at=None, limit=50, filter=wanted)
    assert [row["x"] for row in answer["rows"]] == expected
    assert answer["reached"] is None


def test_search_stops_at_its_limit_and_says_where(session, open_feed, monkeypatch):
    """A search through a long record is answered in parts, so that nobody waits long for the first."""
    monkeypatch.setattr(feed_module, "MOST_STEPS", 2)
    session.say(*map(str, range(2000)))
    _, page = open_feed()
    answer = page.ask(type="earlier", at=None, filter={"text": "no such text"})
    assert (answer["rows"], answer["reached"]) == ([], [NOW + 1001, 1001])


def test_bad_requests_are_answered_with_an_error(session, open_feed):
    """What the feed does not understand gets an answer that says so and harms nothing."""
    _, page = open_feed()
    assert "bad request" in page.ask(type="again")["error"]
    assert "bad request" in page.ask(type="earlier", at="x")["error"]
    assert "unknown request" in page.ask(type="dance")["error"]
    session.say("still here")
    page.wait_until(lambda: page.texts == ["still here"])


def test_states_are_told(session, open_feed):
    """The page hears of a lost connection with reason and time of the next try."""
    _, page = open_feed()
    state = {"state": "reconnecting", "reason": "the server is away", "retry_at": 1_767_000_000.5}
    session.on_loop(lambda: [listener(state) for listener in list(session.state_listeners)])
    page.wait_until(lambda: state in page.parts("state"))


def test_last_word_of_a_closing_session_gets_out(session, open_feed):
    """What waits when the session closes is sent at once, before its loop ends."""
    _, page = open_feed()
    closed = {"state": "closed", "reason": None, "retry_at": None}

    def close() -> None:
        session.record.append("sendMessage", envelope("last", 1, "c1", "a@b"), 1)
        for listener in [*session.row_listeners, *(lambda one=one: one(closed) for one in session.state_listeners)]:
            listener()
        session.loop.stop()

    session.loop.call_soon_threadsafe(close)
    session.thread.join(UNIT)
    assert closed in page.parts("state")
    assert page.texts == ["last"]


def test_record_is_readable_after_the_session_is_closed(session, open_feed):
    """Scrolling back goes on when the session's loop has ended."""
    session.say("one", "two")
    _, page = open_feed()
    session.stop()
    assert [row["x"] for row in page.ask(type="earlier", at=[NOW + 3, 0])["rows"]] == ["one", "two"]


def test_names_are_told_when_they_are_learnt(session, open_feed):
    """Display names travel once, apart from the rows, which never change."""
    _, page = open_feed()
    session.people["alice@practice.local"] = "Alice Doe"
    session.say("Hello")
    session.say("Hello again")
    page.wait_until(lambda: page.last == 2)
    assert page.parts("people") == [{"alice@practice.local": "Alice Doe"}]


def test_half_a_surrogate_pair_gets_through(session, open_feed):
    """A broken text neither stops the feed nor vanishes."""
    _, page = open_feed()
    session.people["alice@practice.local"] = "Al\ud800ice"
    session.say("Hello")
    page.wait_until(lambda: page.texts == ["Hello"])
    assert page.parts("people") == [{"alice@practice.local": "Al?ice"}]


def test_close_frees_everything(session, open_feed):
    """A closed feed listens to nothing, sends nothing and may be closed again."""
    feed, page = open_feed()
    session.say("before")
    page.wait_until(lambda: page.texts == ["before"])
    feed.close()
    feed.close()
    session.say("after")
    session.on_loop(lambda: None)
    assert (session.row_listeners, session.state_listeners) == ([], [])
    assert (feed._timer, feed._greeting) == (None, None)
    assert page.texts == ["before"]


def test_failing_socket_is_counted(session, open_feed):
    """A message that the kernel cannot send is counted, and the next one goes out."""
    feed, page = open_feed()
    good = feed.send
    failed = threading.Event()

    def fail(*_: object, **__: object) -> None:
        feed.send = good
        failed.set()
        raise OSError("socket is gone")

    feed.send = fail
    session.say("one")
    assert failed.wait(UNIT)
    session.say("two")
    page.wait_until(lambda: page.texts == ["two"])
    assert feed.unsent == 1
    assert [row["x"] for row in page.ask(type="again", after=0, until=1)["rows"]] == ["one"]


def test_saved_notebooks_and_terminals_get_something(session, open_feed):
    """Beside the live view the output holds a still in HTML and a table in text."""
    feed, _ = open_feed()
    session.say("<script>alert(1)</script> & co")
    data, _ = feed._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == feed.model_id
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "Title of c1" in data["text/plain"]


def still(feed: Feed) -> str:
    """Give what a terminal shows of a feed."""
    return str(feed._repr_mimebundle_()[0]["text/plain"])


def test_still_is_of_the_last_rows_by_time(session, open_feed):
    """What was read of the past does not take the place of the latest rows."""
    session.say(*(f"now {number}" for number in range(30)))
    session.say(*(f"past {number}" for number in range(30)), ago=60_000)
    feed, _ = open_feed()
    assert [line.split()[-1] for line in still(feed).splitlines()[2:]] == [str(number) for number in range(10, 30)]
    assert "past" not in feed._repr_mimebundle_()[0]["text/html"]


def test_still_of_one_chat_is_of_that_chat(session, open_feed):
    """Rows of other chats, however many, do not push those of a feed's own chat out of its still."""
    session.say("the only one", chat="c2")
    session.say(*map(str, range(700)))
    feed, _ = open_feed("c2")
    assert "the only event" in still(feed)
    assert "the only one" in still(feed)


@pytest.mark.parametrize("wanted", [{"text": "NEEDLE"}, {"author": "bob@practice.local"}, {"kinds": ["edit"]}])
def test_still_passes_the_filter_of_the_page(session, open_feed, wanted):
    """A feed that a person filtered shows in its still what passes, from the whole record."""
    session.say("the needle", author="bob@practice.local")
    session.say(*map(str, range(1200)))
    feed, page = open_feed()
    page.say(type="filter", filter=wanted)
    session.on_loop(lambda: None)
    assert ("the needle" in still(feed)) == ("kinds" not in wanted)
    assert "1199" not in still(feed)
    assert ("no events yet" in still(feed)) == ("kinds" in wanted)


def test_selection_stands_in_the_order_of_time(session, open_feed):
    """The rows that pass are in the feed's order, with the labels that they have in `tc.df`."""
    session.say("one", "two")
    session.say("before", ago=60_000)
    feed, _ = open_feed()
    assert feed.selection["text"].tolist() == ["before", "one", "two"]
    assert feed.selection.index.tolist() == [2, 0, 1]
    assert feed.selection.sort_index().equals(session.df)
