"""Payloads as servers of both generations send them, for the tests of this folder; no test is here.

Source: the examples of `protocol` sections 4 to 7, all values invented.
"""

from __future__ import annotations

from typing import Any

CHAT_ID = "3f9c1e77ab0d4c55e2910b6d8f3a7c21e4b5d690"
ALICE = {"id": "alice@video.example.com", "type": 1}
BOB = {"id": "bob@video.example.com", "type": 1}
SYSTEM = {"id": "trueconf.server", "type": 0}
CHAT = {"chatId": CHAT_ID, "chatTitle": "Release crew", "chatType": 2}
TEXT = {"text": "status?", "parseMode": "html"}

OLD_ENVELOPE: dict[str, Any] = {
    "messageId": "5c0b6c7e-52c2-4f5a-8f39-0b6f1b0d2d11",
    "chatId": CHAT_ID,
    "timestamp": 1767000001000,
    "replyMessageId": None,
    "isEdited": False,
    "author": ALICE,
    "box": {"id": 215, "position": "0"},
    "type": 200,
    "content": TEXT,
}

NEW_ENVELOPE: dict[str, Any] = {
    "messageId": "9a1d3b2c-0c7b-4a0f-8d57-7c1d5a0e6f22",
    "chatId": CHAT_ID,
    "chat": CHAT,
    "timestamp": 1767000002000,
    "replyMessageId": OLD_ENVELOPE["messageId"],
    "replyMessage": {**OLD_ENVELOPE, "chat": CHAT},
    "isEdited": False,
    "author": BOB,
    "box": {"id": 216, "position": "0"},
    "type": 200,
    "content": {"text": "all green", "parseMode": "html"},
}

ATTACHMENT = {"name": "plan.pdf", "size": 48213, "fileId": "9d41", "mimeType": "application/pdf", "readyState": 2}
VOICE = {"fileId": "9d43", "size": 20480, "mimeType": "audio/ogg", "duration": 7}
LOCATION = {"latitude": 59.93, "longitude": 30.31, "title": "Office"}
SURVEY = {
    "url": "https://video.example.com/webtools/survey",
    "appVersion": 1,
    "path": "k7Qm2xZ0pd",
    "title": "Lunch choice",
    "description": "{{Survey}}",
    "buttonText": "{{Go to survey}}",
    "secret": "8b1a9953c4611296a827abf8c47804d7e6c49c6b",
    "alt": "Lunch choice",
}
BUTTONS = [
    [
        {
            "type": "command",
            "label": "Approve",
            "command": "/approve",
            "customData": "req=17",
            "id": "ok-1",
            "style": "success",
        },
        {"type": "command", "label": "Reject", "command": "/reject", "style": "danger"},
    ],
    [
        {"type": "url", "label": "Log", "url": "https://ci.example.com/42"},
        {"type": "copy", "label": "Copy id", "data": "build-42"},
        {"type": "message", "label": "Say thanks", "message": "Thanks!", "draft": True},
    ],
]
FORWARDED_ORIGINAL = {
    "messageId": "0d5b7a52-6b7e-4f0e-9b0c-2f7f0f6f1a10",
    "chatId": "aa10",
    "timestamp": 1766990000000,
    "author": {"id": "carol@video.example.com", "type": 1},
    "type": 200,
    "content": {"text": "see notes", "parseMode": "html"},
}

USER_CONTENTS: dict[int, dict[str, Any]] = {
    200: TEXT,
    201: {**FORWARDED_ORIGINAL, "chat": CHAT, "isEdited": False},
    202: ATTACHMENT,
    203: LOCATION,
    204: SURVEY,
    205: VOICE,
}
SYSTEM_CONTENTS: dict[int, dict[str, Any]] = {
    1: {"userId": "bob@video.example.com", "role": "user"},
    2: {"userId": "bob@video.example.com"},
    21: {"title": "New name"},
    22: {"avatarUrl": "https://video.example.com/avatar"},
    23: {"forAll": True},
    110: {"userId": "bob@video.example.com", "role": "owner"},
}

CHAT_RECORD: dict[str, Any] = {
    "chatId": CHAT_ID,
    "title": "Release crew",
    "chatType": 2,
    "avatarUrl": None,
    "lastMessage": {
        "messageId": "0d5b7a52-6b7e-4f0e-9b0c-2f7f0f6f1a10",
        "timestamp": 1767000000123,
        "author": ALICE,
        "type": 200,
        "content": {"text": "Hi", "parseMode": "text"},
        "chat": CHAT,
    },
    "unreadMessages": 1,
}

