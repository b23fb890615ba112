"""Payloads of every notification and response as hypothesis makes them, in both generations; no test is here.

Only what a well-behaved server sends and the official client reads faithfully is made: what is odd, missing or unknown
is the business of the tests of tolerance, what the official client reads otherwise stands in the table of differences.
Source: `protocol` sections 4 to 7 and 13.
"""

from __future__ import annotations

import string
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

Payloads: TypeAlias = st.SearchStrategy[Any]

NEWER: Final = "5.5.6"
OLDER: Final = "5.5.3"
GENERATIONS: Final = (NEWER, OLDER)

ROBOT: Final = "robot@video.example.com"

IDS = st.uuids().map(str) | st.text("0123456789abcdef", min_size=40, max_size=40)
LOGINS = st.text(string.ascii_lowercase + string.digits + "._-", min_size=1, max_size=8)
USER_IDS = st.builds("{}@video.example.com{}".format, LOGINS, st.sampled_from(["", "/7b1e40aa"]))
TIMESTAMPS = st.integers(0, 4_102_444_800_000)
COUNTS = st.integers(0, 2**40)
WORDS = st.text(max_size=12)
ROLES = st.sampled_from(["owner", "admin", "user", "conf_owner", "conf_moderator", "favorites_owner", "writer"])
CHAT_TYPES = st.sampled_from([0, 1, 2, 3, 5, 6])
PARSE_MODES = st.sampled_from(["text", "markdown", "html"])
ADDRESSES = st.builds("https://video.example.com/{}?token={}".format, IDS, IDS)
MIME_TYPES = st.sampled_from(["image/png", "video/mp4", "text/vcard", "application/pdf", ""])
ASCII = st.text(string.ascii_letters + string.digits + "/=-_", min_size=1, max_size=10)

FRAGMENTS = st.sampled_from(
    [
        *("<b>", "</b>", "&amp;", "&lt;", "<br>", "**", "> ", "@all", " ", "\n"),
        *('<a href="https://ci.example.com/42">log</a>', '<a href="trueconf:carol@video.example.com">Carol</a>'),
        *(f'<a href="trueconf:{ROBOT}">Robot</a>', f'<a href="trueconf:{ROBOT}&do=profile">Robot</a>'),
    ]
)
QUOTES = st.builds('<quote class="reply">{}</quote><br><br>'.format, WORDS)
TEXTS = st.builds(
    lambda quote, pieces: quote + "".join(pieces), st.just("") | QUOTES, st.lists(WORDS | FRAGMENTS, max_size=4)
) | st.just("@all")


def an_object(required: dict[str, Payloads], optional: dict[str, Payloads] | None = None) -> Payloads:
    """Make objects with some fields always there and others sometimes."""
    return st.fixed_dictionaries(required, optional=optional or {})


def or_null(payloads: Payloads) -> Payloads:
    """Make null, too."""
    return st.none() | payloads


AUTHORS = an_object({"id": USER_IDS, "type": st.sampled_from([0, 1])})
BOXES = an_object({"id": COUNTS, "position": st.sampled_from(["0", "17", "a"])})
CHATS = an_object({"chatId": IDS, "chatTitle": or_null(WORDS), "chatType": CHAT_TYPES})
EXTENSIONS = an_object(
    {"mode": st.sampled_from(["allow", "block"]), "list": st.lists(st.sampled_from(["exe", "bat", "tar"]), max_size=3)}
)
LIMITS = an_object({"maxSize": or_null(COUNTS), "extensions": or_null(EXTENSIONS)})


def _buttons() -> Payloads:
    label = {"label": st.text(min_size=1, max_size=32)}
    every = {"id": WORDS, "style": st.sampled_from(["default", "primary", "danger", "success"])}
    command = {"customData": ASCII, "to": USER_IDS, "waitReply": st.just(False)}
    kinds = {
        "command": an_object({**label, "command": ASCII}, {**command, **every}),
        "url": an_object({"url": ADDRESSES}, {**label, **every}),
        "copy": an_object({**label, "data": st.text(min_size=1, max_size=12)}, every),
        "message": an_object({**label, "message": WORDS}, {"draft": st.booleans(), **every}),
    }
    return st.one_of(
        *(payloads.map(lambda payload, kind=kind: {"type": kind, **payload}) for kind, payloads in kinds.items())
    )


KEYBOARDS = st.lists(st.lists(_buttons(), min_size=1, max_size=3), min_size=1, max_size=3)
PLAIN_TEXTS = an_object({"text": TEXTS, "parseMode": PARSE_MODES})
ATTACHMENTS = an_object(
    {"name": WORDS, "size": COUNTS}, {"fileId": IDS, "mimeType": MIME_TYPES, "readyState": st.sampled_from([0, 1, 2])}
)
LOCATIONS = an_object({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180), "title": WORDS})
SURVEYS = an_object(
    {"url": ADDRESSES, "title": WORDS},
    dict.fromkeys(("path", "description", "buttonText", "secret", "alt"), WORDS) | {"appVersion": COUNTS},
)
VOICES = an_object({"fileId": IDS, "size": COUNTS, "mimeType": st.just("audio/ogg"), "duration": COUNTS})

