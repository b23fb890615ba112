"""The composer: a widget to write and send from; what the page does with it is in `composer.js`, the sending itself in
`composer_outbox`, files on their way in `composer_uploads`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import traitlets

from tcnb.errors import TcnbError, UsageError
from tcnb.markup.text import visible_length
from tcnb.notebook.composer.chats import Chat, ChatFinder, Session, listed
from tcnb.notebook.composer.limits import problems_of
from tcnb.notebook.composer.markup import Rendering
from tcnb.notebook.composer.outbox import KINDS, Outbox, Sending
from tcnb.notebook.composer.static_fallback import still_html, still_text
from tcnb.notebook.composer.stickers import Shelf, loaded
from tcnb.notebook.composer.uploads import CHUNK, WINDOW, Uploads
from tcnb.notebook.composer.watch import GONE, GONE_MEANWHILE, Watch
from tcnb.notebook.widgets.editing import is_of_no_message
from tcnb.notebook.widgets.refusals import Refusal, refusal
from tcnb.notebook.widgets.static_fallback import with_still
from tcnb.notebook.widgets.widget import (
    SessionWidget,
    as_json,
    let_requests_choose_their_thread,
    page_script,
    page_style,
)
from tcnb.types.images import small_webp

COMPOSER_FILES: Final = ("composer/page/composer.js", "composer/page/composer_drafts.js")
"""The page's side, beside what all widgets share."""

INTERVAL: Final = 0.05
"""Seconds between two messages to the page: a progress bar that moves 20 times a second is smooth."""

MODES: Final = frozenset({"text", "markdown", "html"})

_WORDS: Final = ("key", "chat_id", "chat", "text", "reply_to", "target", "name", "batch")

GREETINGS: Final = (0.7, 2.5)
"""Seconds after a page asked for the state at which it is told again: nobody hears what is said while it loads."""


