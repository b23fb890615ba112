"""The live feed: a widget that shows a session's events as they come; its page is in `feed*.js`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import traitlets

from tcnb.console import one_line
from tcnb.errors import JournalError
from tcnb.journal.raw import payloads
from tcnb.notebook.feed import actions
from tcnb.notebook.feed.contents import brief, content_of
from tcnb.notebook.feed.rows import Filter, personal_chat_of, place_of, short_form
from tcnb.notebook.feed.selection import select
from tcnb.notebook.feed.static_fallback import still_html, still_text
from tcnb.notebook.widgets.refusals import refusal
from tcnb.notebook.widgets.static_fallback import with_still
from tcnb.notebook.widgets.widget import (
    HEARTBEAT,
    SessionWidget,
    as_json,
    let_requests_choose_their_thread,
    page_script,
    page_style,
)
from tcnb.record.timeline import Condition, Page, Place, Recorded
from tcnb.routing.handlers import Failure

if TYPE_CHECKING:
    import pandas as pd

    from tcnb.client.directory.directory import Directory

FEED_FILES: Final = (
    "feed/page/feed.js",
    "feed/page/feed_timeline.js",
    "feed/page/feed_items.js",
    "feed/page/feed_contents.js",
    "feed/page/feed_dock.js",
)
"""The page's side, beside what all widgets share."""

INTERVAL: Final = 0.1
"""Seconds between two messages to the front end: at most ten a second (the design, section 4)."""

LARGEST_BATCH: Final = 500
"""Rows in one batch. When more wait, the page is told where the earlier ones are, and fetches them when looked at."""

OPENING_ROWS: Final = 200

RESTATE: Final = 3.0
"""Seconds after a page got its first rows during which batches repeat what came since.

What is sent while the page still loads the feed's script is heard by nobody. The page could ask for it, but in hosts
that handle requests on the main thread it would get no answer while a cell runs.
"""
STILL_ROWS: Final = 20

SCAN_STEP: Final = 500
"""Rows in which a text is looked for at once, so that a search through a long record never holds up the bot's loop."""

MOST_STEPS: Final = 40
"""Readings of the record for one answer; the front end asks on from there while a person keeps looking."""

FAILURES: Final = 20
"""Exceptions in handlers that a page gets when it opens."""


class Record(Protocol):
    """What the feed reads of a record; any thread may ask."""

    @property
    def last_seq(self) -> int: ...
    def rows(self, after: int, limit: int) -> list[dict[str, Any]]: ...
    def earlier(self, place: Place | None, limit: int, condition: Condition | None = None) -> Page: ...
    def later(self, place: Place | None, limit: int, condition: Condition | None = None) -> Page: ...
    def recorded(self, after: int, until: int, limit: int, condition: Condition | None = None) -> Recorded: ...
    def frame(self) -> pd.DataFrame: ...


class Source(actions.Session, Protocol):
    """What the feed needs of a session."""

    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def me_id(self) -> str | None: ...
    @property
    def router(self) -> Any: ...
    @property
    def record(self) -> Record: ...
    @property
    def restored_seq(self) -> int: ...
    @property
    def df(self) -> pd.DataFrame: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def state(self) -> Mapping[str, Any]: ...
    @property
    def _directory(self) -> Directory: ...
    def _watched(self, chat: Any) -> str: ...
    def known_people(self) -> list[tuple[str | None, str]]: ...
    def on_rows(self, callback: Callable[[], None]) -> Callable[[], None]: ...
    def on_state(self, callback: Callable[[dict[str, Any]], None]) -> Callable[[], None]: ...
    def on_failure(self, callback: Callable[[Failure], None]) -> Callable[[], None]: ...