SYSTEM_CONTENTS: Final[dict[int, Payloads]] = {
    1: an_object({"userId": USER_IDS, "role": ROLES}),
    2: an_object({"userId": USER_IDS}),
    21: an_object({"title": WORDS}),
    22: an_object({"avatarUrl": ADDRESSES}),
    23: an_object({"forAll": st.booleans()}),
    110: an_object({"userId": USER_IDS, "role": ROLES}),
}


def user_contents(generation: str) -> dict[int, Payloads]:
    """Return what a user's envelope can carry, by its type; a forwarded envelope carries another one."""
    contents = {200: PLAIN_TEXTS, 202: ATTACHMENTS, 203: LOCATIONS, 204: SURVEYS}
    if generation == OLDER:
        return contents
    texts = an_object({"text": TEXTS, "parseMode": PARSE_MODES}, {"buttons": KEYBOARDS})
    return {**contents, 200: texts, 205: VOICES}


def envelopes(generation: str, contents: dict[int, Payloads], required: dict[str, Payloads]) -> Payloads:
    """Make envelopes that carry one of these contents, with fields that only some envelopes have."""
    where = {"chatId": IDS} if generation == OLDER else {"chat": CHATS}
    common = {"messageId": IDS, "timestamp": TIMESTAMPS, "author": AUTHORS, **where, **required}
    return st.one_of(
        *(an_object({**common, "type": st.just(kind), "content": content}) for kind, content in contents.items())
    ).flatmap(_with_flat_id_or_not)


def _with_flat_id(envelope: dict[str, Any]) -> dict[str, Any]:
    """Let the flat id stand beside the chat, where there is one."""
    return {**envelope, "chatId": envelope["chat"]["chatId"]} if "chat" in envelope else envelope


def _with_flat_id_or_not(envelope: dict[str, Any]) -> Payloads:
    """Let the flat id stand beside the chat sometimes, since no source says that it always does."""
    return st.sampled_from([envelope, _with_flat_id(envelope)])


def user_envelopes(generation: str) -> Payloads:
    """Make messages of every kind, forwards of forwards and answers included."""
    required = {"isEdited": st.booleans(), "box": BOXES}
    contents = user_contents(generation)
    originals = st.recursive(
        envelopes(generation, contents, {"isEdited": st.booleans()}),
        lambda inner: envelopes(generation, {201: inner}, {"isEdited": st.booleans()}),
        max_leaves=2,
    )
    every = {**contents, 201: originals}
    answered = {"replyMessageId": or_null(IDS)}
    flat = envelopes(generation, every, {**required, **answered})
    if generation == OLDER:
        return flat
    nested = envelopes(generation, contents, {**required, **answered})
    return flat | st.builds(
        lambda envelope, replied: {**envelope, "replyMessageId": replied["messageId"], "replyMessage": replied},
        envelopes(generation, every, required),
        nested,
    )


def system_envelopes(generation: str) -> Payloads:
    """Make what the system records, of every kind."""
    return envelopes(generation, SYSTEM_CONTENTS, {"box": BOXES})


def chat_records(generation: str, *, title: Payloads = WORDS) -> Payloads:
    """Make chat records, of empty chats too."""
    contents = {**user_contents(generation), **SYSTEM_CONTENTS}
    last = envelopes(generation, contents, {})
    return an_object(
        {
            "chatId": IDS,
            "title": title,
            "chatType": CHAT_TYPES,
            "unreadMessages": COUNTS,
            "lastMessage": or_null(last),
        },
        {"avatarUrl": or_null(ADDRESSES)},
    )


def notifications(generation: str) -> dict[str, Payloads]:
    """Return the payloads of every notification of a generation, by its name on the wire."""
    record = chat_records(generation)
    known: dict[str, Payloads] = {
        "sendMessage": user_envelopes(generation) | system_envelopes(generation),
        "editMessage": an_object({"timestamp": TIMESTAMPS, "chatId": IDS, "content": PLAIN_TEXTS}),
        "removeMessage": an_object({"chatId": IDS, "messageId": IDS, "removedBy": AUTHORS}),
        "createP2PChat": record,
        "createGroupChat": record,
        "createChannel": record,
        "createFavoritesChat": chat_records(generation, title=or_null(WORDS)),
        "addChatParticipant": an_object(
            {"timestamp": TIMESTAMPS, "chatId": IDS, "userId": USER_IDS, "addedBy": AUTHORS}
        ),
        "removeChatParticipant": an_object(
            {"timestamp": TIMESTAMPS, "chatId": IDS, "userId": USER_IDS, "removedBy": AUTHORS}
        ),
        "changeParticipantRole": an_object({"timestamp": TIMESTAMPS, "chatId": IDS, "userId": USER_IDS, "role": ROLES}),
        "removeChat": an_object({"chatId": IDS}),
        "editChatTitle": an_object({"chatId": IDS, "title": WORDS}),
        "editChatAvatar": an_object({"chatId": IDS, "avatarUrl": ADDRESSES}),
        "clearHistory": an_object({"chatId": IDS, "forAll": st.booleans()}),
        "getFileUploadLimits": LIMITS,
        "uploadFileProgress": an_object({"fileId": IDS, "progress": COUNTS}),
    }
    return known if generation == OLDER else {**known, "command": _presses()}


