"""What each wire method does: one function a method, from its request to the payload of its response; no frames here.

`auth` is not among them, since it concerns the connection rather than the world.

Source: `protocol` section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from tcnb.errors import PortableError
from tcnb.practice import envelopes
from tcnb.practice import requests as ask
from tcnb.practice.entities import INVALID_FILE, Chat, Message, Refusal, Settings, User
from tcnb.practice.sessions import Session
from tcnb.practice.storage import Storage
from tcnb.practice.world import World
from tcnb.types.enums import ChatActivity, CommandAnswerType, MessageType
from tcnb.wire import codes

ACTIVITY_FADES_MS: Final = 6000

FIRST: Final = "5.5.0"
"""The first server with the connector: what nothing else is said of came with it (`protocol` section 6.1)."""


class Silence(PortableError):
    """The request gets no answer at all."""


@dataclass(slots=True)
class Call:
    """Who asks, and whom: the session, its account, and the parts of the server that methods use."""

    world: World
    storage: Storage
    session: Session
    actor: User


Answer = Any
AnyRequest = TypeVar("AnyRequest", bound=ask.Request)


@dataclass(frozen=True, slots=True)
class Method:
    """A wire method: how its payload is read, what it does, and the version of the server that brought it."""

    read: Callable[[bytes], ask.Request]
    carry_out: Callable[[Call, Any], Answer]
    since: str


METHODS: Final[dict[str, Method]] = {}


def _method(
    name: str, shape: type[AnyRequest], *, since: str = FIRST
) -> Callable[[Callable[[Call, AnyRequest], Answer]], Callable[[Call, AnyRequest], Answer]]:
    def register(function: Callable[[Call, AnyRequest], Answer]) -> Callable[[Call, AnyRequest], Answer]:
        METHODS[name] = Method(msgspec.json.Decoder(shape).decode, function, since)
        return function

    return register


def is_notified(settings: Settings, name: str) -> bool:
    """Return whether servers of this generation send a notification; most are called as the method that causes them."""
    method = METHODS.get(name)
    return method is None or settings.has(method.since)


def carry_out(call: Call, name: str, payload: bytes) -> Answer:
    """Do what a request asks and return the payload of its response.

    Args:
        call: who asks.
        name: the wire method.
        payload: its arguments, JSON; empty stands for none.

    Raises:
        Refusal: with the code to answer; 307 for an unknown method, 399 for an unreadable payload.
        Silence: there is to be no answer.
    """
    method = METHODS.get(name)
    if method is None or not call.world.settings.has(method.since):
        raise Refusal(codes.UNKNOWN_METHOD)
    try:
        request = method.read(payload or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refusal(codes.WRONG_PAYLOAD) from None
    return method.carry_out(call, request)


# ── chats ───────────────────────────────────────────────────────────────────────────────────────────────────────


@_method("createP2PChat", ask.OfUser)
def create_p2p_chat(call: Call, request: ask.OfUser) -> Answer:
    """Open a personal chat; with one's own id the server never answers (`protocol` section 6.2)."""
    other = call.world.user(request.user_id)
    if other is call.actor and call.world.settings.own_p2p_is_silent:
        raise Silence
    return {"chatId": call.world.create_p2p(call.actor, other).chat_id}


@_method("createGroupChat", ask.Titled)
def create_group_chat(call: Call, request: ask.Titled) -> Answer:
    """Make a group."""
    return {"chatId": call.world.create_group(call.actor, request.title or request.name or "").chat_id}


@_method("createChannel", ask.Titled)
def create_channel(call: Call, request: ask.Titled) -> Answer:
    """Make a channel."""
    return {"chatId": call.world.create_channel(call.actor, request.title or request.name or "").chat_id}


@_method("createFavoritesChat", ask.Nothing, since="5.5.2")
def create_favorites_chat(call: Call, _: ask.Nothing) -> Answer:
    """Open the account's own chat."""
    return {"chatId": call.world.create_favorites(call.actor).chat_id}


