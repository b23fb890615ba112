"""The panel: chats with what is unread at the left, the feed in the middle, the composer below; each is a widget of its
own elsewhere, except the list of chats.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ipywidgets
import traitlets

from tcnb.client.directory.chat_list import PAGE, UnfinishedListError, every_chat
from tcnb.console import one_line
from tcnb.errors import TcnbError
from tcnb.locks import fork_safe
from tcnb.notebook.composer.chats import Chat, called
from tcnb.notebook.composer.composer import Composer
from tcnb.notebook.feed.feed import Feed
from tcnb.notebook.feed.rows import Row, is_own, kind_of, place_of
from tcnb.notebook.feed.static_fallback import describe
from tcnb.notebook.widgets.static_fallback import with_still
from tcnb.notebook.widgets.widget import SessionWidget, as_json, page_script, page_style

INTERVAL: Final = 0.4
"""Seconds between two messages to the page."""

STEP: Final = 500
"""Rows read from the record at once, so that a flood never holds up the bot's loop."""

LOOKED_BACK: Final = 4000
"""Rows looked through for what was said last when the panel opens."""

SPOKEN: Final = frozenset(
    {"text", "forward", "photo", "sticker", "video", "file", "audio", "voice", "contact", "location", "survey"}
)

SENT_STAYS: Final = 2.5
"""Seconds that what was sent stays in sight in the composer: the feed above shows it."""

COMPOSER_HEIGHT: Final = 148
"""Pixels of a composer with nothing in it."""


@dataclass
class Line:
    """One chat in the list.

    Attributes:
        chat_id: its id.
        title: what it is called.
        kind: as in `Chat`.
        came: messages of others that came since it was looked at here.
        held: messages that the server held as unread when it was asked, and that have not come.
        asked_at: time of the newest message at that moment, in milliseconds since 1970.
        said: what was said last.
        author_id: by whom; empty where nothing was said.
        author: what its row calls them; empty where it does not say.
        last: both, as it is shown.
        at: when, in milliseconds since 1970; 0 where nothing was.
    """

    chat_id: str
    title: str
    kind: str
    came: int = 0
    held: int = 0
    asked_at: int = 0
    said: str = ""
    author_id: str = ""
    author: str = ""
    last: str = ""
    at: int = 0

    @property
    def unread(self) -> int:
        """How many messages nobody looked at here."""
        return self.came + self.held

    def told(self) -> dict[str, Any]:
        """Return what the page is told of it."""
        return {name: getattr(self, name) for name in ("chat_id", "title", "kind", "unread", "last", "at")}