def _presses() -> Payloads:
    pressed = envelopes(NEWER, {200: PLAIN_TEXTS}, {"isEdited": st.booleans(), "box": BOXES})
    source = an_object(
        {"type": st.just("inlineKeyboard")}, {"buttonId": WORDS, "waitReply": st.booleans(), "message": pressed}
    )
    said = an_object({"type": st.just("userCommand"), "command": ASCII}, {"customData": WORDS})
    return an_object({"commandSource": source, "commandPayload": said}, {"commandId": IDS})


def file_records(generation: str) -> Payloads:
    """Make the answers to `getFileInfo`; an older server names the id otherwise."""
    name = "infoHash" if generation == OLDER else "fileId"
    preview = an_object({"name": WORDS, "size": COUNTS, "mimeType": MIME_TYPES, "downloadUrl": ADDRESSES})
    return an_object(
        {"name": WORDS, "size": COUNTS, "mimeType": MIME_TYPES, "readyState": st.sampled_from([0, 1, 2]), name: IDS},
        {"downloadUrl": or_null(ADDRESSES), "previews": or_null(st.lists(preview, max_size=2))},
    )


def responses(generation: str) -> dict[str, Payloads]:
    """Return the payloads of every response of a generation, by the official name of its class."""
    chat, result, nothing = an_object({"chatId": IDS}), an_object({"result": st.booleans()}), st.just({})
    sent = an_object({"chatId": IDS, "messageId": IDS, "timestamp": TIMESTAMPS})
    edited = an_object({"messageId": IDS, "timestamp": TIMESTAMPS})
    participant = an_object({"userId": USER_IDS, "role": ROLES})
    history = st.lists(user_envelopes(generation) | system_envelopes(generation), max_size=3)
    known: dict[str, Payloads] = {
        "AuthResponsePayload": an_object({"userId": USER_IDS, "connectionId": WORDS}),
        **dict.fromkeys(["CreateP2PChatResponse", "CreateGroupChatResponse", "CreateChannelResponse"], chat),
        "CreateFavoritesChatResponse": chat,
        "GetChatByIdResponse": chat_records(generation),
        "GetChatsResponse": st.lists(chat_records(generation), max_size=3),
        **dict.fromkeys(["RemoveChatResponse", "EditChatAvatarResponse", "ClearChatHistoryResponse"], nothing),
        "EditChatTitleResponse": an_object({"chatId": IDS, "timestamp": TIMESTAMPS}),
        **dict.fromkeys(["AddChatParticipantResponse", "RemoveChatParticipantResponse"], nothing),
        "ChangeParticipantRoleResponse": nothing,
        "GetChatParticipantsResponse": an_object({"participants": st.lists(participant, max_size=3)}),
        "GetChatParticipantResponse": an_object({"userId": USER_IDS, "role": ROLES, "type": st.sampled_from([0, 1])}),
        "HasChatParticipantResponse": result,
        **dict.fromkeys(["SendMessageResponse", "ForwardMessageResponse", "SendSurveyResponse"], sent),
        **dict.fromkeys(["EditMessageResponse", "EditSurveyResponse"], edited),
        "RemoveMessageResponse": nothing,
        "GetMessageByIdResponse": user_envelopes(generation).map(_with_flat_id),
        "GetChatHistoryResponse": an_object({"count": COUNTS, "chatId": IDS, "messages": history}),
        "GetUserDisplayNameResponse": an_object({"displayName": WORDS}),
        "UploadFileResponse": an_object({"uploadTaskId": IDS}),
        "SendFileResponse": an_object(
            {"chatId": IDS, "messageId": IDS, "timestamp": TIMESTAMPS, "fileId": IDS}, {"captionMessageId": IDS}
        ),
        "GetFileInfoResponse": file_records(generation),
        "GetFileUploadLimitsResponse": LIMITS,
        **dict.fromkeys(["SubscribeFileProgressResponse", "UnsubscribeFileProgressResponse"], result),
    }
    if generation == OLDER:
        return known
    activity = an_object({"chatId": IDS, "activityType": WORDS, "retryAfter": COUNTS})
    return {**known, "SendChatActivityResponse": activity, "AnswerCommandResponse": nothing}
