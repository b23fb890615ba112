"""What the page at the server's root shows of the practice world, as plain JSON values; nothing is changed here.

Source: `protocol` sections 4 and 5.
"""

from __future__ import annotations

from typing import Any, Final

from tcnb.markup.text import plain
from tcnb.practice import envelopes
from tcnb.practice.entities import Chat, Message, StoredFile, User
from tcnb.practice.rights import Action, allows
from tcnb.practice.world import MOST_PER_PAGE, World
from tcnb.types.enums import ChatType, MessageType

MOST_SHOWN: Final = 1000
"""Messages that one look at a chat shows at most."""
MOST_QUOTED: Final = 200
"""Characters of a message that a list of chats or a quotation shows."""

_SYSTEM_EVENTS: Final = {
    MessageType.ADD_PARTICIPANT: "joined",
    MessageType.REMOVE_PARTICIPANT: "left",
    MessageType.EDIT_CHAT_TITLE: "renamed",
    MessageType.EDIT_CHAT_AVATAR: "pictured",
    MessageType.CLEAR_CHAT_HISTORY: "cleared",
    MessageType.PARTICIPANT_ROLE: "role",
}
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
"""Media types that browsers show as pictures and that cannot run anything."""


def people(world: World) -> list[User]:
    """Return whose part can be taken: the colleagues, or the accounts where there are no colleagues."""
    colleagues = [user for user in world.users.values() if not user.is_account]
    chosen = colleagues or list(world.users.values())
    return sorted(chosen, key=lambda user: user.display_name.casefold())


def directory(world: World) -> dict[str, Any]:
    """Return everybody on the server, and whose part can be taken."""
    everybody = sorted(world.users.values(), key=lambda user: (not user.is_account, user.display_name.casefold()))
    return {
        "domain": world.domain,
        "parts": [_person(user) for user in people(world)],
        "people": [_person(user) for user in everybody],
    }


def chats(world: World, actor: User) -> list[dict[str, Any]]:
    """Return the chats of a person, the most recently active first."""
    ordered: list[Chat] = []
    page = 1
    while found := world.page_of_chats(actor, MOST_PER_PAGE, page):
        ordered += found
        page += 1
    return [_chat(world, chat, actor) for chat in ordered]


def messages(world: World, actor: User, chat_id: str, count: int) -> dict[str, Any]:
    """Return the latest messages of a chat, oldest first, and whether there are earlier ones.

    Raises:
        Refusal: 302 or 304 about the chat, 399 about the count.
    """
    found = _latest(world, actor, chat_id, min(count, MOST_SHOWN) + 1)
    shown = found[: min(count, MOST_SHOWN)]
    return {
        "messages": [_message(world, message, actor) for message in reversed(shown)],
        "hasEarlier": len(found) > len(shown),
    }


def inline_type(file: StoredFile) -> str | None:
    """Return the media type under which a browser may show a file in place; None where it must not."""
    kind = _picture_type(file)
    return kind if kind.startswith("audio/") or (kind in PICTURES and file.is_showable) else None


def _picture_type(file: StoredFile) -> str:
    return file.mime_type.lower().replace("sticker/", "image/", 1)


def _latest(world: World, actor: User, chat_id: str, count: int) -> list[Message]:
    found = world.history(actor, chat_id, min(count, MOST_PER_PAGE))
    while len(found) < count:
        page = world.history(actor, chat_id, MOST_PER_PAGE, found[-1].message_id) if found else []
        # The first of a page is the message that it starts from.
        if len(page) < 2:
            break
        found += page[1:]
    return found[:count]


def _person(user: User) -> dict[str, Any]:
    return {"id": user.user_id, "name": user.display_name, "isAccount": user.is_account}


def _name(world: World, user_id: str) -> str:
    user = world.users.get(user_id.casefold())
    return user.display_name if user is not None else user_id


def _chat(world: World, chat: Chat, actor: User) -> dict[str, Any]:
    last = world.last_message(actor.user_id, chat)
    return {
        "id": chat.chat_id,
        "title": envelopes.title(world, chat, actor.user_id),
        "kind": chat.type.name.lower(),
        "members": [_person(world.user(user_id)) for user_id in chat.participants],
        "maySpeak": allows(chat.participants[actor.user_id].role, chat.type, Action.SPEAK),
        "box": chat.last_box,
        "last": None if last is None else _brief(world, last, actor),
    }


def _brief(world: World, message: Message, actor: User) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "time": message.timestamp,
        "author": _name(world, message.author_id),
        "isOwn": message.author_id == actor.user_id,
        **_said(world, message.innermost, most=MOST_QUOTED),
    }


def _said(world: World, message: Message, most: int | None = None) -> dict[str, Any]:
    content, file = message.content, message.file
    if message.is_system:
        event = {"event": _SYSTEM_EVENTS.get(message.type, "unknown"), "title": content.get("title")}
        return {"kind": "system", **event, "role": content.get("role"), "who": _name(world, content.get("userId", ""))}
    if file is not None:
        return {"kind": _kind_of_file(message, file), "file": _file(file)}
    if "text" in content:
        text, mode = content["text"], content.get("parseMode", "text")
        if most is not None:
            return {"kind": "text", "text": plain(text, mode)[:most], "mode": "text"}
        return {"kind": "text", "text": text, "mode": mode, "buttons": content.get("buttons", [])}
    about = {name: content[name] for name in ("latitude", "longitude", "description", "title") if name in content}
    return {"kind": message.type.name.lower(), "about": about}


def _kind_of_file(message: Message, file: StoredFile) -> str:
    if message.type == MessageType.VOICE_MESSAGE:
        return "voice"
    if inline_type(file) not in PICTURES:
        return "file"
    return "sticker" if file.mime_type.startswith("sticker/") else "photo"


def _file(file: StoredFile) -> dict[str, Any]:
    is_withheld = _picture_type(file) in PICTURES and not file.is_showable
    return {
        "id": file.file_id,
        "name": file.name,
        "size": file.size,
        "type": file.mime_type,
        "isWithheld": is_withheld,
    }


def _message(world: World, message: Message, actor: User) -> dict[str, Any]:
    is_own = message.author_id == actor.user_id and not message.is_system
    return {
        "id": message.message_id,
        "time": message.timestamp,
        "authorId": message.author_id,
        "author": _name(world, message.author_id),
        "isOwn": is_own,
        "isEdited": message.is_edited,
        "mayEdit": is_own and message.type == MessageType.PLAIN_MESSAGE,
        "mayRemove": is_own or _may_remove_foreign(message, actor),
        "reply": _quoted(world, message, actor),
        "forwardedFrom": None if message.forwarded is None else _name(world, message.forwarded.author_id),
        **(_read_marks(world, message) if is_own else {}),
        **_said(world, message.innermost),
    }


def _may_remove_foreign(message: Message, actor: User) -> bool:
    chat = message.chat
    role = chat.participants[actor.user_id].role
    return not message.is_system and chat.type != ChatType.P2P and allows(role, chat.type, Action.REMOVE_FOREIGN)


def _quoted(world: World, message: Message, actor: User) -> dict[str, Any] | None:
    quoted = world.messages.get(message.reply_to) if message.reply_to else None
    return None if quoted is None else _brief(world, quoted, actor)


def _read_marks(world: World, message: Message) -> dict[str, Any]:
    readers = [user_id for user_id in world.audience(message.chat) if user_id != message.author_id]
    read = [user_id for user_id in readers if world.is_read(user_id, message.message_id)]
    return {"readBy": [_name(world, user_id) for user_id in read], "readers": len(readers)}