class ChatList(SessionWidget):
    """The chats of a session, the one that spoke last on top, with how much is unread.

    Args:
        session: the connected bot.
        on_choice: called on the session's loop with the id that was chosen in the page; None is every chat.
        height: in pixels.
        **traits: further traits of the widget.
    """

    kind = "panel"
    page = page_script("panel/page/panel.js")
    _css = page_style("panel/page/panel.css")

    # Computed whenever the state is asked for, so that a reloaded page starts with the list of that moment.
    opening = traitlets.Unicode().tag(sync=True, to_json=lambda _value, chats: chats._opening_state())
    height = traitlets.Int(600).tag(sync=True)

    def __init__(
        self, session: Any, on_choice: Callable[[str | None], None], *, height: int = 600, **traits: Any
    ) -> None:
        self.chosen: str | None = None
        self._on_choice = on_choice
        self._lines: dict[str, Line] = {}
        self._names: dict[str, str] = {}
        self._read_to = session.record.last_seq
        self._reading = False
        self._was_asked = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._removals: list[Callable[[], None]] = []
        super().__init__(session, height=height, **traits)
        self._hand_over(self._start)

    @property
    def unread(self) -> dict[str, int]:
        """How many messages are unread, by chat id; chats without any are left out."""
        return {line.chat_id: line.unread for line in list(self._lines.values()) if line.unread}

    def line(self, chat_id: str) -> Line | None:
        """Return what the list shows of a chat; None where it is not in it."""
        return self._lines.get(chat_id)

    # -- on the session's loop --------------------------------------------------------------------------------------

    def choose(self, chat_id: str | None) -> None:
        """Mark a chat as the one that is looked at: from now on it is read."""
        self.chosen = chat_id
        if chat_id in self._lines:
            self._lines[chat_id].came = self._lines[chat_id].held = 0
        self._schedule()

    def _start(self) -> None:
        if self._closed:
            return
        self._removals = [self.session.on_rows(self._grown), self.session.on_state(lambda _state: self._refresh())]
        self._meet_chats()
        last = self.session.record.last_seq
        if last > self._read_to:
            self._grown()  # something came before anybody listened
        self._begin(self._look_back())
        self._refresh()

    def _stop(self) -> None:
        for remove in self._removals:
            remove()
        self._removals = []
        for task in list(self._tasks):
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refresh(self) -> None:
        if not self._closed and self.session.state.get("state") == "connected":
            self._begin(self._ask_server())

    async def _ask_server(self) -> None:
        """Take over how much the server holds as unread, which is what came before this session was there."""

        async def page(number: int) -> list[Any]:
            return list((await self.session.bot.get_chats(PAGE, number)).chats)

        seen: set[str] = set()
        try:
            async for chat in every_chat(page, lambda chat: chat.chat_id):
                seen.add(chat.chat_id)
                line = self._line(chat.chat_id, chat.title, chat.chat_type.name.lower())
                if chat.chat_id != self.chosen and not self._was_asked:
                    # Of what came meanwhile the server may not know yet that it was read.
                    line.held = max(0, chat.unread_messages - line.came)
                    line.asked_at = 0 if chat.last_message is None else chat.last_message.timestamp
        except UnfinishedListError:
            seen.update(self._lines)  # whether those are gone nobody knows; the session's status says why
        except TcnbError:
            return  # the next change of the connection's state asks again
        self._was_asked = True
        for chat_id in [one for one in self._lines if one not in seen]:
            del self._lines[chat_id]
        self._schedule()

    async def _look_back(self) -> None:
        """Find out what was said last in each chat, newest first."""
        page, looked = self.session.record.earlier(None, STEP), 0
        while True:
            for row in reversed(page.rows):
                line = self._line_of(row)
                if line is not None and _time_of(row) > line.at:
                    self._note(line, row)
            looked += len(page.rows)
            if page.reached is None or looked >= LOOKED_BACK:
                break
            await asyncio.sleep(0)
            page = self.session.record.earlier(page.reached, STEP)
        self._schedule()

    def _grown(self) -> None:
        if not self._reading and not self._closed:
            self._reading = True
            self._begin(self._read_new())

    async def _read_new(self) -> None:
        """Count what came, at most so often, however fast it comes."""
        await asyncio.sleep(INTERVAL / 2)
        self._learn_names()  # also where nothing came: a name is often learned after its owner's first rows
        while rows := self.session.record.rows(self._read_to, STEP, with_origin=True):
            self._read_to = rows[-1]["seq"]
            self._learn_names()
            for row in rows:
                self._take(row)
            await asyncio.sleep(0)
        self._reading = False
        if self.session.record.last_seq > self._read_to:
            self._grown()
        self._schedule()

    def _take(self, row: Row) -> None:
        if row.get("event") == "removed_chat":
            self._lines.pop(str(row.get("chat_id")), None)
            return
        line = self._line_of(row)
        if line is None:
            return
        self._note(line, row)
        # What is read of a chat's past is not unread: what is, the server sends by itself.
        if is_own(row, self.session.me_id) or line.chat_id == self.chosen or row.get("origin") == "history":
            return
        line.came += 1
        if line.held and (row.get("timestamp") or 0) <= line.asked_at:
            line.held -= 1

    def _line_of(self, row: Row) -> Line | None:
        if not row.get("chat_id"):
            return None
        is_spoken = row.get("event") == "message" and kind_of(row) in SPOKEN
        line = self._line(str(row["chat_id"]), row.get("chat"), row.get("chat_type"))
        return line if is_spoken else None

    def _note(self, line: Line, row: Row) -> None:
        """Show what was said, unless something later is shown already."""
        if _time_of(row) < line.at:
            return
        line.author_id = str(row.get("author_id") or "")
        line.author = one_line(row.get("author") or "")
        line.said = one_line(describe(row), 120)
        line.at = _time_of(row)
        self._word(line)

    def _word(self, line: Line) -> None:
        author = line.author or self._names.get(line.author_id) or line.author_id.partition("@")[0]
        line.last = line.said if line.kind == "p2p" or not author else f"{author}: {line.said}"

    def _line(self, chat_id: str, title: str | None, kind: str | None) -> Line:
        shown = called(self.session._directory, chat_id, title)
        line = self._lines.get(chat_id)
        if line is None:
            line = self._lines[chat_id] = Line(chat_id, shown or chat_id, kind or "undefined")
        elif shown and shown != line.title:
            line.title = shown
        return line

    def _meet_chats(self) -> None:
        self._learn_names()
        for title, chat_id, kind in self.session.known_chats():
            self._line(chat_id, title, kind)

    def _learn_names(self) -> None:
        names = {user_id: one_line(name) for name, user_id in self.session.known_people() if name}
        if names == self._names:
            return
        self._names = names
        for line in self._lines.values():
            self._word(line)

    def _hear(self, request: dict[str, Any], buffers: Sequence[Any]) -> None:
        if request.get("type") == "choose":
            chat_id = request.get("chat")
            self._on_choice(str(chat_id) if chat_id else None)
        elif request.get("type") == "open":
            self._schedule()

    # -- out --------------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        loop = self.session.loop
        if self._timer is None and not self._closed and not loop.is_closed():
            self._timer = loop.call_later(INTERVAL / 4, self._say)

    def _say(self) -> None:
        """Say everything, so that a message that was lost needs no other."""
        self._timer = None
        self._post(self._everything())

    def _everything(self) -> dict[str, Any]:
        lines = list(self._lines.values())  # at once: the page may ask on another thread
        lines.sort(key=lambda line: (-line.at, line.title.casefold()))
        return {"chats": [line.told() for line in lines], "chosen": self.chosen}

    def _opening_state(self) -> str:
        # What is said while the page still loads is heard by nobody, so it is said again a little later.
        self._hand_over(lambda: self.session.loop.call_later(1.0, self._schedule))
        return as_json(self._everything()).decode()


