"""How the practice world looks on the wire, in every generation of envelopes; nothing is decided or sent here.

Source: `protocol` sections 4, 5 and 13.
"""

from __future__ import annotations

from typing import Any

from tcnb.practice.entities import Chat, Message, Notice, StoredFile
from tcnb.practice.world import World
from tcnb.types.enums import ChatType, FileReadyState, MessageType


def envelope(world: World, message: Message, viewer: str, *, with_quoted: bool = True) -> dict[str, Any]:
    """Return a message as that participant gets it.

    Args:
        world: where the message was said.
        message: what was said.
        viewer: user id of the one who gets it; the title of a personal chat depends on it.
        with_quoted: whether the message answered to is sent along (newer generation only).
    """
    shown: dict[str, Any] = {"messageId": message.message_id, "chatId": message.chat.chat_id}
    if not world.settings.is_flat:
        shown["chat"] = chat_object(world, message.chat, viewer)
    shown["timestamp"] = message.timestamp
    if not message.is_system:
        shown["replyMessageId"] = message.reply_to
        quoted = world.messages.get(message.reply_to) if message.reply_to and with_quoted else None
        if quoted is not None and not world.settings.is_flat:
            shown["replyMessage"] = envelope(world, quoted, viewer, with_quoted=False)
        shown["isEdited"] = message.is_edited
    shown["author"] = author(message)
    shown["box"] = {"id": message.box, "position": "0"}
    shown["type"] = int(message.type)
    shown["content"] = content(world, message, viewer)
    return shown


def author(message: Message) -> dict[str, Any]:
    """Return who wrote a message."""
    return {"id": message.author_id, "type": 0 if message.is_system else 1}


def content(world: World, message: Message, viewer: str) -> dict[str, Any]:
    """Return what a message says, in the shape of its type (`protocol` sections 5.2 to 5.4)."""
    if message.forwarded is not None:
        return _original(world, message.forwarded, viewer)
    file = message.file
    if file is None:
        return message.content
    if message.type == MessageType.VOICE_MESSAGE:
        return {"fileId": file.file_id, "size": file.size, "mimeType": file.mime_type, **message.content}
    return {
        "name": file.name,
        "size": file.size,
        "fileId": file.file_id,
        "mimeType": file.mime_type,
        "readyState": int(file.state),
    }


def _original(world: World, message: Message, viewer: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"messageId": message.message_id, "chatId": message.chat.chat_id}
    if not world.settings.is_flat:
        shown["chat"] = chat_object(world, message.chat, viewer)
        shown["isEdited"] = message.is_edited
    shown["timestamp"] = message.timestamp
    shown["author"] = author(message)
    shown["type"] = int(message.type)
    # Of a forward that is forwarded again, servers send the content itself (`protocol` section 5.4).
    shown["content"] = content(world, message.innermost, viewer)
    return shown


def chat_object(world: World, chat: Chat, viewer: str) -> dict[str, Any]:
    """Return the chat inside an envelope (`protocol` section 4.4)."""
    return {"chatId": chat.chat_id, "chatTitle": title(world, chat, viewer), "chatType": int(chat.type)}


def title(world: World, chat: Chat, viewer: str) -> str | None:
    """Return the title of a chat as that user sees it: of a personal chat, the other's display name."""
    if chat.type != ChatType.P2P:
        return chat.title
    return world.user(_other(chat, viewer)).display_name


def _other(chat: Chat, viewer: str) -> str:
    return next((user_id for user_id in chat.participants if user_id != viewer), viewer)


def chat_record(world: World, chat: Chat, viewer: str) -> dict[str, Any]:
    """Return a chat as `getChats` and `getChatByID` show it (`protocol` section 4.5)."""
    return {
        "chatId": chat.chat_id,
        "title": title(world, chat, viewer),
        "chatType": int(chat.type),
        "avatarUrl": chat.avatar,
        "lastMessage": _last_message(world, chat, viewer),
        "unreadMessages": len(chat.unread.get(viewer, {})),
    }


def created_chat(world: World, chat: Chat, viewer: str) -> dict[str, Any]:
    """Return a chat as the `create…` notifications show it: personal ones under the other's id (section 7.5)."""
    record = chat_record(world, chat, viewer)
    del record["avatarUrl"]
    if chat.type == ChatType.P2P:
        record["title"] = _other(chat, viewer)
    return record


def _last_message(world: World, chat: Chat, viewer: str) -> dict[str, Any] | None:
    message = world.last_message(viewer, chat)
    if message is None:
        return None
    shown: dict[str, Any] = {
        "messageId": message.message_id,
        "timestamp": message.timestamp,
        "author": author(message),
        "type": int(message.type),
        "content": content(world, message, viewer),
        "chatId": chat.chat_id,
    }
    if not world.settings.is_flat:
        shown["chat"] = chat_object(world, chat, viewer)
    return shown


def file_record(world: World, file: StoredFile, address: str, preview_addresses: list[str]) -> dict[str, Any]:
    """Return a file as `getFileInfo` shows it (`protocol` section 6.6); no address before it is ready."""
    is_ready = file.state == FileReadyState.READY
    previews = [
        {"name": preview.name, "size": preview.size, "mimeType": preview.mime_type, "downloadUrl": where}
        for preview, where in zip(file.previews, preview_addresses, strict=True)
    ]
    ids = {"fileId": file.file_id} if world.settings.has("5.5.3") else {}
    if world.settings.is_flat:
        ids["infoHash"] = file.file_id
    return {
        "name": file.name,
        "size": file.size,
        "mimeType": file.mime_type,
        "readyState": int(file.state),
        **ids,
        "downloadUrl": address if is_ready else None,
        "previews": previews if is_ready and previews else None,
    }


def notification(world: World, notice: Notice, viewer: str) -> dict[str, Any]:
    """Return the payload of a notice for one of its audience (`protocol` section 7)."""
    about = notice.about
    if isinstance(about, Message):
        return envelope(world, about, viewer)
    if isinstance(about, Chat):
        return created_chat(world, about, viewer)
    if notice.keyboard is not None:
        carrier = envelope(world, notice.keyboard, viewer)
        carrier["content"] = {name: value for name, value in carrier["content"].items() if name != "buttons"}
        return {**about, "commandSource": {**about["commandSource"], "message": carrier}}
    return about


def depends_on_viewer(notice: Notice) -> bool:
    """Return whether a notice looks different to different people."""
    about = notice.about
    if isinstance(about, Message):
        return about.chat.type == ChatType.P2P or about.forwarded is not None
    return isinstance(about, Chat) or notice.keyboard is not None