@_method("getChats", ask.ChatPage)
def get_chats(call: Call, request: ask.ChatPage) -> Answer:
    """List chats; the payload is a bare array."""
    return [_record(call, chat) for chat in call.world.page_of_chats(call.actor, request.count, request.page)]


@_method("getChatByID", ask.OfChat)
def get_chat_by_id(call: Call, request: ask.OfChat) -> Answer:
    """Show one chat."""
    return _record(call, call.world.chat(call.actor, request.chat_id, foreign=codes.NOT_A_PARTICIPANT))


@_method("removeChat", ask.OfChat)
def remove_chat(call: Call, request: ask.OfChat) -> Answer:
    """Delete a chat or leave it."""
    call.world.remove_chat(call.actor, request.chat_id)
    return {}


@_method("editChatTitle", ask.EditTitle, since="5.5.3")
def edit_chat_title(call: Call, request: ask.EditTitle) -> Answer:
    """Rename a chat."""
    moment = call.world.edit_title(call.actor, request.chat_id, request.title)
    return {"chatId": request.chat_id, "timestamp": moment}


@_method("editChatAvatar", ask.EditAvatar, since="5.5.3")
def edit_chat_avatar(call: Call, request: ask.EditAvatar) -> Answer:
    """Give a chat an uploaded image for a picture."""
    call.world.check_may_edit_avatar(call.actor, request.chat_id)
    file = call.storage.uploaded(call.actor, request.temporal_file_id)
    if not file.mime_type.startswith("image/"):
        raise Refusal(INVALID_FILE)
    call.storage.use(request.temporal_file_id)
    call.world.files[file.file_id] = file
    call.world.edit_avatar(call.actor, request.chat_id, call.storage.lasting_address(file))
    return {}


@_method("clearHistory", ask.ClearHistory, since="5.5.3")
def clear_history(call: Call, request: ask.ClearHistory) -> Answer:
    """Hide what was said so far."""
    call.world.clear_history(call.actor, request.chat_id, for_all=request.for_all)
    return {}


# ── participants ────────────────────────────────────────────────────────────────────────────────────────────────


@_method("addChatParticipant", ask.AddParticipant)
def add_chat_participant(call: Call, request: ask.AddParticipant) -> Answer:
    """Bring a user into a chat."""
    user = call.world.user(request.user_id)
    call.world.add_participant(call.actor, request.chat_id, user, display_history=request.display_history)
    return {}


@_method("removeChatParticipant", ask.RemoveParticipant)
def remove_chat_participant(call: Call, request: ask.RemoveParticipant) -> Answer:
    """Take a user out of a chat, or leave it."""
    user = call.world.user(request.user_id)
    call.world.remove_participant(call.actor, request.chat_id, user, clear_history=request.clear_history)
    return {}


@_method("changeParticipantRole", ask.ChangeRole, since="5.5.2")
def change_participant_role(call: Call, request: ask.ChangeRole) -> Answer:
    """Give a participant another role."""
    call.world.change_role(call.actor, request.chat_id, call.world.user(request.user_id), request.role)
    return {}


@_method("getChatParticipants", ask.ParticipantPage)
def get_chat_participants(call: Call, request: ask.ParticipantPage) -> Answer:
    """List the participants of a chat."""
    page = call.world.page_of_participants(call.actor, request.chat_id, request.page_size, request.page_number)
    return {"participants": [{"userId": one.user_id, "role": one.role.value} for one in page]}


@_method("getChatParticipant", ask.OfParticipant, since="5.5.4")
def get_chat_participant(call: Call, request: ask.OfParticipant) -> Answer:
    """Show one participant."""
    found = call.world.participant(call.actor, request.chat_id, request.user_id)
    if found is None:
        raise Refusal(codes.NOT_A_PARTICIPANT)
    return {"userId": found.user_id, "role": found.role.value, "type": 1}


@_method("hasChatParticipant", ask.OfParticipant)
def has_chat_participant(call: Call, request: ask.OfParticipant) -> Answer:
    """Tell whether somebody is in a chat."""
    return {"result": call.world.participant(call.actor, request.chat_id, request.user_id) is not None}


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────


