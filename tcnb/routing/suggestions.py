"""The code that would handle an event, ready to be pasted into a cell; nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tcnb.arguments import describe
from tcnb.errors import UsageError
from tcnb.routing.events import KINDS
from tcnb.routing.filters import ATTACHMENTS, CONTENT_NAMES, chat_of, sender_of, texts_of, title_of
from tcnb.types.contents import AttachmentContent
from tcnb.types.enums import ChatType, MessageType
from tcnb.types.events import CallbackQuery, Update
from tcnb.types.messages import Message, SystemMessage
from tcnb.types.parsing import parse_event

LONGEST_TEXT: Final = 60
"""Characters up to which a text is taken for one that may come again."""

_BODIES: Final = {
    "message": 'await message.reply("…")',
    "callback_query": 'await event.edit_message(text="…")',
    "created_personal_chat": 'await bot.send_message(event.chat_id, "…")',
    "added_chat_participant": 'await bot.send_message(event.chat_id, "…")',
}


def suggestion(event_name: str, row: Mapping[str, Any] | Any = None, *, session: str = "tc") -> str:
    """Return code that handles events such as this one.

    Args:
        event_name: as in the column `event` of `tc.df`, or as a decorator is called.
        row: the event's row of `tc.df` (a Series or a mapping); without it every event of the kind is handled.
        session: the variable that holds the session.

    Returns:
        A decorated function as text, with a line break at its end; it compiles whatever the row says.
    """
    values = {} if row is None else {name: _text(row.get(name)) for name in _COLUMNS}
    kind = event_name if event_name in KINDS else "unknown"
    if kind == "message" and (values.get("author_type") == "system" or _is_systems(values.get("message_type"))):
        kind = "system_message"
    argument = "message" if kind.endswith("message") else "event"
    body = _BODIES.get(kind, f"print({argument})")
    takes = f"{argument}, bot" if body.startswith("await bot.") else argument
    asked = ", ".join(f"{name}={value!r}" for name, value in _conditions(kind, values))
    return f"@{session}.router.{kind}({asked})\nasync def on_{kind}({takes}):\n    {body}\n"


def suggestion_for(event: Any, *, session: str = "tc") -> str:
    """Return code that handles events such as this one.

    Args:
        event: an event of `tcnb.types`, as `wait_for` returns it or a handler gets it, or a row of `tc.df`.
        session: the variable that holds the session.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(event, Update):
        event = parse_event(event.method, event.payload)
    name = next((kind.name for kind in KINDS.values() if kind.event_type is type(event)), None)
    if name is not None:
        return suggestion(name, _row(event), session=session)
    said = event.get("event") if hasattr(event, "get") else None
    if not isinstance(said, str):
        raise UsageError(
            f"a suggestion is for an event or for a row of df, not for {describe(event)}: df.iloc[-1] is one"
        )
    return suggestion(said, event, session=session)


def _row(event: Any) -> dict[str, Any]:
    """Return what a row of the frame would say about an event, as far as it is asked here."""
    row: dict[str, Any] = {"chat": title_of(event), "chat_id": chat_of(event), "author_id": sender_of(event)}
    if isinstance(event, Message | SystemMessage) and event.chat.chat_type == ChatType.P2P:
        row["chat_type"] = "p2p"
    if isinstance(event, CallbackQuery):
        row["text"] = event.command
    else:
        row["text"] = next(iter(texts_of(event)), None)
    if isinstance(event, Message | SystemMessage) and event.type != MessageType.PLAIN_MESSAGE:
        row["message_type"] = next((name for name, kind in CONTENT_NAMES.items() if kind == event.type), None)
        if isinstance(event.content, AttachmentContent):
            row["mime_type"] = event.content.mime_type
    return row


_COLUMNS: Final = (
    *("chat", "chat_id", "chat_type", "author_id", "author_type", "direction", "message_type", "text", "mime_type"),
)


def _conditions(kind: str, values: Mapping[str, str | None]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    allowed = KINDS[kind].conditions
    chat = values.get("chat") or values.get("chat_id")
    if values.get("chat_type") == "p2p":
        # Its title is a display name, which anybody may take.
        is_theirs = values.get("direction") != "out" and kind != "system_message"
        chat = (is_theirs and values.get("author_id")) or values.get("chat_id")
    if chat and "chat" in allowed:
        found.append(("chat", chat))
    text, message_type = values.get("text"), values.get("message_type")
    if text and "command" in allowed and (text.startswith("/") or kind == "callback_query"):
        found.append(("command", text.split()[0].partition("@")[0]))
    elif text and "text" in allowed and len(text) <= LONGEST_TEXT:
        found.append(("text", text))
    elif "content" in allowed and kind == "message" and message_type not in (None, "plain"):
        content = _content(message_type or "", values.get("mime_type") or "")
        if content is not None:
            found.append(("content", content))
    return found


def _content(message_type: str, mime_type: str) -> str | None:
    if message_type != "attachment":
        return message_type if message_type in CONTENT_NAMES else None
    named = {"image": "photo"}.get(mime_type.partition("/")[0], mime_type.partition("/")[0])
    return named if named in ATTACHMENTS else "document"


def _is_systems(message_type: str | None) -> bool:
    return message_type in CONTENT_NAMES and CONTENT_NAMES[message_type] < CONTENT_NAMES["plain"]


def _text(value: Any) -> str | None:
    """Return a cell's text; None for what is missing, however a frame says so."""
    return str(value) if isinstance(value, str) and value.strip() else None
