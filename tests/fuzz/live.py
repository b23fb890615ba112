"""What must hold of a live session whatever a server sends: asked of a real session on a real socket, with a feed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, Final

import tcnb
from tcnb.analysis.schema import ANALYSES
from tcnb.journal.raw import payloads
from tcnb.notebook.feed.actions import MOST_CONTENTS
from tcnb.notebook.feed.feed import Feed
from tcnb.routing.events import KINDS
from tcnb.types.base import WireObject
from tcnb.wire.exchange import Exchange, Malformed
from tests.fuzz.oracle import request_id
from tests.fuzz.server import CHAT, ENVELOPE, ME, FuzzServer

PATIENCE: Final = 30.0
"""Seconds in which something must happen that takes a moment."""

WAITED: Final = ("message", "system_message", "edited_message", "callback_query", "removed_message")
"""Kinds of events that somebody waits for."""


def by_me(text: bytes) -> bytes:
    """Return a frame in which the session's own account does what somebody else did."""
    return text.replace(b"alice@video.example.com", ME.encode())


class Page:
    """A stand-in for the feed's page: keeps what would have gone to the browser, and asks as the page does."""

    def __init__(self, feed: Feed) -> None:
        self.messages: list[dict[str, Any]] = []
        self._feed = feed
        self._came = threading.Condition()
        self._numbers = count(1)
        feed.send = self._take

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        with self._came:
            self.messages.append(json.loads(buffers[0]))
            self._came.notify_all()

    def announced(self, last: int) -> bool:
        """Wait until the page was told of the rows up to a position."""
        with self._came:
            return self._came.wait_for(lambda: any(one.get("last", 0) >= last for one in self.messages), PATIENCE)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask the kernel, and wait for its answer."""
        re = f"fuzz-{next(self._numbers)}"
        self._feed._handle_custom_msg({**request, "re": re}, [])
        with self._came:
            assert self._came.wait_for(lambda: self._answer(re) is not None, PATIENCE), f"no answer to {request}"
        answer = self._answer(re)
        assert answer is not None
        return answer

    def _answer(self, re: str) -> dict[str, Any] | None:
        answers = (answer for message in self.messages for answer in message.get("answers", ()))
        return next((answer for answer in answers if answer.get("re") == re), None)

    def rows(self) -> list[int]:
        """Read the whole timeline back, a page at a time, and return the position of every row."""
        found: list[int] = []
        at: Any = None
        while True:
            answer = self.ask(type="earlier", at=at, limit=500)
            assert "error" not in answer, answer
            found += [row["s"] for row in answer["rows"]]
            at = answer["reached"]
            if at is None:
                return found


class LiveSubject:
    """A session with everything that events reach: a journal, handlers, waiting, a feed.

    Args:
        server: what it is connected to.
        journal: the file of its journal.
    """

    def __init__(self, server: FuzzServer, journal: Path) -> None:
        self.server = server
        self._journal = journal
        self.tc = tcnb.connect(
            "127.0.0.1",
            username="robot",
            password="robot",
            https=False,
            web_port=server.port,
            name="fuzz",
            journal=journal,
        )
        self._numbers = count(1)
        self._changed = threading.Event()
        self._received = 0
        self._told: list[bytes] = []
        self._waiting: list[Any] = []
        self._listen()
        self.feed = Feed(self.tc)
        self.page = Page(self.feed)

    def close(self) -> None:
        """Give back what was opened."""
        for waiting in self._waiting:
            waiting.cancel()
        self.feed.close()
        self.tc.close()

    def _listen(self) -> None:
        self.tc.on_rows(self._changed.set)

        for kind in KINDS:
            getattr(self.tc.router, kind)()(self._handle)
        self.tc.router.message(text="status?")(self._answer)
        self.tc.router.message(command="ping", sender="alice")(self._answer)
        self.tc.router.callback_query(command="approve")(self._answer)
        self._wait()

    async def _handle(self, event: Any) -> None:
        repr(event)
        if isinstance(event, WireObject):
            event.to_json()

    async def _answer(self, event: Any) -> None:
        repr(event)

    def _wait(self) -> None:
        """Have somebody wait for an event of each kind."""
        self._waiting = [one for one in self._waiting if not one.done()]
        for event in WAITED:
            waits = self.tc.await_for(event, timeout=None)
            self._waiting.append(asyncio.run_coroutine_threadsafe(waits, self.tc.loop))

    def read(self, texts: list[bytes]) -> None:
        """Have some texts sent, and look at what must hold behind them.

        Raises:
            AssertionError: it does not hold.
        """
        sockets, acknowledged = self.server.sockets, self.server.acknowledged.copy()
        number = next(self._numbers)
        control = {**ENVELOPE, "messageId": f"control {number}", "chatId": CHAT}
        last = json.dumps({"method": "sendMessage", "type": 1, "id": 2**31 + number, "payload": control}).encode()
        requests = Exchange().receive([*texts, last]).requests
        self._received += len(requests)
        self._told += [one.text if isinstance(one, Malformed) else bytes(one.payload) for one in requests]
        sending = asyncio.run_coroutine_threadsafe(self.tc.asend(CHAT, f"sent {number}"), self.tc.loop)
        self.server.push([*texts, last])
        assert sending.result(PATIENCE).message_id, "a send that was answered looks as if it had failed"
        assert self.server.wait_until(lambda: self.server.acknowledged[2**31 + number] > 0), self._state()
        wanted = Counter(id for text in texts if (id := request_id(text)) is not None)
        missed = wanted - (self.server.acknowledged - acknowledged)
        assert not missed, f"requests {dict(missed)} were not acknowledged"
        assert self._until(lambda: self.tc.status().received >= self._received and not self.tc.status().uncommitted)
        self._check(sockets)
        self._wait()

    def _check(self, sockets: int) -> None:
        status = self.tc.status()
        # That an event could not be read as what it claims to be is told like the failure of a handler.
        failures = [one for one in self.tc.router.failures if "MalformedFrameError" not in one.error]
        assert not failures, "\n".join(one.traceback or one.error for one in failures)
        assert self.server.sockets == sockets, f"the connection broke: {self._state()}"
        assert status.state == "connected", self._state()
        assert (status.failures, status.internal_errors) == (0, 0), self._state()
        assert status.received == self._received
        assert self._until(lambda: self.tc.status().events >= status.received - status.duplicates), self._state()
        assert self.page.announced(self.tc.record.last_seq)

    def check_all(self) -> None:
        """Ask the session and its feed for everything that they can be asked for.

        Raises:
            AssertionError: a row is missing from what a page can load.
        """
        for view in (self.tc.df, self.tc.messages, self.tc.chats, self.tc.people, self.tc.files, self.tc.edits):
            repr(view)
            view._repr_html_()
        kept = payloads(self._journal, self.tc.df["seq"].tolist())
        lost = Counter(self._told) - Counter(map(bytes, kept.values()))
        assert lost.total() <= self.tc.status().duplicates, f"not in the journal: {list(lost)[:5]}"
        rows = self.page.rows()
        assert sorted(rows) == self.tc.df["seq"].tolist(), "rows that no page can load"
        for start in range(0, len(rows), MOST_CONTENTS):
            answer = self.page.ask(type="contents", seqs=rows[start : start + MOST_CONTENTS])
            assert "refused" not in answer, answer
        for analysis in ANALYSES:
            repr(getattr(self.tc.df.tc, analysis)())
        repr(self.tc.df.tc.activity("W", tz="Asia/Tokyo"))
        for shown in (self.tc, self.tc.status(), self.feed):
            repr(shown)
        self.tc.status()._repr_html_()
        json.loads(self.feed._opening_state())
        self.feed._repr_mimebundle_()

    def _state(self) -> str:
        status = self.tc.status()
        return f"{status!r}\n{status.last_internal_error}"

    def _until(self, condition: Any) -> bool:
        for _ in range(int(PATIENCE * 10)):
            if condition():
                return True
            self._changed.wait(0.1)
            self._changed.clear()
        return False