def _time_of(row: Row) -> int:
    """Return where a row stands in the timeline (ms since 1970)."""
    return place_of(row).time


class Panel(ipywidgets.HBox):  # type: ignore[misc]
    """Chats at the left, the feed of the chosen one in the middle, the composer below.

    Args:
        session: the connected bot.
        chat: the chat to open with, or an id, a title or a person that is looked for; without it, every chat is shown.
        stickers: a folder with WebP files to choose stickers from.
        height: in pixels.

    Attributes:
        composer: the composer in it.
        feed: the feed in it; another one whenever another chat is chosen.
        chats: the list in it.

    Raises:
        FileMissingError: there is no such folder.
    """

    # As long as the constructor has not come so far; a widget is closed, too, when its constructor has failed.
    _is_closed = True

    def __init__(
        self, session: Any, chat: str | Chat | None = None, *, stickers: str | Path | None = None, height: int = 640
    ) -> None:
        self.session = session
        self._feed_height = max(240, height - COMPOSER_HEIGHT - 8)
        self._changing = fork_safe(threading.Lock())
        self.composer = Composer(session, chat, stickers=stickers, keep_sent=SENT_STAYS)
        self.feed = self._feed_of(chat.chat_id if isinstance(chat, Chat) else None)
        # Side by side in the width that both need at least; below it the list stands above (panel.css).
        aside = ipywidgets.Layout(flex="0 0 clamp(132px, 30%, 248px)", min_width="132px")
        self.chats = ChatList(session, self._chosen_in_list, height=height, layout=aside)
        middle = ipywidgets.Layout(flex="1 1 0", min_width="300px", overflow="visible", grid_gap="8px")
        self._middle = ipywidgets.VBox([self.feed, self.composer], layout=middle)
        layout = ipywidgets.Layout(
            width="100%", overflow="visible", align_items="stretch", grid_gap="8px", flex_flow="row wrap"
        )
        self._layouts = (middle, layout)
        super().__init__([self.chats, self._middle], layout=layout)
        self.add_class("tcnb-panel")
        self._is_closed = False
        # A chat that the list does not know yet is looked for by the composer, and may be found too late.
        self._looked_for: str | None = None
        self._passed_over: str | None = None
        self.composer.on_chat(self._chosen_in_composer)
        self.chats._hand_over(lambda: self._chosen_in_composer(self.composer._chat))

    @property
    def chat(self) -> str | None:
        """The id of the chosen chat; assign an id, a title or a person to choose another one."""
        return self.composer.chat

    @chat.setter
    def chat(self, chat: str) -> None:
        self.composer.chat = chat

    def close(self) -> None:
        """Free everything in it; any thread may call, and more than once."""
        with self._changing:
            already, self._is_closed = self._is_closed, True
        if already:
            return
        for part in (self.feed, self.composer, self.chats, self._middle):
            part.close()
        super().close()
        for layout in self._layouts:
            layout.close()

    # -- on the session's loop --------------------------------------------------------------------------------------

    def _chosen_in_list(self, chat_id: str | None) -> None:
        self._passed_over, self._looked_for = (None if chat_id == self._looked_for else self._looked_for), None
        if chat_id is None:
            self._show(None)
            return
        line = self.chats.line(chat_id)
        if line is not None:
            self.composer.choose(Chat(chat_id, line.title, line.kind))
        else:
            self._looked_for = chat_id
            self.composer.chat = chat_id
        self._show(chat_id)

    def _chosen_in_composer(self, chat: Chat | None) -> None:
        passed_over, self._passed_over = self._passed_over, None
        if chat is None:
            return
        if chat.chat_id == self._looked_for:
            self._looked_for = None
        if chat.chat_id != passed_over:
            self._show(chat.chat_id)

    def _show(self, chat_id: str | None) -> None:
        """Put the feed of a chat into the middle."""
        self.chats.choose(chat_id)
        wanted = frozenset() if chat_id is None else frozenset((chat_id,))
        with self._changing:
            if self._is_closed or self.feed.chats == wanted:
                return
            before = self.feed
            self.feed = self._feed_of(chat_id)
            self._middle.children = [self.feed, self.composer]
        before.close()

    def _feed_of(self, chat_id: str | None) -> Feed:
        """Return the feed of a chat, or of all; which one is chosen is said in the list alone."""
        chats = [] if chat_id is None else [Chat(chat_id, chat_id, "undefined")]
        return Feed(self.session, *chats, height=self._feed_height, on_chat=self._chosen_in_list)

    # -- where there is no live view --------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add to the live view the still and the table of the feed in it."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        shown = self.feed._repr_mimebundle_(**kwargs)
        if shown is None:
            return bundle
        data, metadata = with_still(bundle, shown[0]["text/html"], shown[0]["text/plain"])
        # Where Colab shall look for what draws the widgets in it; ipywidgets itself does not say.
        return data, {**shown[1], **metadata}