NOTIFICATIONS: dict[str, dict[str, Any]] = {
    "sendMessage": NEW_ENVELOPE,
    "editMessage": {
        "timestamp": 1767000007000,
        "chatId": CHAT_ID,
        "content": {"text": "all green now", "parseMode": "html"},
    },
    "removeMessage": {"chatId": CHAT_ID, "messageId": NEW_ENVELOPE["messageId"], "removedBy": BOB},
    "createP2PChat": {**CHAT_RECORD, "chatType": 1},
    "createGroupChat": CHAT_RECORD,
    "createChannel": {**CHAT_RECORD, "chatType": 6},
    "createFavoritesChat": {**CHAT_RECORD, "chatType": 5, "title": None},
    "addChatParticipant": {
        "timestamp": 1767000009000,
        "chatId": CHAT_ID,
        "userId": "robot@video.example.com",
        "addedBy": ALICE,
    },
    "removeChatParticipant": {
        "timestamp": 1767000009500,
        "chatId": CHAT_ID,
        "userId": "robot@video.example.com",
        "removedBy": ALICE,
    },
    "changeParticipantRole": {
        "timestamp": 1767000010000,
        "chatId": CHAT_ID,
        "userId": "bob@video.example.com",
        "role": "admin",
    },
    "removeChat": {"chatId": CHAT_ID},
    "editChatTitle": {"chatId": CHAT_ID, "title": "New name"},
    "editChatAvatar": {"chatId": CHAT_ID, "avatarUrl": "https://video.example.com/avatar"},
    "clearHistory": {"chatId": CHAT_ID, "forAll": True},
    "getFileUploadLimits": {"maxSize": 104857600, "extensions": {"mode": "block", "list": ["exe", "bat"]}},
    "uploadFileProgress": {"fileId": "9d41", "progress": 16384},
    "command": {
        "commandSource": {
            "type": "inlineKeyboard",
            "buttonId": "ok-1",
            "waitReply": False,
            "message": {k: v for k, v in NEW_ENVELOPE.items() if k != "replyMessage"},
        },
        "commandPayload": {"type": "userCommand", "command": "/approve", "customData": "req=17"},
    },
}

FILE_INFO: dict[str, Any] = {
    "name": "plan.pdf",
    "size": 48213,
    "mimeType": "application/pdf",
    "readyState": 2,
    "fileId": "9d41",
    "downloadUrl": "https://video.example.com/bridge/api/client/v1/files/9d41?token=abc",
    "previews": [
        {
            "name": "preview.webp",
            "size": 9120,
            "mimeType": "image/webp",
            "downloadUrl": "https://video.example.com/bridge/api/client/v1/files/9d42?token=abd",
        }
    ],
}

SENT = {"chatId": CHAT_ID, "messageId": "e4d1", "timestamp": 1767000005000}

RESPONSES: dict[str, Any] = {
    "AuthResponsePayload": {"userId": "robot@video.example.com/7b1e40aa", "connectionId": "7b1e40aa"},
    "CreateP2PChatResponse": {"chatId": CHAT_ID},
    "CreateGroupChatResponse": {"chatId": CHAT_ID},
    "CreateChannelResponse": {"chatId": CHAT_ID},
    "CreateFavoritesChatResponse": {"chatId": CHAT_ID},
    "GetChatByIdResponse": CHAT_RECORD,
    "GetChatsResponse": {"chats": [CHAT_RECORD]},
    "RemoveChatResponse": {},
    "EditChatTitleResponse": {"chatId": CHAT_ID, "timestamp": 1767000004000},
    "EditChatAvatarResponse": {},
    "ClearChatHistoryResponse": {},
    "AddChatParticipantResponse": {},
    "RemoveChatParticipantResponse": {},
    "ChangeParticipantRoleResponse": {},
    "GetChatParticipantsResponse": {"participants": [{"userId": "alice@video.example.com", "role": "owner"}]},
    "GetChatParticipantResponse": {"userId": "alice@video.example.com", "role": "user", "type": 1},
    "HasChatParticipantResponse": {"result": True},
    "SendMessageResponse": SENT,
    "EditMessageResponse": {"messageId": "e4d1", "timestamp": 1767000005000},
    "RemoveMessageResponse": {},
    "ForwardMessageResponse": SENT,
    "GetMessageByIdResponse": NEW_ENVELOPE,
    "GetChatHistoryResponse": {"count": 1, "chatId": CHAT_ID, "messages": [NEW_ENVELOPE]},
    "SendChatActivityResponse": {"chatId": CHAT_ID, "activityType": "typing", "retryAfter": 6000},
    "GetUserDisplayNameResponse": {"displayName": "Alice Doe"},
    "SendSurveyResponse": SENT,
    "EditSurveyResponse": {"messageId": "e4d1", "timestamp": 1767000005000},
    "UploadFileResponse": {"uploadTaskId": "b6a0c3f2"},
    "SendFileResponse": {**SENT, "fileId": "9d41", "captionMessageId": "e4d2"},
    "GetFileInfoResponse": FILE_INFO,
    "GetFileUploadLimitsResponse": NOTIFICATIONS["getFileUploadLimits"],
    "SubscribeFileProgressResponse": {"result": True},
    "UnsubscribeFileProgressResponse": {"result": True},
    "AnswerCommandResponse": {},
}


def user_envelope(message_type: int, content: Any) -> dict[str, Any]:
    """Return a newer envelope that carries the given content."""
    return {**NEW_ENVELOPE, "type": message_type, "content": content}


def system_envelope(message_type: int, content: Any) -> dict[str, Any]:
    """Return a newer envelope in which the system carries the given content."""
    return {
        "messageId": "f6b8",
        "chat": CHAT,
        "timestamp": 1767000003000,
        "type": message_type,
        "author": SYSTEM,
        "box": {"id": 217, "position": "0"},
        "content": content,
    }
