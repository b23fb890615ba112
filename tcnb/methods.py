"""Requests as objects, for scripts that send them so: `await bot(SendMessage(chat_id, text, "text"))`; whatever is sent
goes the same way as from the methods of the bot.

Source: `protocol` section 6.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from tcnb.types import responses
from tcnb.types.base import camel
from tcnb.types.enums import CommandAnswerType, CommandMessageLevel, CommandMessageStatus, CommandMessageVisibility
from tcnb.types.keyboard import InlineKeyboardMarkup

T = TypeVar("T")

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""

_GO_TO_SURVEY: Final = "{{Go to survey}}"
"""What is on the button of a survey; client applications translate it."""


class TrueConfMethod(Generic[T]):
    """A request; scripts may define others, as dataclasses below this one.

    Attributes:
        __api_method__: the wire method.
        __returning__: the class of the answer, or `dict` for the answer as it came.
    """

    __api_method__: ClassVar[str]
    __returning__: ClassVar[Any]

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method; what is None is left out."""
        return _named(self, *(one.name for one in fields(self)))  # type: ignore[arg-type]  # requests are dataclasses


@dataclass
class SendMessage(TrueConfMethod[responses.SendMessageResponse]):
    """Send a text."""

    __api_method__ = "sendMessage"
    __returning__ = responses.SendMessageResponse

    chat_id: str
    text: str
    parse_mode: str
    reply_message_id: str | None = None
    buttons: InlineKeyboardMarkup | None = field(default=None, kw_only=True)

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        return _named(self, "chat_id", "reply_message_id") | {"content": _text(self)}


@dataclass
class EditMessage(TrueConfMethod[responses.EditMessageResponse]):
    """Replace a text of one's own."""

    __api_method__ = "editMessage"
    __returning__ = responses.EditMessageResponse

    message_id: str
    text: str
    parse_mode: str
    buttons: InlineKeyboardMarkup | None = field(default=None, kw_only=True)

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        return _named(self, "message_id") | {"content": _text(self)}


@dataclass
class SendFile(TrueConfMethod[responses.SendFileResponse]):
    """Send a file that was uploaded."""

    __api_method__ = "sendFile"
    __returning__ = responses.SendFileResponse

    chat_id: str
    temporal_file_id: str
    text: str | None = None
    parse_mode: str | None = None
    reply_message_id: str | None = None

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        content = _named(self, "temporal_file_id")
        if self.text:
            content["caption"] = {"text": self.text, "parseMode": str(self.parse_mode or "text")}
        return _named(self, "chat_id", "reply_message_id") | {"content": content}


@dataclass
class SendSurvey(TrueConfMethod[responses.SendSurveyResponse]):
    """Send a survey that exists on the server."""

    __api_method__ = "sendSurvey"
    __returning__ = responses.SendSurveyResponse

    chat_id: str
    server: str
    path: str
    title: str
    secret: str
    description: str
    button_text: str = _GO_TO_SURVEY
    reply_message_id: str | None = None
    app_version: int = 1

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        content = _survey(self) | _named(self, "app_version", "secret") | {"url": _survey_address(self.server)}
        return _named(self, "chat_id", "reply_message_id") | {"content": content}


@dataclass
class EditSurvey(TrueConfMethod[responses.EditSurveyResponse]):
    """Change a survey of one's own."""

    __api_method__ = "editSurvey"
    __returning__ = responses.EditSurveyResponse

    message_id: str
    server: str
    path: str
    title: str
    description: str
    button_text: str = _GO_TO_SURVEY

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        return _named(self, "message_id") | {"content": _survey(self)}


