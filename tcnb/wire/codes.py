"""What the server's error codes mean and which of them are worth another try (`protocol` section 11.8)."""

from __future__ import annotations

from typing import Final

MEANINGS: Final[dict[int, str]] = {
    1: "generic failure",
    2: "duplicate request id",
    100: "connection error inside the server",
    101: "connection timeout inside the server",
    102: "TLS error inside the server",
    103: "unsupported protocol",
    104: "route not found",
    200: "not authorized yet",
    201: "invalid credentials",
    202: "this user is disabled",
    203: "the credentials have expired",
    204: "unsupported kind of credentials",
    300: "internal server error",
    301: "the operation took the server too long",
    302: "access denied",
    303: "not enough rights",
    304: "chat not found",
    305: "this user is not a participant of the chat",
    306: "message not found",
    307: "the server does not know this request",
    308: "file not found",
    309: "this user is already in the chat",
    310: "file upload failed",
    311: "the file is not ready",
    312: "role not found",
    399: "the server does not accept the content of this request",
    400: "unknown file error",
    401: "not enough space on the server",
    402: "bad file name",
    403: "uploading this file is forbidden",
    404: "file not found",
    405: "the file is not ready",
    406: "the file is larger than the server allows",
    407: "upload task not found",
    408: "invalid file",
}

NOT_AUTHORIZED: Final = 200
INVALID_CREDENTIALS: Final = 201
USER_DISABLED: Final = 202
CREDENTIALS_EXPIRED: Final = 203
UNSUPPORTED_CREDENTIALS: Final = 204
INTERNAL_ERROR: Final = 300
ACCESS_DENIED: Final = 302
NOT_ENOUGH_RIGHTS: Final = 303
CHAT_NOT_FOUND: Final = 304
NOT_A_PARTICIPANT: Final = 305
MESSAGE_NOT_FOUND: Final = 306
UNKNOWN_METHOD: Final = 307
FILE_NOT_FOUND: Final = 308
ALREADY_IN_CHAT: Final = 309
FILE_UPLOAD_FAILED: Final = 310
FILE_NOT_READY: Final = 311
ROLE_NOT_FOUND: Final = 312
WRONG_PAYLOAD: Final = 399

TRANSIENT: Final = frozenset({100, 101, 300, 301})
"""Codes after which the same request may succeed a little later."""


def meaning(code: int) -> str:
    """Return what `code` means, in words; an unknown code is named as such."""
    return MEANINGS.get(code, "an error this version does not know")