@_method("sendMessage", ask.SendMessage)
def send_message(call: Call, request: ask.SendMessage) -> Answer:
    """Write a text."""
    text = request.content
    message = call.world.say(
        call.actor,
        request.chat_id,
        text.text,
        text.parse_mode,
        reply_to=request.reply_message_id,
        buttons=text.buttons,
    )
    return _sent(message)


@_method("editMessage", ask.EditMessage)
def edit_message(call: Call, request: ask.EditMessage) -> Answer:
    """Replace a text of one's own; buttons not repeated are gone."""
    text = request.content
    content = call.world.text_content(text.text, text.parse_mode, text.buttons)
    moment = call.world.edit(call.actor, request.message_id, MessageType.PLAIN_MESSAGE, content)
    return {"messageId": request.message_id, "timestamp": moment}


@_method("removeMessage", ask.RemoveMessage)
def remove_message(call: Call, request: ask.RemoveMessage) -> Answer:
    """Delete a message or hide it."""
    call.world.remove_message(call.actor, request.message_id, for_all=request.for_all)
    return {}


@_method("forwardMessage", ask.Forward)
def forward_message(call: Call, request: ask.Forward) -> Answer:
    """Repeat a message in another chat."""
    return _sent(call.world.forward(call.actor, request.message_id, request.chat_id))


@_method("getMessageById", ask.OfMessage)
def get_message_by_id(call: Call, request: ask.OfMessage) -> Answer:
    """Show one message."""
    return _envelope(call, call.world.message(call.actor, request.message_id))


@_method("getChatHistory", ask.History)
def get_chat_history(call: Call, request: ask.History) -> Answer:
    """Show what was said, newest first."""
    start = None if request.from_message_id is msgspec.UNSET else request.from_message_id
    found = call.world.history(call.actor, request.chat_id, request.count, start)
    shown = [_envelope(call, message) for message in found]
    return {"count": len(shown), "chatId": request.chat_id, "messages": shown}


@_method("sendChatActivity", ask.Activity, since="5.5.6")
def send_chat_activity(call: Call, request: ask.Activity) -> Answer:
    """Show what the bot is busy with; nobody is notified through the connector."""
    call.world.chat(call.actor, request.chat_id)
    if request.activity_type not in {activity.value for activity in _ACTIVITIES}:
        raise Refusal(codes.WRONG_PAYLOAD)
    return {"chatId": request.chat_id, "activityType": request.activity_type, "retryAfter": ACTIVITY_FADES_MS}


@_method("getUserDisplayName", ask.OfUser)
def get_user_display_name(call: Call, request: ask.OfUser) -> Answer:
    """Tell a person's name."""
    return {"displayName": call.world.user(request.user_id).display_name}


@_method("sendSurvey", ask.SendSurvey)
def send_survey(call: Call, request: ask.SendSurvey) -> Answer:
    """Post an existing poll."""
    content = _survey(request.content)
    if not isinstance(content.get("url"), str):
        raise Refusal(codes.WRONG_PAYLOAD)
    message = call.world.post(
        call.actor, request.chat_id, MessageType.SURVEY, content, reply_to=request.reply_message_id
    )
    return _sent(message)


@_method("editSurvey", ask.EditSurvey)
def edit_survey(call: Call, request: ask.EditSurvey) -> Answer:
    """Change a poll's appearance; fields not repeated stay as they were."""
    before = call.world.message(call.actor, request.message_id).content
    content = {**before, **_survey(request.content)}
    moment = call.world.edit(call.actor, request.message_id, MessageType.SURVEY, content)
    return {"messageId": request.message_id, "timestamp": moment}


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────


@_method("uploadFile", ask.Upload)
def upload_file(call: Call, request: ask.Upload) -> Answer:
    """Ask for leave to upload; before 5.5.3 only the part that brings the file names it."""
    name = request.file_name if call.world.settings.has("5.5.3") else None
    if name is None and call.world.settings.has("5.5.3"):
        raise Refusal(codes.WRONG_PAYLOAD)
    return {"uploadTaskId": call.storage.open_task(call.actor, name, request.file_size).task_id}