class Composer(SessionWidget):
    """Write to a chat: texts with markup and a preview, pictures, files of any size, stickers, replies and edits.

    What was handed in is sent although the page is reloaded.

    Args:
        session: the connected bot.
        chat: the chat, or an id, a title or a person that is looked for; without it, it is chosen in the widget.
        stickers: a folder with WebP files to choose stickers from.
        keep_sent: seconds that what was sent stays in sight here; beside a feed it need not.

    Raises:
        FileMissingError: there is no such folder.
    """

    kind = "composer"
    page = page_script(*COMPOSER_FILES)
    _css = page_style("composer/page/composer.css")

    # Computed whenever the state is asked for, so that a reloaded page starts with the draft of that moment.
    opening = traitlets.Unicode().tag(sync=True, to_json=lambda _value, composer: composer._opening_state())

    def __init__(
        self,
        session: Session,
        chat: str | Chat | None = None,
        *,
        stickers: str | Path | None = None,
        keep_sent: float = 12.0,
    ) -> None:
        self.keep_sent = keep_sent
        self._finder = ChatFinder(session)
        self._shelf = Shelf(session, stickers)
        self._outbox = Outbox(session, self._sending_changed, self._sending_done)
        self._uploads = Uploads(self)
        self._chat = chat if isinstance(chat, Chat) else None
        self._draft: dict[str, str] = {"text": "", "mode": "text"}
        self._notice = Refusal("")
        self._attached: list[str] = []
        self._drafts: dict[str, dict[str, str]] = {}
        self._bar: dict[str, Any] | None = None
        self._edited = ""
        self._number = 0
        self._choices = 0
        self._turn = 0
        self._waiting: dict[str, Any] = {}
        self._changed: dict[str, Sending] = {}
        self._answers: list[dict[str, Any]] = []
        self._images: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._greetings: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_send = 0.0
        self._watch = Watch(session, self._concerns, self._message_removed)
        self._removals: list[Callable[[], None]] = []
        self._chat_listeners: list[Callable[[Chat | None], None]] = []
        super().__init__(session)
        self._hand_over(self._start, None if isinstance(chat, Chat) else chat)

    # -- for people -------------------------------------------------------------------------------------------------

    @property
    def chat(self) -> str | None:
        """The id of the chosen chat; assign an id, a title or a person to choose another one."""
        return None if self._chat is None else self._chat.chat_id

    @chat.setter
    def chat(self, chat: str) -> None:
        self._hand_over(self._start_task, self._find_and_choose, chat)

    @property
    def sendings(self) -> list[dict[str, Any]]:
        """What was handed in lately, oldest first: `key`, `kind`, `chat_id`, `state`, `reason`, `message_id`, …"""
        return [sending.told() for sending in list(self._outbox.sendings.values())]

    def reply_to(self, message: Any) -> None:
        """Let what is written next answer a message, in that message's chat.

        Args:
            message: the message's id, or any object with a `message_id`.
        """
        self._hand_over(self._start_task, self._begin, "reply", _message_id(message))

    def edit(self, message: Any) -> None:
        """Take an own message into the text field to change it. Arguments as of `reply_to`."""
        self._hand_over(self._start_task, self._begin, "edit", _message_id(message))

    def on_chat(self, listener: Callable[[Chat | None], None]) -> Callable[[], None]:
        """Have `listener` called on the session's loop whenever another chat is chosen; returns what ends that."""
        self._chat_listeners.append(listener)
        return lambda: self._chat_listeners.remove(listener) if listener in self._chat_listeners else None

    def _after_the_end(self, work: Callable[..., None], *arguments: Any) -> None:
        """Nothing can be sent any more, which the page must be told."""
        if work == self._end:
            self._uploads.close()
        elif work == self._take_request:
            self._refuse_all(arguments[0])

    # -- on the session's loop --------------------------------------------------------------------------------------

    def _start(self, chat: str | None) -> None:
        if self._closed:
            return
        self._removals = [self.session.on_state(self._state_changed), self.session.on_rows(self._watch.grown)]
        self._state_changed(dict(self.session.state))
        if chat is not None:
            self._start_task(self._find_and_choose, chat)

    def _stop(self) -> None:
        for remove in self._removals:
            remove()
        self._watch.close()
        for timer in [self._timer, *self._greetings]:
            if timer is not None:
                timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        self._outbox.close()
        self._uploads.close()
        self._chat_listeners.clear()

    def _start_task(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        if self._closed or self.session.loop.is_closed():
            return
        task = asyncio.get_running_loop().create_task(work(*arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _state_changed(self, state: dict[str, Any]) -> None:
        self._outbox.state_changed(state)
        self._say(state=state)
        if state.get("state") == "closed":
            self._flush()  # the loop may end before a timer fires; the last word must still get out

    # -- what the page says -----------------------------------------------------------------------------------------

    def _hear(self, request: dict[str, Any], buffers: Sequence[Any]) -> None:
        if self._closed:
            return
        kind = request.get("type")
        if kind == "chunk" and buffers:
            self._uploads.take(str(request.get("key")), _whole(request.get("offset")), memoryview(buffers[0]).cast("B"))
        elif kind == "draft":
            self._take_draft(request)
        elif kind == "stash":
            self._set_aside(str(request.get("chat")), _draft_of(request))
        elif kind == "send":
            for one in request.get("sendings") or ():
                self._take_sending(one, str(request.get("page")))
        elif kind == "retry":
            self._outbox.retry(str(request.get("key")))
        elif kind == "remove":
            self._remove(str(request.get("key")))
        elif kind == "resume":
            self._resume(str(request.get("key")), str(request.get("page")))
        elif kind == "leave":
            self._leave_bar()
        elif kind in ("reply", "edit"):
            written = request.get("written")
            draft = _draft_of(written) if isinstance(written, Mapping) else None
            self._start_task(self._begin, kind, str(request.get("message_id")), draft)
        else:
            self._start_task(self._answer, request)

    def _refuse_all(self, request: dict[str, Any]) -> None:
        """Tell the page, without a loop to do it on, that the session is closed."""
        keys = [one.get("key") for one in request.get("sendings") or () if isinstance(one, Mapping)]
        self._waiting["state"] = {"state": "closed", "reason": None, "retry_at": None}
        self._waiting["refused"] = [str(key) for key in keys]
        if request.get("re") is not None:
            self._answers.append({"re": request["re"], "error": "the connection has been closed: connect again"})
        self._flush()

    def _take_draft(self, request: Mapping[str, Any]) -> None:
        if request.get("turn") != self._turn:
            return  # it was on its way while another chat or text was put before the page, which says it anew
        self._draft, self._notice = _draft_of(request), Refusal("")
        self._attached = [str(name) for name in request.get("attached") or ()]
        chat = Chat.read(request.get("chat"))
        if chat != self._chat:
            self._chat = chat
            self._tell_chat()

    def _take_sending(self, one: Any, page: str) -> None:
        sending = _sending_of(one)
        if sending is None or sending.key in self._outbox.sendings:
            if sending is not None:
                self._outbox.add(sending)
            return
        sticker = one.get("sticker")
        if sending.is_file:
            sending.state = "receiving"
        self._outbox.add(sending)
        if self._bar is not None and self._bar["message_id"] in (sending.reply_to, sending.target):
            self._leave_bar()
        if sending.kind == "sticker" and sticker:
            self._start_task(self._take_sticker, sending.key, str(sticker))
        elif sending.is_file:
            self._begin_upload(sending, page)

    def _begin_upload(self, sending: Sending, page: str) -> None:
        try:
            self._uploads.begin(sending.key, sending.size or 0, page)
        except TcnbError as error:
            self._outbox.mark(sending.key, "failed", str(error))
        else:
            self._say_credit(sending.key, 0)

    async def _take_sticker(self, key: str, sticker: str) -> None:
        try:
            data = await self._shelf.data(sticker)
        except TcnbError as error:
            self._outbox.mark(key, "failed", refusal(error, "download").sentence)
        else:
            sending = self._outbox.sendings.get(key)
            if sending is not None:
                sending.name, sending.size = f"{self._shelf.name(sticker)}.webp", len(data)
                self._outbox.ready(key, data)

    def _resume(self, key: str, page: str) -> None:
        arrived = self._uploads.resume(key, page)
        if arrived is None:
            self._outbox.mark(key, "failed", "the kernel no longer has what came of this file: send it anew")
        else:
            self._outbox.mark(key, "receiving", None, arrived)
            self._say_credit(key, arrived)

    def _remove(self, key: str) -> None:
        if self._outbox.remove(key):
            self._changed.pop(key, None)
            self._waiting.setdefault("gone", []).append(key)
            self._schedule()

    # -- answers ----------------------------------------------------------------------------------------------------

    async def _answer(self, request: dict[str, Any]) -> None:
        """Put the answer to a request in the queue."""
        answer: dict[str, Any] = {"re": request.get("re")}
        try:
            answer |= await self._answer_to(request)
        except TcnbError as error:
            answer |= refusal(error, "find").told("error")
            answer["candidates"] = getattr(error, "candidates", [])
        except (KeyError, TypeError, ValueError) as error:
            answer["error"] = f"bad request: {error!r}"
        self._date()
        self._answers.append(answer)
        self._schedule()

    async def _answer_to(self, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["type"]
        if kind == "open":
            self._uploads.page_opened(str(request.get("page")))
            return {"all": self._everything(), "draft": self._draft}
        if kind == "directory":
            return {"directory": listed(self.session)}
        if kind == "resolve":
            return {"chat": (await self._finder.find(str(request["chat"]))).told()}
        if kind == "preview":
            text, mode = str(request["text"]), str(request["mode"])
            rendering = Rendering(text, mode, is_reply=bool(request.get("reply")))
            length = visible_length(text, mode)
            return {"nodes": rendering.nodes, "problems": rendering.problems, "length": length}
        if kind == "check":
            return {"problems": await problems_of(self.session, request["files"])}
        if kind == "stickers":
            return {"stickers": await self._shelf.offered()}
        if kind == "pictures":
            return await self._pictures([str(key) for key in request["keys"]])
        raise ValueError(kind)

    async def _pictures(self, keys: list[str]) -> dict[str, Any]:
        """Draw stickers anew for the page: it is never handed what a stranger uploaded."""
        names, contents = await loaded(self._shelf, keys)
        shown = []
        for key, data in zip(names, contents, strict=True):
            try:
                small = await small_webp(data, "sticker.webp", from_stranger=True)
            except TcnbError:
                continue
            self._images.append(small)
            shown.append({"key": key, "image": len(self._images)})
        return {"pictures": shown, "gone": [key for key in keys if key not in {one["key"] for one in shown}]}

    # -- chats, replies, edits --------------------------------------------------------------------------------------

    async def _find_and_choose(self, name: str) -> None:
        self._choices += 1
        choice = self._choices
        try:
            chat = await self._finder.find(name)
        except TcnbError as error:
            self._tell(refusal(error, "find"))
            return
        # What was chosen while this one was being found is the later wish.
        if choice == self._choices:
            self.choose(chat)

    def choose(self, chat: Chat) -> None:
        """Choose a chat, on the session's loop: the page puts its text aside and takes up what was begun there."""
        self._choices += 1
        if self._chat is not None and chat.chat_id == self._chat.chat_id:
            return
        if self._bar is not None:
            self._bar = None
            self._say(bar=None)
        before, self._chat, self._notice = self._chat, chat, Refusal("")
        self._turn += 1
        draft = self._drafts.pop(chat.chat_id, None)
        if before is not None or draft is not None:
            self._put(draft, "chat", None if before is None else before.chat_id)
        self._say(chat=chat.told(), turn=self._turn)
        self._tell_chat()

    def _tell(self, notice: Refusal) -> None:
        """Say something to the person, also on a page that opens later."""
        self._notice = notice
        self._say(notice=notice.sentence, details=notice.details)

    def _put(self, draft: dict[str, str] | None, why: str, aside: str | None = None) -> None:
        """Put a text into the field, or none.

        What stands there is kept under the chat `aside`, as far as it was told; the page, which knows it all, keeps its
        own text there and tells it. `why` is `chat` (another one was chosen), `edit`, or `leave` (the edit).
        """
        if aside is not None:
            self._set_aside(aside, self._draft)
        self._turn += 1
        self._draft = draft or {"text": "", "mode": self._draft["mode"]}
        self._say(put={**self._draft, "why": why, "aside": aside}, turn=self._turn)

    def _set_aside(self, chat_id: str, draft: dict[str, str]) -> None:
        self._drafts.pop(chat_id, None)
        if draft["text"].strip():
            self._drafts[chat_id] = draft

    def _tell_chat(self) -> None:
        for listener in list(self._chat_listeners):
            listener(self._chat)

    async def _begin(self, kind: str, message_id: str, written: dict[str, str] | None = None) -> None:
        """Enter the reply or the edit mode; an edit goes on with what was `written`, if it was begun before."""
        try:
            message = await self.session.bot.get_message_by_id(message_id)
            chat = await self._finder.find(message.chat_id)
            if (
                kind == "edit"
                and str(message.author.id).partition("/")[0].casefold() != (self.session.me_id or "").casefold()
            ):
                raise UsageError("only own messages can be changed")
            if kind == "edit" and message.text is None:
                raise UsageError("only texts can be changed; a file's caption is a message of its own")
        except TcnbError as error:
            if is_of_no_message(error):
                self._outbox.message_removed(message_id)
            gone = Refusal(GONE[kind]) if is_of_no_message(error) else None
            self._tell(gone or refusal(error, "read", message_id=message_id))
            return
        self._leave_bar()
        self.choose(chat)
        author = self._finder.person(message.author.id)
        mode = str(getattr(message.content, "parse_mode", None) or "text")
        mode = mode if mode in MODES else "text"
        text = message.text or getattr(message.content, "name", None) or ""
        self._bar = {
            "kind": kind,
            "message_id": message_id,
            "author": author,
            "nodes": Rendering(text, mode, is_reply=True).nodes if len(text) < 2000 else [text[:2000]],
        }
        self._edited = text
        if kind == "edit" and written is not None:
            self._put(written, "edit")
        elif kind == "edit":
            self._put({"text": text, "mode": mode}, "edit", chat.chat_id)
        self._say(bar=self._bar)

    def _leave_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is None:
            return
        self._say(bar=None)
        if bar["kind"] == "edit":
            self._put(self._drafts.pop(self.chat or "", None), "leave")

    def _concerns(self) -> set[str]:
        """Return the messages of which it matters here whether they are deleted."""
        sent = {one.message_id for one in self._outbox.sendings.values() if one.message_id and not one.is_removed}
        return sent | ({self._bar["message_id"]} if self._bar is not None else set())

    def _message_removed(self, message_id: str) -> None:
        self._outbox.message_removed(message_id)
        bar = self._bar
        if bar is None or bar["message_id"] != message_id:
            return
        self._bar = None
        self._say(bar=None)
        if bar["kind"] == "edit":
            # What was written stays in the field, below what had been put aside for the edit. The page does the same
            # with its own text, of which the kernel may not have been told all.
            aside = self._drafts.pop(self.chat or "", None) or {"text": "", "mode": self._draft["mode"]}
            text = "" if self._draft["text"] == self._edited else self._draft["text"]
            self._draft = joined(aside, {"text": text, "mode": self._draft["mode"]})
            self._say(ended={**aside, "edited": self._edited})
        self._tell(Refusal(GONE_MEANWHILE[bar["kind"]]))

    # -- what becomes of sendings and files -------------------------------------------------------------------------

    def _sending_changed(self, sending: Sending) -> None:
        self._changed[sending.key] = sending
        self._schedule()

    def _sending_done(self, sending: Sending) -> None:
        self._uploads.forget(sending.key)

    def file_moved(self, key: str, written: int) -> None:
        """Take note of bytes that are on the kernel's disk."""
        self._outbox.mark(key, "receiving", None, written)
        self._say_credit(key, written)

    def file_arrived(self, key: str, path: Path) -> None:
        """Take note of a file that is here whole."""
        self._outbox.ready(key, path)

    def file_stopped(self, key: str, reason: str) -> None:
        """Take note of a file that no longer moves."""
        self._outbox.mark(key, "interrupted", reason)

    # -- out --------------------------------------------------------------------------------------------------------

    def _say(self, **parts: Any) -> None:
        self._date()
        self._waiting.update(parts)
        self._schedule()

    def _date(self) -> None:
        """Note how far the pages were heard when the first part of the next message was made; it may wait for more."""
        self._waiting.setdefault("heard", self._heard)

    def _say_credit(self, key: str, written: int) -> None:
        self._waiting.setdefault("written", {})[key] = written
        self._schedule()

    def _schedule(self) -> None:
        """See to it that a message goes out, at once if the last one is long enough ago."""
        loop = self.session.loop
        if loop.is_closed() or self.session.state.get("state") == "closed":
            self._flush()  # a timer of a loop that ends may never fire
        elif self._timer is None and not self._closed:
            self._timer = loop.call_later(max(0.0, self._next_send - loop.time()), self._flush)

    def _flush(self) -> None:
        """Send everything that waits, as one message."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        message, self._waiting = self._waiting, {}
        images, self._images = self._images, []
        if self._changed:
            message["sendings"], self._changed = [one.told() for one in self._changed.values()], {}
        if self._answers:
            message["answers"], self._answers = self._answers, []
        if not message:
            return
        if not self.session.loop.is_closed():
            self._next_send = self.session.loop.time() + INTERVAL
        self._number += 1
        self._post({"n": self._number, **message}, images)

    def _everything(self) -> dict[str, Any]:
        return {
            "n": self._number,
            "state": dict(self.session.state),
            "chat": None if self._chat is None else self._chat.told(),
            "bar": self._bar,
            "sendings": self.sendings,
            "turn": self._turn,
            "notice": self._notice.sentence,
            "details": self._notice.details,
            "account": self.session.me_id,
        }

    def _opening_state(self) -> str:
        everything = self._everything()
        everything |= {
            "draft": {**self._draft, "attached": self._attached},
            "directory": listed(self.session),
            "server": self.session.server,
            "chunk": CHUNK,
            "window": WINDOW,
        }
        everything |= {"keep_sent": self.keep_sent * 1000}
        self._hand_over(self._greet)
        return as_json(everything).decode()

    def _greet(self) -> None:
        for timer in self._greetings:
            timer.cancel()
        loop = self.session.loop
        self._greetings = [loop.call_later(after, self._say_everything) for after in GREETINGS]

    def _say_everything(self) -> None:
        self._say(all=self._everything())

    # -- where there is no live view --------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add to the live view a still for saved notebooks (GitHub, nbconvert) and a text for terminals."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        let_requests_choose_their_thread(self.comm)
        title, heading = (
            None if self._chat is None else self._chat.title,
            f"{self.session.name} · {self.session.server}",
        )
        return with_still(bundle, still_html(title, heading, self.sendings), still_text(title, heading, self.sendings))


def _message_id(message: Any) -> str:
    value = getattr(message, "message_id", message)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"a message is its id, or an object with a message_id, not {message!r}")
    return value.strip()


def joined(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    """Put one text below another one; the markup is that of the second, if there is one."""
    text = "\n".join(filter(None, (first["text"], second["text"])))
    return {"text": text, "mode": (second if second["text"] else first)["mode"]}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _draft_of(request: Mapping[str, Any]) -> dict[str, str]:
    mode = str(request.get("mode") or "text")
    return {"text": str(request.get("text") or ""), "mode": mode if mode in MODES else "text"}


def _sending_of(one: Any) -> Sending | None:
    """Read what the page hands in; None where it names neither itself nor a chat, which no page of ours does."""
    if not isinstance(one, Mapping) or not one.get("key") or not one.get("chat_id") or one.get("kind") not in KINDS:
        return None
    words: dict[str, Any] = {name: str(one[name]) for name in _WORDS if one.get(name)}
    size = one.get("size")
    words |= {"mode": _draft_of(one)["mode"], "size": size if isinstance(size, int) else None}
    return Sending(kind=one["kind"], **words)
