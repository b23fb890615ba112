"""The state of the practice server and what may be done to it: users, chats, participants and messages; no I/O in it.

Every operation either changes the world and leaves notices for the sessions concerned, or raises a `Refusal` and
changes nothing. Files are kept by `tcnb.practice.storage`; who may do what stands in `tcnb.practice.rights`.

Source: `protocol` sections 6 and 16.3.
"""

from __future__ import annotations

import itertools
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tcnb.practice import keyboard, markup
from tcnb.practice.entities import (
    NO_SUCH_FILE,
    SYSTEM_AUTHOR,
    Chat,
    Message,
    Notice,
    Participant,
    Refusal,
    Settings,
    StoredFile,
    UploadLimits,
    User,
)
from tcnb.practice.rights import ROLES_IN, Action, allows
from tcnb.types.enums import ChatParticipantRole, ChatType, FileReadyState, MessageType
from tcnb.wire import codes, paths

MOST_TITLE: Final = 256
MOST_PER_PAGE: Final = 100

_REMOVERS_OF_OWNERS: Final = frozenset({ChatParticipantRole.OWNER})


def _now() -> int:
    return time.time_ns() // 1_000_000


class World:
    """One TrueConf server's worth of users, chats and messages.

    Args:
        domain: the server's name, the part of a user id after `@`.
        settings: the choices where the protocol is silent.
        clock: milliseconds since the epoch.
    """

    def __init__(
        self,
        domain: str = "practice.local",
        settings: Settings | None = None,
        clock: Callable[[], int] = _now,
    ) -> None:
        self.domain = domain
        self.settings = settings or Settings()
        self.clock = clock
        self.users: dict[str, User] = {}
        self.chats: dict[str, Chat] = {}
        self.messages: dict[str, Message] = {}
        self.files: dict[str, StoredFile] = {}
        self.limits = UploadLimits()
        self._notices: list[Notice] = []
        self._chats_of: dict[str, dict[str, Chat]] = {}
        self._p2p: dict[frozenset[str], Chat] = {}
        self._favorites: dict[str, Chat] = {}
        self._audiences: dict[str, tuple[str, ...]] = {}
        self._next_serial = itertools.count(1).__next__

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add_user(self, login: str, display_name: str, password: str | None = None) -> User:
        """Add a person; with a password it is an account that a bot can log in with."""
        user = User(f"{login}@{self.domain}", display_name, password)
        self.users[user.user_id.casefold()] = user
        self._chats_of.setdefault(user.user_id, {})
        return user

    def user(self, user_id: str) -> User:
        """Return the user with that full id; neither the case nor a `/resource` counts.

        Raises:
            Refusal: 399, there is none.
        """
        found = self.users.get(paths.bare_id(user_id).casefold())
        if found is None:
            raise Refusal(codes.WRONG_PAYLOAD)
        return found

    def has_login(self, login: str) -> bool:
        """Return whether somebody goes by that login already."""
        return f"{login}@{self.domain}".casefold() in self.users

    def account(self, login: str) -> User | None:
        """Return the account with that login, with or without the domain; None where there is none."""
        user_id = login if "@" in login else f"{login}@{self.domain}"
        found = self.users.get(user_id.casefold())
        return found if found is not None and found.is_account else None

    # ── what sessions are told ──────────────────────────────────────────────────────────────────────────────────

    def take_notices(self) -> list[Notice]:
        """Return what happened since the last call, oldest first, and forget it."""
        taken, self._notices = self._notices, []
        return taken

    def audience(self, chat: Chat) -> tuple[str, ...]:
        """Return the ids of the accounts in a chat."""
        found = self._audiences.get(chat.chat_id)
        if found is None:
            found = tuple(user_id for user_id in chat.participants if self.users[user_id.casefold()].is_account)
            self._audiences[chat.chat_id] = found
        return found

    def unread(self, user_id: str) -> list[Message]:
        """Return what that account has not acknowledged, oldest first across its chats."""
        waiting = [message for chat in self.chats_of(user_id) for message in chat.unread.get(user_id, {}).values()]
        return sorted(waiting, key=lambda message: (message.timestamp, message.serial))

    def mark_read(self, user_id: str, message: Message) -> None:
        """Take note that an account acknowledged a message."""
        message.chat.unread.get(user_id, {}).pop(message.message_id, None)

    def is_read(self, user_id: str, message_id: str) -> bool:
        """Return whether an account has acknowledged a message (or never had to)."""
        message = self.messages.get(message_id)
        return message is None or message_id not in message.chat.unread.get(user_id, {})

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let everything inside happen at another time (ms), for writing history."""
        usual, self.clock = self.clock, lambda: moment
        try:
            yield
        finally:
            self.clock = usual

    # ── chats ───────────────────────────────────────────────────────────────────────────────────────────────────

    def chats_of(self, user_id: str) -> list[Chat]:
        """Return the chats of a user, in the order in which they were joined."""
        return list(self._chats_of.get(user_id, {}).values())

    def page_of_chats(self, actor: User, count: int, page: int) -> list[Chat]:
        """Return one page of chats, the most recently active first; pages count from 1."""
        if count < 1 or page < 1:
            raise Refusal(codes.WRONG_PAYLOAD)
        size = min(count, MOST_PER_PAGE)
        ordered = sorted(self.chats_of(actor.user_id), key=_activity, reverse=True)
        return ordered[(page - 1) * size : page * size]

    def chat(self, actor: User, chat_id: str, *, foreign: int = codes.ACCESS_DENIED) -> Chat:
        """Return a chat that the actor takes part in.

        Raises:
            Refusal: 304 where there is no such chat, `foreign` where the actor is no participant.
        """
        found = self.chats.get(chat_id)
        if found is None:
            raise Refusal(codes.CHAT_NOT_FOUND)
        if actor.user_id not in found.participants:
            raise Refusal(foreign)
        return found

    def create_p2p(self, actor: User, other: User, chat_id: str | None = None) -> Chat:
        """Return the personal chat of two users, made where there is none; of oneself, it is the favorites chat."""
        if actor is other:
            return self.create_favorites(actor)
        pair = frozenset({actor.user_id, other.user_id})
        existing = self._p2p.get(pair)
        if existing is not None:
            return existing
        chat = self._new_chat(ChatType.P2P, None, chat_id)
        self._p2p[pair] = chat
        for user in (actor, other):
            self._join(chat, user, ChatParticipantRole.USER)
        self._notify("createP2PChat", chat, chat)
        return chat

    def create_group(self, actor: User, title: str, chat_id: str | None = None) -> Chat:
        """Make a group whose owner the actor is."""
        return self._create_titled(actor, ChatType.GROUP, title, "createGroupChat", chat_id)

    def create_channel(self, actor: User, title: str, chat_id: str | None = None) -> Chat:
        """Make a channel whose owner the actor is."""
        return self._create_titled(actor, ChatType.CHANNEL, title, "createChannel", chat_id)

    def create_favorites(self, actor: User) -> Chat:
        """Return the actor's own chat, made where there is none."""
        existing = self._favorites.get(actor.user_id)
        if existing is not None:
            return existing
        chat = self._new_chat(ChatType.FAVORITES, None, None)
        self._favorites[actor.user_id] = chat
        self._join(chat, actor, ChatParticipantRole.FAVORITES_OWNER)
        self._notify("createFavoritesChat", chat, chat)
        return chat

    def remove_chat(self, actor: User, chat_id: str) -> None:
        """Delete a chat where the actor may (its owner, or either side of a personal one); otherwise leave it."""
        chat = self.chat(actor, chat_id)
        role = chat.participants[actor.user_id].role
        if chat.type in ROLES_IN and role != ChatParticipantRole.OWNER:
            self.remove_participant(actor, chat_id, actor, clear_history=False)
            return
        self._notify("removeChat", chat, {"chatId": chat_id})
        for user_id in list(chat.participants):
            self._leave(chat, user_id)
        for message in chat.messages:
            self.messages.pop(message.message_id, None)
        self.chats.pop(chat_id)
        self._p2p = {pair: other for pair, other in self._p2p.items() if other is not chat}
        self._favorites = {owner: other for owner, other in self._favorites.items() if other is not chat}

    def edit_title(self, actor: User, chat_id: str, title: str) -> int:
        """Rename a group or channel and return when (ms)."""
        chat = self._permitted(actor, chat_id, Action.CHANGE_LOOK)
        chat.title = _accepted_title(title)
        self._notify("editChatTitle", chat, {"chatId": chat_id, "title": title})
        return self._system_envelope(chat, MessageType.EDIT_CHAT_TITLE, {"title": title}).timestamp

    def check_may_edit_avatar(self, actor: User, chat_id: str) -> None:
        """Raise a refusal where the actor may not change the picture of a chat."""
        self._permitted(actor, chat_id, Action.CHANGE_LOOK)

    def edit_avatar(self, actor: User, chat_id: str, avatar_url: str | None) -> None:
        """Give a group or channel another picture."""
        chat = self._permitted(actor, chat_id, Action.CHANGE_LOOK)
        chat.avatar = avatar_url
        self._notify("editChatAvatar", chat, {"chatId": chat_id, "avatarUrl": avatar_url})
        self._system_envelope(chat, MessageType.EDIT_CHAT_AVATAR, {"avatarUrl": avatar_url})

    def clear_history(self, actor: User, chat_id: str, *, for_all: bool) -> None:
        """Hide everything said so far, from everybody or from the actor alone."""
        if for_all:
            chat = self._permitted(actor, chat_id, Action.CLEAR_FOR_ALL, titled_only=False)
        else:
            chat = self.chat(actor, chat_id)
        cleared = list(chat.participants.values()) if for_all else [chat.participants[actor.user_id]]
        for participant in cleared:
            participant.hidden_through = chat.last_box
            chat.unread.get(participant.user_id, {}).clear()
        audience = self.audience(chat) if for_all else (actor.user_id,)
        self._notices.append(Notice("clearHistory", audience, {"chatId": chat_id, "forAll": for_all}))
        if for_all:
            self._system_envelope(chat, MessageType.CLEAR_CHAT_HISTORY, {"forAll": True})

    # ── participants ────────────────────────────────────────────────────────────────────────────────────────────

    def add_participant(self, actor: User, chat_id: str, user: User, *, display_history: bool) -> None:
        """Bring a user into a group or channel."""
        chat = self._permitted(actor, chat_id, Action.MANAGE_PARTICIPANTS)
        if user.user_id in chat.participants:
            raise Refusal(codes.ALREADY_IN_CHAT)
        self._join(chat, user, ChatParticipantRole.USER, hidden_through=0 if display_history else chat.last_box)
        content = {"userId": user.user_id, "role": ChatParticipantRole.USER.value}
        self._membership_notice("addChatParticipant", chat, user, {"addedBy": _author(actor)})
        self._system_envelope(chat, MessageType.ADD_PARTICIPANT, content)

    def remove_participant(self, actor: User, chat_id: str, user: User, *, clear_history: bool) -> None:
        """Take a user out of a group or channel, or leave it."""
        if actor is user:
            chat = self.chat(actor, chat_id)
            if chat.type not in ROLES_IN:
                raise Refusal(codes.NOT_ENOUGH_RIGHTS)
        else:
            chat = self._permitted(actor, chat_id, Action.MANAGE_PARTICIPANTS)
            self._check_outranks(actor, chat, user)
        told = self.audience(chat)
        participant = self._leave(chat, user.user_id)
        if clear_history:
            participant.hidden_through = chat.last_box
        payload = {"timestamp": self.clock(), "chatId": chat_id, "userId": user.user_id, "removedBy": _author(actor)}
        self._notices.append(Notice("removeChatParticipant", told, payload))
        self._system_envelope(chat, MessageType.REMOVE_PARTICIPANT, {"userId": user.user_id})

    def change_role(self, actor: User, chat_id: str, user: User, role: str) -> None:
        """Give a participant another role; who makes somebody else owner becomes an admin."""
        chat = self._permitted(actor, chat_id, Action.CHANGE_ROLES)
        new = ChatParticipantRole(role)
        if new not in ROLES_IN[chat.type]:
            raise Refusal(codes.ROLE_NOT_FOUND)
        self._check_outranks(actor, chat, user)
        own = chat.participants[actor.user_id]
        if actor is user and own.role == ChatParticipantRole.OWNER != new:
            raise Refusal(codes.NOT_ENOUGH_RIGHTS)
        if new == ChatParticipantRole.OWNER and actor is not user:
            if own.role != ChatParticipantRole.OWNER:
                raise Refusal(codes.NOT_ENOUGH_RIGHTS)
            self._set_role(chat, actor, ChatParticipantRole.ADMIN)
        self._set_role(chat, user, new)

    def participant(self, actor: User, chat_id: str, user_id: str) -> Participant | None:
        """Return somebody's place in a chat of the actor; None where there is none."""
        chat = self.chat(actor, chat_id)
        found = self.users.get(paths.bare_id(user_id).casefold())
        return None if found is None else chat.participants.get(found.user_id)

    def page_of_participants(self, actor: User, chat_id: str, size: int, number: int) -> list[Participant]:
        """Return one page of the participants, in the order in which they joined; pages count from 1."""
        if size < 1 or number < 1:
            raise Refusal(codes.WRONG_PAYLOAD)
        chat = self.chat(actor, chat_id, foreign=codes.NOT_A_PARTICIPANT)
        return list(chat.participants.values())[(number - 1) * size : number * size]

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────────

    def say(
        self,
        actor: User,
        chat_id: str,
        text: str,
        parse_mode: str = "text",
        *,
        reply_to: str | None = None,
        buttons: Any = None,
    ) -> Message:
        """Write a text into a chat."""
        content = self.text_content(text, parse_mode, buttons)
        return self.post(actor, chat_id, MessageType.PLAIN_MESSAGE, content, reply_to=reply_to)

    def post(
        self,
        actor: User,
        chat_id: str,
        message_type: MessageType,
        content: dict[str, Any],
        *,
        reply_to: str | None = None,
    ) -> Message:
        """Put a message with ready wire content into a chat."""
        chat = self.check_may_post(actor, chat_id, reply_to)
        return self._append(chat, actor, message_type, content, reply_to=reply_to)

    def check_may_post(self, actor: User, chat_id: str, reply_to: str | None) -> Chat:
        """Return the chat where the actor may write into it (in answer to that message).

        Raises:
            Refusal: 302, 303 or 304 about the chat, 306 about the message.
        """
        chat = self._permitted(actor, chat_id, Action.SPEAK, titled_only=False)
        if reply_to is not None and self.message(actor, reply_to).chat is not chat:
            raise Refusal(codes.MESSAGE_NOT_FOUND)
        return chat

    def text_content(self, text: str, parse_mode: str, buttons: Any = None) -> dict[str, Any]:
        """Return the content of a text as the server keeps it."""
        kept = markup.accepted_text(text, parse_mode, cut=self.settings.cut_long_texts)
        content: dict[str, Any] = {"text": kept, "parseMode": parse_mode}
        if buttons is not None and not self.settings.is_flat:
            content["buttons"] = keyboard.accepted_keyboard(buttons)
        return content

    def edit(self, actor: User, message_id: str, message_type: MessageType, content: dict[str, Any]) -> int:
        """Replace the content of one's own message of that type and return when (ms)."""
        message = self.message(actor, message_id)
        if message.author_id != actor.user_id:
            raise Refusal(codes.NOT_ENOUGH_RIGHTS)
        if message.type != message_type:
            raise Refusal(codes.WRONG_PAYLOAD)
        message.content = content
        message.is_edited = True
        moment = self.clock()
        payload = {"timestamp": moment, "content": content, "chatId": message.chat.chat_id}
        if self.settings.edit_names_message:
            payload["messageId"] = message_id
        self._notify("editMessage", message.chat, payload)
        return moment

    def remove_message(self, actor: User, message_id: str, *, for_all: bool) -> None:
        """Delete a message for everybody, or hide it from the actor."""
        message = self.message(actor, message_id)
        chat = message.chat
        if message.author_id != actor.user_id:
            needed = Action.REMOVE_FOREIGN if for_all else Action.HIDE_FOREIGN
            if not allows(chat.participants[actor.user_id].role, chat.type, needed):
                raise Refusal(codes.NOT_ENOUGH_RIGHTS)
        if for_all:
            message.is_removed = True
            self.messages.pop(message_id)
            for waiting in chat.unread.values():
                waiting.pop(message_id, None)
        else:
            message.hidden_from = (message.hidden_from or set()) | {actor.user_id}
            chat.unread.get(actor.user_id, {}).pop(message_id, None)
        audience = self.audience(chat) if for_all else (actor.user_id,)
        payload = {"chatId": chat.chat_id, "messageId": message_id, "removedBy": _author(actor)}
        self._notices.append(Notice("removeMessage", audience, payload))

    def forward(self, actor: User, message_id: str, chat_id: str) -> Message:
        """Repeat a message in another (or the same) chat, naming its author."""
        original = self.message(actor, message_id)
        chat = self.check_may_post(actor, chat_id, None)
        if original.is_system:
            raise Refusal(codes.WRONG_PAYLOAD)
        return self._append(chat, actor, MessageType.FORWARDED_MESSAGE, {}, forwarded=_snapshot(original))

    def message(self, actor: User, message_id: str) -> Message:
        """Return a message that the actor can see.

        Raises:
            Refusal: 306, there is none, or it is hidden from the actor.
        """
        found = self.messages.get(message_id)
        if found is None or not self._sees(actor.user_id, found):
            raise Refusal(codes.MESSAGE_NOT_FOUND)
        return found

    def history(self, actor: User, chat_id: str, count: int, from_message: str | None = None) -> list[Message]:
        """Return up to `count` (at most 100) messages, newest first, from `from_message` on where it is given."""
        if count < 1:
            raise Refusal(codes.WRONG_PAYLOAD)
        chat = self.chat(actor, chat_id, foreign=codes.NOT_A_PARTICIPANT)
        end = chat.last_box
        if from_message is not None:
            anchor = self.message(actor, from_message)
            if anchor.chat is not chat:
                raise Refusal(codes.MESSAGE_NOT_FOUND)
            end = anchor.box
        return list(self._backwards(actor.user_id, chat, end, min(count, MOST_PER_PAGE)))

    def last_message(self, user_id: str, chat: Chat) -> Message | None:
        """Return the newest message that a participant can see."""
        return next(self._backwards(user_id, chat, chat.last_box, 1), None)

    def press(self, presser: User, message_id: str, which: str | tuple[int, int]) -> None:
        """Press a button of the keyboard under a message.

        Args:
            presser: who presses it.
            message_id: the message.
            which: its row and column, counted from 0; or its id or label, of equal ones the first.

        Raises:
            Refusal: 399, there is none.
        """
        message = self.message(presser, message_id)
        button = keyboard.button_at(message.content.get("buttons", []), which)
        if button is None:
            raise Refusal(codes.WRONG_PAYLOAD)
        if button["type"] == "message" and not button.get("draft"):
            self.say(presser, message.chat.chat_id, button["message"])
        elif button["type"] == "command":
            self._command_notice(message, button)

    # ── files, as far as chats are concerned ────────────────────────────────────────────────────────────────────

    def file(self, file_id: str) -> StoredFile:
        """Return a file.

        Raises:
            Refusal: 404, there is none.
        """
        found = self.files.get(file_id)
        if found is None:
            raise Refusal(NO_SUCH_FILE)
        return found

    def attach(self, actor: User, chat_id: str, file: StoredFile, *, reply_to: str | None = None) -> Message:
        """Put a file into a chat."""
        chat = self.check_may_post(actor, chat_id, reply_to)
        self.files[file.file_id] = file
        return self._append(chat, actor, MessageType.ATTACHMENT, {}, reply_to=reply_to, file=file)

    def attach_voice(self, actor: User, chat_id: str, file: StoredFile, duration: int) -> Message:
        """Put a voice message of that many seconds into a chat."""
        chat = self.check_may_post(actor, chat_id, None)
        self.files[file.file_id] = file
        return self._append(chat, actor, MessageType.VOICE_MESSAGE, {"duration": duration}, file=file)

    def report_progress(self, file: StoredFile, received: int) -> None:
        """Take note that so many bytes of a file have arrived; subscribed sessions are told."""
        file.received = received
        payload = {"fileId": file.file_id, "progress": received}
        self._notices.append(Notice("uploadFileProgress", (), payload, file_id=file.file_id))

    def finish_file(self, file: StoredFile) -> None:
        """Take note that a file is there as a whole."""
        file.received = file.size
        file.state = FileReadyState.READY

    def set_upload_limits(self, limits: UploadLimits) -> None:
        """Change what may be uploaded; every session is told."""
        self.limits = limits
        accounts = tuple(user.user_id for user in self.users.values() if user.is_account)
        self._notices.append(Notice("getFileUploadLimits", accounts, limits.as_wire(), to_origin=True))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _create_titled(self, actor: User, kind: ChatType, title: str, method: str, chat_id: str | None) -> Chat:
        chat = self._new_chat(kind, _accepted_title(title), chat_id)
        self._join(chat, actor, ChatParticipantRole.OWNER)
        content = {"userId": actor.user_id, "role": ChatParticipantRole.OWNER.value}
        self._notify(method, chat, chat, to_origin=self.settings.creator_is_notified)
        self._system_envelope(chat, MessageType.PARTICIPANT_ROLE, content)
        return chat

    def _new_chat(self, kind: ChatType, title: str | None, chat_id: str | None) -> Chat:
        chat = Chat(chat_id or secrets.token_hex(20), kind, title, active_at=self.clock())
        self.chats[chat.chat_id] = chat
        return chat

    def _join(self, chat: Chat, user: User, role: ChatParticipantRole, hidden_through: int = 0) -> None:
        chat.participants[user.user_id] = Participant(user.user_id, role, hidden_through)
        self._chats_of[user.user_id][chat.chat_id] = chat
        self._audiences.pop(chat.chat_id, None)

    def _leave(self, chat: Chat, user_id: str) -> Participant:
        self._chats_of[user_id].pop(chat.chat_id, None)
        chat.unread.pop(user_id, None)
        self._audiences.pop(chat.chat_id, None)
        return chat.participants.pop(user_id)

    def _permitted(self, actor: User, chat_id: str, action: Action, *, titled_only: bool = True) -> Chat:
        chat = self.chat(actor, chat_id)
        role = chat.participants[actor.user_id].role
        if (titled_only and chat.type not in ROLES_IN) or not allows(role, chat.type, action):
            raise Refusal(codes.NOT_ENOUGH_RIGHTS)
        return chat

    def _check_outranks(self, actor: User, chat: Chat, user: User) -> None:
        if user.user_id not in chat.participants:
            raise Refusal(codes.NOT_A_PARTICIPANT)
        own, other = chat.participants[actor.user_id].role, chat.participants[user.user_id].role
        if other == ChatParticipantRole.OWNER and own not in _REMOVERS_OF_OWNERS:
            raise Refusal(codes.NOT_ENOUGH_RIGHTS)

    def _set_role(self, chat: Chat, user: User, role: ChatParticipantRole) -> None:
        chat.participants[user.user_id].role = role
        content = {"userId": user.user_id, "role": role.value}
        self._notify("changeParticipantRole", chat, {"timestamp": self.clock(), "chatId": chat.chat_id, **content})
        self._system_envelope(chat, MessageType.PARTICIPANT_ROLE, content)

    def _append(
        self,
        chat: Chat,
        author: User | None,
        message_type: MessageType,
        content: dict[str, Any],
        *,
        reply_to: str | None = None,
        forwarded: Message | None = None,
        file: StoredFile | None = None,
    ) -> Message:
        author_id = SYSTEM_AUTHOR if author is None else author.user_id
        message = Message(
            str(uuid.uuid4()),
            self._next_serial(),
            chat,
            chat.last_box + 1,
            self.clock(),
            author_id,
            message_type,
            content,
            reply_to,
            forwarded,
            file,
        )
        chat.messages.append(message)
        chat.active_at = message.timestamp
        if len(chat.messages) > self.settings.kept_messages:
            self._forget_oldest(chat)
        self.messages[message.message_id] = message
        audience = self.audience(chat)
        if author is not None:
            for user_id in audience:
                if user_id != author_id:
                    chat.unread.setdefault(user_id, {})[message.message_id] = message
        self._notices.append(Notice("sendMessage", audience, message, is_system=author is None))
        return message

    def _forget_oldest(self, chat: Chat) -> None:
        # A tenth at a time, since moving the rest of the list costs the same for one message as for many.
        count = max(1, self.settings.kept_messages // 10)
        for message in chat.messages[:count]:
            self.messages.pop(message.message_id, None)
            for waiting in chat.unread.values():
                waiting.pop(message.message_id, None)
        del chat.messages[:count]
        chat.forgotten += count

    def _system_envelope(self, chat: Chat, message_type: MessageType, content: dict[str, Any]) -> Message:
        return self._append(chat, None, message_type, content)

    def _notify(self, method: str, chat: Chat, about: Chat | dict[str, Any], *, to_origin: bool = False) -> None:
        self._notices.append(Notice(method, self.audience(chat), about, to_origin=to_origin))

    def _membership_notice(self, method: str, chat: Chat, user: User, by: dict[str, Any]) -> None:
        payload = {"timestamp": self.clock(), "chatId": chat.chat_id, "userId": user.user_id, **by}
        self._notify(method, chat, payload)

    def _command_notice(self, message: Message, button: dict[str, Any]) -> None:
        source: dict[str, Any] = {"type": "inlineKeyboard", "waitReply": button["waitReply"]}
        if "id" in button:
            source["buttonId"] = button["id"]
        command = {"type": "userCommand", "command": button["command"], "customData": button.get("customData", "")}
        payload = {"commandSource": source, "commandPayload": command}
        self._notices.append(Notice("command", (button.get("to", message.author_id),), payload, keyboard=message))

    def _sees(self, user_id: str, message: Message) -> bool:
        participant = message.chat.participants.get(user_id)
        return (
            participant is not None
            and not message.is_removed
            and message.box > participant.hidden_through
            and not (message.hidden_from and user_id in message.hidden_from)
        )

    def _backwards(self, user_id: str, chat: Chat, end: int, most: int) -> Iterator[Message]:
        first = chat.participants[user_id].hidden_through
        found = 0
        for box in range(end, max(first, chat.forgotten), -1):
            message = chat.messages[box - chat.forgotten - 1]
            if self._sees(user_id, message):
                yield message
                found += 1
                if found == most:
                    return


def _author(user: User) -> dict[str, Any]:
    return {"id": user.user_id, "type": 1}


def _activity(chat: Chat) -> tuple[int, int]:
    return chat.active_at, chat.messages[-1].serial if chat.messages else 0


def _accepted_title(title: str) -> str:
    if not 1 <= len(title) <= MOST_TITLE:
        raise Refusal(codes.WRONG_PAYLOAD)
    return title


def _snapshot(original: Message) -> Message:
    return Message(
        original.message_id,
        original.serial,
        original.chat,
        original.box,
        original.timestamp,
        original.author_id,
        original.type,
        original.content,
        original.reply_to,
        original.forwarded,
        original.file,
        original.is_edited,
    )
