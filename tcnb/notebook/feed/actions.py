"""What a person does with a row of the feed: answer, edit, remove, forward, keep a file, see a picture or code; and
before the first row: read what was said earlier.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from tcnb.errors import ApiErrorException, TcnbError, UsageError
from tcnb.files.paths import working_folder
from tcnb.files.saving import Destination
from tcnb.journal.raw import payloads
from tcnb.notebook.feed.contents import Content, content_of, contents
from tcnb.notebook.feed.rows import Row, is_own
from tcnb.notebook.widgets.editing import edit_text
from tcnb.notebook.widgets.refusals import Deed, refusal
from tcnb.record.timeline import Condition
from tcnb.threads import to_thread
from tcnb.types import TextContent
from tcnb.types.images import small_webp
from tcnb.wire.codes import MESSAGE_NOT_FOUND

LARGEST_PICTURE: Final = 12 * 1024 * 1024
"""Bytes of a picture that are fetched to show it small; a larger one is shown as a file."""

PICTURES_AT_ONCE: Final = 3
"""Pictures fetched at the same time, so that scrolling through an album does not keep a sending waiting."""

KINDS: Final = frozenset(
    {"reply", "edit", "remove", "forward", "keep", "keep_name", "picture", "code", "contents", "source", "past"}
)
"""What may be asked."""

MOST_PAGES: Final = 10
"""Pages of a chat's past that are read for one answer, where what they hold is in the record already."""

EARLIEST: Final = 5
"""Messages from which it is tried to go back: one that was removed meanwhile leads nowhere."""

BESIDE: Final = f".{os.sep}"
"""The folder that files are saved to: the kernel's working folder, which is that of its notebook."""

_DEEDS: Final[Mapping[str, Deed]] = {
    "reply": "write",
    "edit": "edit",
    "source": "edit",
    "remove": "remove",
    "forward": "forward",
    "keep": "download",
    "picture": "download",
}
"""What a person wanted, by what was asked."""

MOST_CONTENTS: Final = 64
"""Rows of which one answer tells what no column holds."""


class Session(Protocol):
    """What the actions need of a session."""

    @property
    def me_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def record(self) -> Any: ...
    @property
    def journal_path(self) -> Path | None: ...
    @property
    def kept_frames(self) -> Any: ...
    @property
    def bot(self) -> Any: ...
    async def asend(self, chat: str, text: str, *, parse_mode: str = ..., reply_to: str | None = ...) -> Any: ...
    def read_past(self, chat: str, before: str | None = ...) -> AsyncIterator[int]: ...
    async def adownload(self, file_id: Any, file_path: str | Path | None = None) -> Any: ...