class Feed(SessionWidget):
    """Show the events of a session as rows as they come, in the order of time, in batches, while cells run.

    `chats` are ids, titles or people; without any, all chats are shown. `height` is the height in pixels.
    What a person picks in the page (chat, author, kind, text) is there as a DataFrame in `selection`.
    With `on_chat` the page offers no choice of chats: they are chosen elsewhere, and a name that is clicked
    is handed to it as an id, on the session's loop.
    """

    kind = "feed"
    page = page_script(*FEED_FILES)
    _css = page_style("feed/page/feed.css")

    # Computed whenever the state is asked for, so that a reloaded page starts with the rows of that moment.
    opening = traitlets.Unicode().tag(sync=True, to_json=lambda _value, feed: feed._opening_state())
    height = traitlets.Int(440, min=160).tag(sync=True)

    def __init__(
        self, session: Source, *chats: Any, height: int = 440, on_chat: Callable[[str], None] | None = None
    ) -> None:
        self.chats = frozenset(map(session._watched, chats))
        self._announced = session.record.last_seq
        self._state_to_send: dict[str, Any] | None = None
        self._names_told: dict[str, str] = {}
        self._answers: list[dict[str, Any]] = []
        self._on_chat = on_chat
        self._only_chat = next(iter(self.chats)) if len(self.chats) == 1 else None
        self._actions = actions.Actions(session, None if self._people else self._only_chat)
        self._acting: set[asyncio.Task[None]] = set()
        self._filter = Filter()
        self._of_chats = Filter().condition(self.chats)
        self._looked: Place | None = None
        self._failures: list[Failure] = []
        self._restate_from = self._announced
        self._restate_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._greeting: asyncio.TimerHandle | None = None
        self._next_send = 0.0
        self._removals: list[Callable[[], None]] = []
        super().__init__(session, height=height)
        self._hand_over(self._listen)

    @property
    def selection(self) -> pd.DataFrame:
        """The rows of `tc.df` that pass the filter of the page; with several views, of the one filtered last.

        They stand in the order of time, as in the page. Columns and types are those of `tc.df`. An edit or a removal is
        a row of its own here as there.
        """
        self._take_up([])
        return select(self.session.df, self._filter, self.chats)

    def _after_the_end(self, work: Callable[..., None], *arguments: Any) -> None:
        """The record of a closed session stays readable, so it is served right here."""
        work(*arguments)

    # -- on the session's loop ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._closed or self.session.loop.is_closed():
            return
        self._removals = [
            self.session.on_rows(self._schedule),
            self.session.on_state(self._state_changed),
            self.session.on_failure(self._failure_came),
        ]
        self._greet()

    def _restate(self, last: int) -> None:
        """A page is about to open with the rows up to `last`: repeat for a while what came since, and how we are."""
        loop = self.session.loop
        if self._closed or loop.is_closed():
            return
        self._restate_from, self._restate_until = last, loop.time() + RESTATE
        self._greet()

    def _greet(self) -> None:
        """Say how we are, now and again after a while."""
        self._state_changed(dict(self.session.state))
        loop = self.session.loop
        if self._greeting is not None:
            self._greeting.cancel()
        is_opening = loop.time() < self._restate_until
        self._greeting = loop.call_later(RESTATE / 3 if is_opening else HEARTBEAT, self._greet)

    def _stop(self) -> None:
        for remove in self._removals:
            remove()
        self._removals = []
        for timer in (self._greeting, self._timer):
            if timer is not None:
                timer.cancel()
        self._greeting = self._timer = None

    def _state_changed(self, state: dict[str, Any]) -> None:
        self._state_to_send = state
        if state.get("state") == "closed":
            # The loop may end before a timer fires; the last word must still get out.
            self._flush()
        else:
            self._schedule()

    def _failure_came(self, failure: Failure) -> None:
        self._failures.append(failure)
        self._schedule()

    def _schedule(self) -> None:
        """See to it that a message goes out, at once if the last one is long enough ago."""
        loop = self.session.loop
        if loop.is_closed():
            # A timer that was set before will never fire.
            self._flush()
        elif self._timer is None and not self._closed:
            self._timer = loop.call_later(max(0.0, self._next_send - loop.time()), self._flush)

    def _flush(self) -> None:
        """Send everything that waits, as one message."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        message: dict[str, Any] = {}
        if self._state_to_send is not None:
            message["state"], self._state_to_send = self._state_to_send, None
        if self._answers:
            message["answers"], self._answers = self._answers, []
        if self._failures:
            message["failures"], self._failures = self._told(self._failures), []
        people = self._new_names()
        if people:
            message["people"] = people
        batch = self._take_batch()
        if batch is not None:
            message["batch"] = batch
        if not message:
            return
        # Colab hands a page the rows of the moment in which the feed was made: it shall see whether it lacks some.
        message["last"] = self._announced
        if not self.session.loop.is_closed():
            self._next_send = self.session.loop.time() + INTERVAL
        self._post(message)
        if self._announced < self.session.record.last_seq:
            self._schedule()

    def _take_batch(self) -> dict[str, Any] | None:
        """Take the rows that nobody was told of."""
        after, last = self._announced, self.session.record.last_seq
        if not self.session.loop.is_closed() and self.session.loop.time() < self._restate_until:
            after = min(after, self._restate_from)
        if last <= after:
            return None
        batch = self._batch(after, last)
        self._announced = batch["last"]
        return batch

    def _batch(self, after: int, until: int) -> dict[str, Any]:
        """Tell of what was recorded in (`after`, `until`]: the latest of it by time, and in which gaps the rest is."""
        self._take_up([])
        new = self.session.record.recorded(after, until, LARGEST_BATCH, self._of_chats)
        if self._take_up(new.rows):
            new = self.session.record.recorded(after, until, LARGEST_BATCH, self._of_chats)
        gaps = [(*gap.start, *gap.end, gap.size) for gap in new.gaps]
        return {"after": after, "last": new.last, "rows": self._short_rows(new.rows), "gaps": gaps}

    def _new_names(self) -> dict[str, str]:
        """Give the display names learnt since the last message; a person's first rows lack them and never change."""
        names = self._known_names()
        new = {user_id: name for user_id, name in names.items() if self._names_told.get(user_id) != name}
        self._names_told.update(new)
        return new

    def _known_names(self) -> dict[str, str]:
        """Return what people call themselves, by id."""
        return {user_id: one_line(name) for name, user_id in self.session.known_people() if name}

    @property
    def _people(self) -> frozenset[str]:
        """The people among the chats, who had no personal chat with the bot when the feed was made."""
        return frozenset(one for one in self.chats if "@" in one)

    def _take_up(self, rows: list[dict[str, Any]]) -> bool:
        """Show the personal chats that have come into being with the people of this feed; returns if there are any."""
        people, before = self._people, self.chats
        if people:
            begun = {personal_chat_of(row, people) for row in rows}
            begun |= {self.session._directory.personal_chat(user_id) for user_id in people}
            self.chats |= {chat_id for chat_id in begun if chat_id is not None}
        if self.chats != before:
            self._of_chats = Filter().condition(self.chats)
        return self.chats != before

    def _short_rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        me_id = self.session.me_id
        return [short_form(row, me_id) for row in rows]

    # -- answers -----------------------------------------------------------------------------------------------

    def _hear(self, request: dict[str, Any], buffers: Sequence[Any]) -> None:
        kind = request.get("type")
        if kind in actions.KINDS:
            self._begin_action(request)  # also when the feed has been closed since: somebody has sent something
            return
        if kind == "filter":
            self._filter = Filter.from_request(request.get("filter"))
        if kind == "looked":
            self._looked = max(self._looked or Place(0, 0), _place(request.get("at")) or Place(0, 0))
        if kind in ("filter", "looked") or self._closed:
            return
        if kind == "chat":
            if self._on_chat is not None and request.get("chat"):
                self._on_chat(str(request["chat"]))
            return
        steps = self._steps_of_answer(request)
        if self.session.loop.is_closed():
            for _ in steps:
                pass
        else:
            self._go_on(steps)

    def _begin_action(self, request: dict[str, Any]) -> None:
        if self.session.loop.is_closed():
            self._answers.append({"re": request.get("re"), "refused": "the connection is closed"})
            self._schedule()
            return
        task = self.session.loop.create_task(self._act(request))
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)

    async def _act(self, request: dict[str, Any]) -> None:
        try:
            told = await self._actions.carry_out(request)
        except Exception as error:  # whatever it is, a person waits for a word on what became of it
            told = refusal(error, "read").told("refused")
        self._answers.append({"re": request.get("re"), **told})
        self._schedule()

    def _go_on(self, steps: Iterator[None]) -> None:
        for _ in steps:
            self.session.loop.call_soon(self._go_on, steps)
            return

    def _steps_of_answer(self, request: dict[str, Any]) -> Iterator[None]:
        """Put the answer to a request in the queue, giving way to the loop between two readings of the record."""
        answer: dict[str, Any] = {"re": request.get("re")}
        try:
            kind, wanted = request["type"], Filter.from_request(request.get("filter"))
            limit = max(1, min(int(request.get("limit") or OPENING_ROWS), LARGEST_BATCH))
            if kind == "earlier":
                at, floor = _place(request.get("at")), _place(request.get("floor"))
                yield from self._rows_of(answer, self._before(at, floor, limit, wanted))
            elif kind == "later":
                yield from self._rows_of(answer, self._behind(_place(request.get("at")), limit, wanted))
            elif kind == "again":
                answer |= self._batch(int(request["after"]), int(request["until"]))
            elif kind == "open":
                answer["state"] = dict(self.session.state)
                answer |= self._batch(int(request["after"]), self.session.record.last_seq)
            else:
                answer["error"] = f"unknown request {kind!r}"
        except (KeyError, TypeError, ValueError) as error:
            answer["error"] = f"bad request: {error!r}"
        self._answers.append(answer)
        self._schedule()

    def _rows_of(self, answer: dict[str, Any], parts: Iterator[Page]) -> Iterator[None]:
        """Answer with the rows of some pages, of which each has those of the one before, too."""
        for page in parts:
            answer.update({"rows": page.rows, "reached": page.reached})
            yield

    def _before(self, at: Place | None, floor: Place | None, limit: int, wanted: Filter) -> Iterator[Page]:
        """Yield the last rows from `floor` up to `at`, of which the page has all from `reached` on, more and more."""
        found: list[dict[str, Any]] = []
        for page in self._pages(self.session.record.earlier, at, limit, wanted):
            reached = page.reached
            for row in reversed(page.rows):
                if floor is not None and place_of(row) < floor:
                    reached = None
                    break
                found += self._found(row, wanted)
                if len(found) == limit:
                    reached = place_of(row)
                    break
            if reached is not None and floor is not None and reached <= floor:
                reached = None
            yield Page(found[::-1], reached)
            if reached is None or len(found) == limit:
                return

    def _behind(self, at: Place | None, limit: int, wanted: Filter) -> Iterator[Page]:
        """Yield the first rows behind `at`, of which the page has all up to `reached`, more and more."""
        found: list[dict[str, Any]] = []
        for page in self._pages(self.session.record.later, at, limit, wanted):
            reached = page.reached
            for row in page.rows:
                found += self._found(row, wanted)
                if len(found) == limit:
                    reached = place_of(row)
                    break
            yield Page(found, reached)
            if len(found) == limit:
                return

    def _pages(self, read: Callable[..., Page], at: Place | None, limit: int, wanted: Filter) -> Iterator[Page]:
        """Read the record from a place on, a part at a time, to its end or as far as one answer goes."""
        condition = wanted.condition(self.chats)
        for _ in range(MOST_STEPS):
            page = read(at, SCAN_STEP if wanted.text else limit, condition)
            yield page
            at = page.reached
            if at is None:
                return

    def _found(self, row: dict[str, Any], wanted: Filter) -> list[dict[str, Any]]:
        short = short_form(row, self.session.me_id)
        return [short] if wanted.finds(short) else []

    # -- opening ------------------------------------------------------------------------------------------------------

    def _opening_state(self) -> str:
        self._take_up([])
        last = self.session.record.last_seq
        rows, reached = self._last_rows(OPENING_ROWS, Filter())
        opening = {
            "name": self.session.name,
            "server": self.session.server,
            "only_chat": self._only_chat,
            "is_chat_chosen_elsewhere": self._on_chat is not None,
            "filter": dataclasses.asdict(self._filter),
            "state": dict(self.session.state),
            "people": self._known_names(),
            "failures": self._told(list(self.session.router.failures)[-FAILURES:]),
            "looked": self._looked_to(),
            "reached": reached,
            "last": last,
            "rows": self._short_rows(rows),
        }
        self._hand_over(self._restate, last)
        return as_json(opening).decode()

    def _told(self, failures: list[Failure]) -> dict[str, Any]:
        """Give what the page is told of exceptions in handlers."""
        return {"count": len(self.session.router.failures), "latest": [dataclasses.asdict(one) for one in failures]}

    def _last_rows(self, count: int, wanted: Filter) -> Page:
        """Return the last rows by time that pass a filter, however far back they are."""
        found: list[dict[str, Any]] = []
        page, condition = Page([], None), wanted.condition(self.chats)
        while len(found) < count:
            page = self.session.record.earlier(
                page.reached, SCAN_STEP if wanted.text else count - len(found), condition
            )
            found = [*(row for row in page.rows if not wanted.text or self._found(row, wanted)), *found]
            if page.reached is None:
                break
        is_cut = len(found) > count
        return Page(found[-count:], place_of(found[-count]) if is_cut else page.reached)

    def _looked_to(self) -> Place | None:
        """Return up to which place somebody has looked, as far as is known: at first all that was recorded before."""
        if self._looked is None and self.session.restored_seq:
            for page in self._pages(self.session.record.earlier, None, OPENING_ROWS, Filter()):
                known = [row for row in page.rows if row["seq"] <= self.session.restored_seq]
                if known:
                    self._looked = place_of(known[-1])
                    break
        return self._looked

    # -- where there is no live view ---------------------------------------------------------------------------

    def _still_rows(self) -> list[dict[str, Any]]:
        names = self._known_names()
        rows = self._last_rows(STILL_ROWS, self._filter).rows
        more = self._beyond_columns([row["seq"] for row in rows])
        return [
            {**row, **more.get(row["seq"], {}), "author": row["author"] or names.get(row["author_id"])} for row in rows
        ]

    def _beyond_columns(self, seqs: list[int]) -> dict[int, dict[str, Any]]:
        """Return what a still shows of rows beyond the columns, if it can be read at once."""
        journal, kept = self.session.journal_path, self.session.kept_frames
        if kept is not None:
            return {seq: brief(content_of(payload)) for seq, payload in kept.find(seqs)[0].items()}
        if journal is None:
            return {}
        with contextlib.suppress(JournalError):
            return {seq: brief(content_of(payload)) for seq, payload in payloads(journal, seqs).items()}
        return {}

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add to the live view a still for saved notebooks (GitHub, nbconvert) and a table for terminals."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        let_requests_choose_their_thread(self.comm)
        rows, heading = self._still_rows(), f"{self.session.name} · {self.session.server}"
        return with_still(bundle, still_html(rows, heading, self.session.me_id), still_text(rows, heading))


def _place(value: object) -> Place | None:
    """Read a place as the page tells it; None for what lies beyond every row."""
    if value is None:
        return None
    time, seq = cast("Sequence[Any]", value)  # what is no pair is a bad request
    return Place(int(time), int(seq))