@_method("sendFile", ask.SendFile)
def send_file(call: Call, request: ask.SendFile) -> Answer:
    """Post an uploaded file; its caption becomes a message of its own."""
    world, chat_id, caption = call.world, request.chat_id, request.content.caption
    world.check_may_post(call.actor, chat_id, request.reply_message_id)
    file = call.storage.uploaded(call.actor, request.content.temporal_file_id)
    said = None if caption is None else world.text_content(caption.text, caption.parse_mode)
    call.storage.use(request.content.temporal_file_id)
    captioned = None
    if said is not None and not world.settings.caption_after_file:
        captioned = world.post(call.actor, chat_id, MessageType.PLAIN_MESSAGE, said)
    message = world.attach(call.actor, chat_id, file, reply_to=request.reply_message_id)
    if said is not None and captioned is None:
        captioned = world.post(call.actor, chat_id, MessageType.PLAIN_MESSAGE, said)
    answer = _sent(message)
    if world.settings.has("5.5.3"):
        answer["fileId"] = file.file_id
    if captioned is not None:
        answer["captionMessageId"] = captioned.message_id
    return answer


@_method("getFileInfo", ask.OfFile)
def get_file_info(call: Call, request: ask.OfFile) -> Answer:
    """Describe a file and tell where it can be downloaded."""
    file = call.world.file(request.file_id)
    addresses = [call.storage.address(preview) for preview in file.previews]
    return envelopes.file_record(call.world, file, call.storage.address(file), addresses)


@_method("getFileUploadLimits", ask.Nothing, since="5.5.3")
def get_file_upload_limits(call: Call, _: ask.Nothing) -> Answer:
    """Tell what may be uploaded."""
    return call.world.limits.as_wire()


@_method("subscribeFileProgress", ask.OfFile)
def subscribe_file_progress(call: Call, request: ask.OfFile) -> Answer:
    """Follow the arrival of a file."""
    call.session.subscriptions.add(call.world.file(request.file_id).file_id)
    return {"result": True}


@_method("unsubscribeFileProgress", ask.OfFile)
def unsubscribe_file_progress(call: Call, request: ask.OfFile) -> Answer:
    """Stop following the arrival of a file."""
    call.session.subscriptions.discard(call.world.file(request.file_id).file_id)
    return {"result": True}


@_method("answerCommand", ask.AnswerCommand, since="5.5.6")
def answer_command(call: Call, request: ask.AnswerCommand) -> Answer:
    """Answer the press of a button; accepted without effect (`protocol` section 6.7)."""
    text = request.message.text
    if not 1 <= len(text) <= 255 or not text.isascii():
        raise Refusal(codes.WRONG_PAYLOAD)
    if request.answer_type not in {kind.value for kind in _ANSWER_TYPES}:
        raise Refusal(codes.WRONG_PAYLOAD)
    return {}


_ACTIVITIES: Final = (ChatActivity.TYPING, ChatActivity.CHOOSING_STICKER, ChatActivity.UPLOADING_FILE)
_ANSWER_TYPES: Final = (
    CommandAnswerType.COMPLETE,
    CommandAnswerType.TIMEOUT,
    CommandAnswerType.CANCEL,
    CommandAnswerType.MESSAGE,
)


def _record(call: Call, chat: Chat) -> dict[str, Any]:
    return envelopes.chat_record(call.world, chat, call.actor.user_id)


def _envelope(call: Call, message: Message) -> dict[str, Any]:
    return envelopes.envelope(call.world, message, call.actor.user_id)


def _sent(message: Message) -> dict[str, Any]:
    return {"chatId": message.chat.chat_id, "messageId": message.message_id, "timestamp": message.timestamp}


def _survey(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        msgspec.json.decode(raw, type=ask.SurveyTitle)
    except msgspec.MsgspecError:
        raise Refusal(codes.WRONG_PAYLOAD) from None
    content: dict[str, Any] = msgspec.json.decode(raw)
    return content
