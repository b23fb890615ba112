"""What was handed in to be sent, in order, and what became of it; how files reach the kernel is not known here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from tcnb.errors import OutcomeUnknownError
from tcnb.notebook.widgets.editing import MESSAGE_GONE, edit_text, is_of_no_message
from tcnb.notebook.widgets.refusals import Deed, refusal
from tcnb.threads import to_thread
from tcnb.types import BufferedInputFile, FSInputFile, InputFile
from tcnb.types.enums import ParseMode

Kind = Literal["text", "edit", "photo", "document", "sticker"]
State = Literal["receiving", "interrupted", "queued", "sending", "sent", "failed"]

KINDS: Final = frozenset({"text", "edit", "photo", "document", "sticker"})

_DEEDS: Final[Mapping[Kind, Deed]] = {
    "text": "write",
    "edit": "edit",
    "photo": "file",
    "document": "file",
    "sticker": "file",
}
"""What a person wanted, by what was handed in."""

Progress = Callable[[int, int], None]
"""Told the bytes moved so far and the bytes in all, on the session's loop."""

MOST_KEPT: Final = 50
"""Sendings that succeeded and are still remembered, so that a page which asks late learns of them."""


class Session(Protocol):
    """What the outbox needs of a session."""

    @property
    def state(self) -> Mapping[str, Any]: ...
    @property
    def bot(self) -> Any: ...
    async def asend(
        self, chat: str, text: str, *, parse_mode: ParseMode | str = ..., reply_to: str | None = ...
    ) -> Any: ...
    async def asend_photo(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ...,
        reply_to: str | None = ...,
        progress: Progress | None = ...,
    ) -> Any: ...
    async def asend_document(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ...,
        reply_to: str | None = ...,
        progress: Progress | None = ...,
    ) -> Any: ...
    async def asend_sticker(
        self, chat: str, file: Any, *, reply_to: str | None = ..., progress: Progress | None = ...
    ) -> Any: ...


@dataclass
class Sending:
    """One thing on its way.

    Attributes:
        key: its name, made by whoever handed it in; the same key is never sent twice.
        kind: what it is.
        chat_id: where it goes; always an id, so that no later change of names leads it astray.
        chat: the title that was shown when it was handed in.
        text: the text, or the caption of a file.
        mode: `text`, `markdown` or `html`.
        reply_to: the message it answers.
        target: the message it changes, for an edit.
        name: the file's name.
        size: the file's size in bytes.
        batch: what was handed in with it; files of one batch arrive in their order.
        source: the file's content, or where it lies; None while it is not here yet.
        state: how far it is.
        reason: why it failed, or what it waits for.
        details: code, method and ids of a refusal.
        is_unsure: whether nobody knows if the server carried it out, so that trying again may double it.
        moved: bytes moved so far, to the kernel while `receiving`, to the server while `sending`.
        message_id: the message it became.
        is_removed: whether that message has been deleted since.
        at: when it reached its state, in milliseconds since 1970.
    """

    key: str
    kind: Kind
    chat_id: str
    chat: str = ""
    text: str = ""
    mode: str = "text"
    reply_to: str | None = None
    target: str | None = None
    name: str | None = None
    size: int | None = None
    batch: str = ""
    source: Path | bytes | None = None
    state: State = "queued"
    reason: str | None = None
    details: str = ""
    is_unsure: bool = False
    moved: int = 0
    message_id: str | None = None
    is_removed: bool = False
    at: int = 0

    @property
    def is_file(self) -> bool:
        """Whether a file is part of it."""
        return self.kind in ("photo", "document", "sticker")

    def change(self, state: State, reason: str | None = None) -> None:
        """Put it into another state, now."""
        self.state, self.reason, self.details, self.at = state, reason, "", int(time.time() * 1000)

    @property
    def lane(self) -> str:
        """What it waits for its turn in: texts in one lane, the files of each batch in one of their own."""
        return f"files {self.batch or self.key}" if self.is_file else "texts"

    @property
    def can_retry(self) -> bool:
        """Whether everything is here that sending it again takes."""
        return self.state == "failed" and (self.source is not None or not self.is_file)

    def told(self) -> dict[str, Any]:
        """Return what the page is told of it; of what was sent only the beginning."""
        said = {name: value for name, value in vars(self).items() if name != "source" and value not in (None, "")}
        if self.state == "sent" and self.text:
            said["text"] = self.text[:200]
        return said | {"can_retry": self.can_retry}