class Actions:
    """Carries out what the page asks for one row, on the session's loop.

    Rows are named by their `seq`; chat, message and file come from the record, never from the page, so a page that
    is out of date cannot send anything to another chat than the one it shows.

    Args:
        session: the connected bot.
        only_chat: the one chat that the feed shows, of which the past can be read; None where it shows several.
    """

    def __init__(self, session: Session, only_chat: str | None = None) -> None:
        self._session = session
        self._only_chat = only_chat
        self._turn = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._going_back = asyncio.Lock()
        self._past_pages: AsyncIterator[int] | None = None
        self._deeds: Mapping[str, Callable[[Row, Mapping[str, Any]], Awaitable[dict[str, Any]]]] = {
            "reply": self._reply,
            "edit": self._edit,
            "source": self._source,
            "remove": self._remove,
            "forward": self._forward,
            "keep": self._keep,
            "keep_name": self._keep_name,
            "picture": self._picture,
            "code": self._code,
        }

    async def carry_out(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked and return what the page is told: `done` with particulars, or `refused` with the reason, and
        `details` where there are any.
        """
        kind = str(request.get("type"))
        row: Row = {}
        try:
            if kind == "contents":
                return {"done": await self._contents(request.get("seqs"))}
            if kind == "past":
                return {"done": await self._past()}
            row = self._row(request.get("seq"))
            return {"done": await self._deeds[kind](row, request)}
        except TcnbError as error:
            message_id = row.get("message_id")
            return refusal(error, _DEEDS.get(kind, "read"), message_id=message_id).told("refused")

    def _row(self, seq: object) -> Row:
        if isinstance(seq, bool) or not isinstance(seq, int):
            raise UsageError("the page did not say which row it means")
        rows = self._session.record.rows(seq - 1, 1)
        if not rows or rows[0]["seq"] != seq:
            raise UsageError(f"there is no row {seq} in the record")
        row: Row = rows[0]
        return row

    async def _reply(self, row: Row, request: Mapping[str, Any]) -> dict[str, Any]:
        sent = await self._session.asend(
            _chat_of(row), _text_of(request), parse_mode=str(request.get("mode") or "text"), reply_to=_message_of(row)
        )
        return {"message_id": sent.message_id}

    async def _edit(self, row: Row, request: Mapping[str, Any]) -> dict[str, Any]:
        self._must_be_own(row)
        mode = str(request.get("mode") or "text")
        await edit_text(self._session.bot, _message_of(row), _text_of(request), mode)
        return {}

    async def _remove(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        self._must_be_own(row)
        await self._session.bot.remove_message(_message_of(row), for_all=True)
        return {}

    async def _forward(self, row: Row, request: Mapping[str, Any]) -> dict[str, Any]:
        chat_id = request.get("chat")
        if not isinstance(chat_id, str) or not chat_id:
            raise UsageError("choose the chat that the message is forwarded to")
        sent = await self._session.bot.forward_message(chat_id, _message_of(row))
        return {"message_id": sent.message_id}

    async def _keep(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Save a file beside the notebook, and return its path as seen from there."""
        path = Path(await self._session.adownload(_file_of(row), BESIDE))
        return {"path": _from_here(path)}

    async def _keep_name(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Return under which path a file would be saved now."""
        name = str(row.get("file_name") or _file_of(row).file_id)
        place = await to_thread(lambda: Destination.of(BESIDE).place(name).path)
        return {"path": _from_here(place)}

    async def _picture(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a picture made anew from the file, since a page must never be handed what a stranger uploaded."""
        if (row.get("file_size") or 0) > LARGEST_PICTURE:
            raise UsageError(f"the picture has more than {LARGEST_PICTURE // 2**20} MiB")
        async with self._turn:
            data = await self._session.adownload(_file_of(row))
            small = await small_webp(bytes(data), "this picture", from_stranger=True)
            return {"webp": base64.b64encode(small).decode()}

    async def _source(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Return an own text as it was written, so that changing it does not lose its markup."""
        self._must_be_own(row)
        said = await self._session.bot.get_message_by_id(_message_of(row))
        if not isinstance(said.content, TextContent):
            raise UsageError("only texts can be changed; a file's caption is a message of its own")
        return {"text": said.content.text, "mode": str(said.content.parse_mode)}

    async def _code(self, row: Row, _request: Mapping[str, Any]) -> dict[str, Any]:
        from tcnb.routing.suggestions import suggestion

        return {"code": suggestion(str(row["event"]), row)}

    async def _contents(self, seqs: object) -> dict[str, Any]:
        """Return, by row, what its frame says and no column holds; rows without any of that are left out."""
        asked = [seq for seq in seqs if type(seq) is int] if isinstance(seqs, list) else []
        told = {}
        for seq, content in (await self._read(asked[:MOST_CONTENTS])).items():
            found = contents(content, self._row(seq))
            if found:
                told[str(seq)] = found
        return {"contents": told}

    async def _read(self, seqs: list[int]) -> dict[int, Content]:
        """Return the contents of frames: from the journal, or without one from memory, or at last from the server."""
        journal = self._session.journal_path
        if journal is not None:
            found = await to_thread(payloads, journal, seqs)
            return {seq: content_of(payload) for seq, payload in found.items()}
        kept = self._session.kept_frames
        found, unknown = kept.find(seqs) if kept is not None else ({}, seqs)
        told = {seq: content_of(payload) for seq, payload in found.items()}
        for seq in unknown:
            with contextlib.suppress(TcnbError):
                said = await self._session.bot.get_message_by_id(_message_of(self._row(seq)))
                told[seq] = said.content.as_wire()
        return told

    async def _past(self) -> dict[str, Any]:
        """Read messages before the earliest of the chat into the record, from where they come as all rows do."""
        chat = self._only_chat
        new: int | None = 0
        if chat is None:
            raise UsageError("this feed shows more than one chat: tc.history reads the past of one")
        async with self._going_back:  # several pages may ask
            for _ in range(MOST_PAGES):
                try:
                    new = await self._page_back(chat)
                except BaseException:
                    self._past_pages = None
                    raise
                if new != 0:
                    break
        return {"messages": new or 0, "more": new is not None}

    async def _page_back(self, chat: str) -> int | None:
        """Read the next page of the past; return how many messages of it are new, or None where the chat begins."""
        if self._past_pages is not None:
            return await anext(self._past_pages, None)
        *earliest, newest = await self._earliest(chat)
        for before in earliest:
            self._past_pages = self._session.read_past(chat, before)
            try:
                return await anext(self._past_pages, None)
            except ApiErrorException as error:
                if error.code != MESSAGE_NOT_FOUND:
                    raise
        self._past_pages = self._session.read_past(chat, newest)
        return await anext(self._past_pages, None)

    async def _earliest(self, chat: str) -> list[str | None]:
        """Return the ids of the earliest messages of a chat in the record; at last None, for its newest message."""
        wanted = Condition(("chat_id", "event"), lambda row: row["event"] == "message" and row["chat_id"] == chat)
        found: list[str | None] = []
        page = self._session.record.later(None, EARLIEST, wanted)
        while True:
            found += [row["message_id"] for row in page.rows if row["message_id"]]
            if page.reached is None or len(found) >= EARLIEST:
                return [*found[:EARLIEST], None]
            await asyncio.sleep(0)
            page = self._session.record.later(page.reached, EARLIEST, wanted)

    def _must_be_own(self, row: Row) -> None:
        if not is_own(row, self._session.me_id):
            raise UsageError("only your own messages can be changed")


def _chat_of(row: Row) -> str:
    chat_id = row.get("chat_id")
    if not chat_id:
        raise UsageError("this row belongs to no chat")
    return str(chat_id)


def _message_of(row: Row) -> str:
    message_id = row.get("message_id")
    if not message_id:
        raise UsageError("this row is no message")
    return str(message_id)


class _File(NamedTuple):
    """The file of a row, with the size that its message tells."""

    file_id: str
    file_size: int | None


def _file_of(row: Row) -> _File:
    file_id = row.get("file_id")
    if not file_id:
        raise UsageError("this row has no file")
    return _File(str(file_id), row.get("file_size"))


def _from_here(path: Path) -> str:
    """Return a path as seen from the working folder."""
    folder = working_folder()
    return str(path.relative_to(folder) if folder is not None and path.is_relative_to(folder) else path)


def _text_of(request: Mapping[str, Any]) -> str:
    text = request.get("text")
    if not isinstance(text, str) or not text.strip():
        raise UsageError("there is no text to send")
    return text