@dataclass
class AnswerCommand(TrueConfMethod[responses.AnswerCommandResponse]):
    """Answer the press of a button that waits for it; no client application shows it yet."""

    __api_method__ = "answerCommand"
    __returning__ = responses.AnswerCommandResponse

    command_id: str
    answer_type: CommandAnswerType | str
    text: str
    status: CommandMessageStatus | str | None = None
    visibility: CommandMessageVisibility | str | None = None
    level: CommandMessageLevel | str | None = None

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the wire method."""
        said = _named(self, "text", "status", "visibility", "level")
        return _named(self, "command_id", "answer_type") | {"message": said}


_PLAIN: Final[dict[str, tuple[str, type[Any], str]]] = {
    "AddChatParticipant": (
        "addChatParticipant",
        responses.AddChatParticipantResponse,
        "chat_id user_id display_history",
    ),
    "ChangeParticipantRole": (
        "changeParticipantRole",
        responses.ChangeParticipantRoleResponse,
        "chat_id user_id role",
    ),
    "ClearChatHistory": ("clearHistory", responses.ClearChatHistoryResponse, "chat_id for_all"),
    "CreateChannel": ("createChannel", responses.CreateChannelResponse, "title"),
    "CreateFavoritesChat": ("createFavoritesChat", responses.CreateFavoritesChatResponse, ""),
    "CreateGroupChat": ("createGroupChat", responses.CreateGroupChatResponse, "title"),
    "CreateP2PChat": ("createP2PChat", responses.CreateP2PChatResponse, "user_id"),
    "EditChatAvatar": ("editChatAvatar", responses.EditChatAvatarResponse, "chat_id temporal_file_id"),
    "EditChatTitle": ("editChatTitle", responses.EditChatTitleResponse, "chat_id title"),
    "ForwardMessage": ("forwardMessage", responses.ForwardMessageResponse, "message_id chat_id"),
    "GetChatByID": ("getChatByID", responses.GetChatByIdResponse, "chat_id"),
    "GetChatHistory": ("getChatHistory", responses.GetChatHistoryResponse, "chat_id count from_message_id?"),
    "GetChatParticipant": ("getChatParticipant", responses.GetChatParticipantResponse, "chat_id user_id"),
    "GetChatParticipants": (
        "getChatParticipants",
        responses.GetChatParticipantsResponse,
        "chat_id page_size page_number",
    ),
    "GetChats": ("getChats", responses.GetChatsResponse, "count page"),
    "GetFileInfo": ("getFileInfo", responses.GetFileInfoResponse, "file_id"),
    "GetFileUploadLimits": ("getFileUploadLimits", responses.GetFileUploadLimitsResponse, ""),
    "GetMessageById": ("getMessageById", responses.GetMessageByIdResponse, "message_id"),
    "GetUserDisplayName": ("getUserDisplayName", responses.GetUserDisplayNameResponse, "user_id"),
    "HasChatParticipant": ("hasChatParticipant", responses.HasChatParticipantResponse, "chat_id user_id"),
    "RemoveChat": ("removeChat", responses.RemoveChatResponse, "chat_id"),
    "RemoveChatParticipant": (
        "removeChatParticipant",
        responses.RemoveChatParticipantResponse,
        "chat_id user_id clear_history",
    ),
    "RemoveMessage": ("removeMessage", responses.RemoveMessageResponse, "message_id for_all"),
    "SendChatActivity": ("sendChatActivity", responses.SendChatActivityResponse, "chat_id activity_type"),
    "SubscribeFileProgress": ("subscribeFileProgress", responses.SubscribeFileProgressResponse, "file_id"),
    "UnsubscribeFileProgress": ("unsubscribeFileProgress", responses.UnsubscribeFileProgressResponse, "file_id"),
    "UploadFile": ("uploadFile", responses.UploadFileResponse, "file_size file_name"),
}
"""Requests whose fields go to the server as they are: wire method, class of the answer, and the fields in order; those
with a question mark may be left out."""

__all__ = [  # names of the table are found by `__getattr__`
    "AnswerCommand",
    "EditMessage",
    "EditSurvey",
    "SendFile",
    "SendMessage",
    "SendSurvey",
    "TrueConfMethod",
    *_PLAIN,
]


def __getattr__(name: str) -> Any:
    if name in _PLAIN:
        return _plain(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _plain(name: str) -> type[Any]:
    """Make the class of a request in the table."""
    method, answer, names = _PLAIN[name]
    required = [one for one in names.split() if not one.endswith("?")]
    optional = [one.rstrip("?") for one in names.split() if one.endswith("?")]
    return make_dataclass(
        name,
        [*((one, Any) for one in required), *((one, Any, field(default=None)) for one in optional)],
        bases=(TrueConfMethod,),
        namespace={
            "__api_method__": method,
            "__returning__": answer,
            "__module__": __name__,
            "__doc__": f"The request `{method}`.",
        },
    )


def _named(request: Any, *names: str) -> dict[str, Any]:
    """Return fields under their names on the wire, without those that are None."""
    values = {name: getattr(request, name) for name in names}
    return {camel(name): _wire_value(value) for name, value in values.items() if value is not None}


def _wire_value(value: Any) -> Any:
    # The encoder of frames takes plain texts only, and enumerations are texts of a kind of their own.
    return str(value) if isinstance(value, str) else value


def _text(request: SendMessage | EditMessage) -> dict[str, Any]:
    content = _named(request, "text", "parse_mode")
    return content if request.buttons is None else content | request.buttons.as_wire()


def _survey(request: SendSurvey | EditSurvey) -> dict[str, Any]:
    link = f"{_survey_address(request.server)}?id={request.path}&error=autologin_not_supported"
    return _named(request, "path", "title", "description", "button_text") | {
        "alt": f"📊 <a href='{link}'>{request.title}</a>"
    }


def _survey_address(server: str) -> str:
    return f"https://{server}/webtools/survey"