class Outbox:
    """Sends what is handed in when the connection is there: texts in their order, and beside them the files of each
    batch in theirs, so that nothing waits behind a large file that has nothing to do with it.

    Args:
        session: the connected bot.
        on_change: called with every sending that changed.
        on_done: called with every sending whose file is needed no more.

    Everything happens on the session's loop.
    """

    def __init__(
        self, session: Session, on_change: Callable[[Sending], None], on_done: Callable[[Sending], None]
    ) -> None:
        self.sendings: dict[str, Sending] = {}
        self._session = session
        self._on_change = on_change
        self._on_done = on_done
        self._connected = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._work: dict[str, asyncio.Task[Any]] = {}

    def add(self, sending: Sending) -> None:
        """Take something to send; what is known already is not taken again."""
        if sending.key in self.sendings:
            self._on_change(self.sendings[sending.key])
            return
        self.sendings[sending.key] = sending
        sending.change(sending.state, sending.reason)
        self._forget_old()
        self._changed(sending)

    def ready(self, key: str, source: Path | bytes) -> None:
        """Take note that a file has arrived here whole."""
        sending = self.sendings.get(key)
        if sending is not None and sending.state in ("receiving", "interrupted"):
            sending.source, sending.moved = source, 0
            sending.change("queued")
            self._changed(sending)

    def mark(self, key: str, state: State, reason: str | None = None, moved: int | None = None) -> None:
        """Put a sending into a state from outside: a file that is still arriving, or will not."""
        sending = self.sendings.get(key)
        if sending is not None:
            if moved is not None:
                sending.moved = moved
            if (sending.state, sending.reason) != (state, reason):
                sending.change(state, reason)
            self._changed(sending)

    def retry(self, key: str) -> None:
        """Send again what failed."""
        sending = self.sendings.get(key)
        if sending is not None and sending.can_retry:
            sending.moved, sending.is_unsure = 0, False
            sending.change("queued")
            # Behind what waits already: it was handed in for the second time just now.
            self.sendings[key] = self.sendings.pop(key)
            self._changed(sending)

    def remove(self, key: str) -> bool:
        """Forget a sending, and stop its upload; tell whether there was one that could be stopped."""
        sending = self.sendings.get(key)
        if sending is None or (sending.state == "sending" and not self._can_stop(sending)):
            return False
        del self.sendings[key]
        if (work := self._work.get(key)) is not None:
            work.cancel()
        self._on_done(sending)
        self._start(sending.lane)
        return True

    def state_changed(self, state: Mapping[str, Any]) -> None:
        """Go on when the connection is there, and fail what waits when it will not come back."""
        if state.get("state") == "connected":
            self._connected.set()
        else:
            self._connected.clear()
        for sending in list(self.sendings.values()):
            if sending.state == "queued":
                self._wait_or_fail(sending, state)

    def close(self) -> None:
        """Stop everything."""
        for task in [*self._work.values(), *self._lanes.values()]:
            task.cancel()

    def message_removed(self, message_id: str) -> None:
        """Take note that a message has been deleted."""
        for sending in self.sendings.values():
            if sending.message_id == message_id and not sending.is_removed:
                sending.is_removed = True
                self._on_change(sending)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _changed(self, sending: Sending) -> None:
        if sending.state == "queued":
            self._wait_or_fail(sending, self._session.state)
        self._start(sending.lane)
        self._on_change(sending)

    def _start(self, lane: str) -> None:
        """Let a lane go where something in it can."""
        if lane not in self._lanes and self._next(lane) is not None:
            self._lanes[lane] = asyncio.get_running_loop().create_task(self._go(lane))

    def _wait_or_fail(self, sending: Sending, state: Mapping[str, Any]) -> None:
        before = (sending.state, sending.reason)
        name = state.get("state")
        if name == "closed":
            why = f" ({state['reason']})" if state.get("reason") else ""
            sending.change("failed", f"the connection has been closed{why}: connect again, then try again")
        elif name != "connected":
            sending.reason = "connection"
        else:
            self._connected.set()
            sending.reason = None
        if before != (sending.state, sending.reason):
            self._on_change(sending)

    async def _go(self, lane: str) -> None:
        """Send what waits in one lane, one after another."""
        while (sending := self._next(lane)) is not None:
            await self._connected.wait()
            if sending.state != "queued" or sending.key not in self.sendings:
                continue
            sending.change("sending")
            self._on_change(sending)
            work = asyncio.get_running_loop().create_task(self._send(sending))
            self._work[sending.key] = work
            await asyncio.wait([work])
            del self._work[sending.key]
            self._take_outcome(sending, work)
        del self._lanes[lane]

    def _next(self, lane: str) -> Sending | None:
        """Return what goes next; None also while that is a file which is still on its way here."""
        waiting = (one for one in self.sendings.values() if one.lane == lane and one.state in ("receiving", "queued"))
        first = next(waiting, None)
        return first if first is not None and first.state == "queued" else None

    def _take_outcome(self, sending: Sending, work: asyncio.Task[Any]) -> None:
        if sending.key not in self.sendings:
            return
        error = asyncio.CancelledError("it was stopped") if work.cancelled() else work.exception()
        if error is None:
            sending.message_id = getattr(work.result(), "message_id", None)
            sending.change("sent")
        else:
            sending.is_unsure = isinstance(error, OutcomeUnknownError)
            is_missing = sending.kind == "edit" and is_of_no_message(error)
            refused = refusal(error, _DEEDS[sending.kind], message_id=sending.target or sending.reply_to)
            sending.change("failed", MESSAGE_GONE if is_missing else refused.sentence)
            sending.details = refused.details
        self._on_change(sending)
        if error is None:
            self._on_done(sending)
            sending.source = None

    async def _send(self, one: Sending) -> Any:
        session = self._session
        writing: dict[str, Any] = {"parse_mode": one.mode, "reply_to": one.reply_to}
        if one.kind == "text":
            return await session.asend(one.chat_id, one.text, **writing)
        if one.kind == "edit":
            return await edit_text(session.bot, one.target or "", one.text, one.mode)

        def progress(moved: int, _total: int) -> None:
            one.moved = moved
            self._on_change(one)

        file = await to_thread(_file_of, one)
        if one.kind == "photo":
            return await session.asend_photo(one.chat_id, file, one.text or None, **writing, progress=progress)
        if one.kind == "document":
            return await session.asend_document(one.chat_id, file, one.text or None, **writing, progress=progress)
        return await session.asend_sticker(one.chat_id, file, reply_to=one.reply_to, progress=progress)

    def _can_stop(self, sending: Sending) -> bool:
        """Tell whether the file is still moving: once it is there, its message may exist already."""
        return sending.is_file and sending.moved < (sending.size or 0)

    def _forget_old(self) -> None:
        sent = [one.key for one in self.sendings.values() if one.state == "sent"]
        for key in sent[: max(0, len(sent) - MOST_KEPT)]:
            del self.sendings[key]


def _file_of(sending: Sending) -> InputFile:
    name = sending.name or "file"
    if isinstance(sending.source, Path):
        return FSInputFile(sending.source, name)
    return BufferedInputFile(sending.source or b"", name)
