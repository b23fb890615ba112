"""Errors under the name that scripts for the official client import them by; they live in `tcnb.errors`."""

from __future__ import annotations

from tcnb.errors import (
    ApiErrorException,
    ChannelTitleTooLongError,
    ChatTitleTooLongError,
    FileCaptionTooLongError,
    FileSizeTooLargeError,
    FileUploadError,
    FileValidationError,
    GroupTitleTooLongError,
    InMemoryDownloadLimitExceededError,
    InvalidFileExtensionError,
    InvalidGrantError,
    LimitExceededError,
    OAuthMissingScopeError,
    PasswordAuthDisabledError,
    TcnbError,
    TextMessageTooLongError,
    TokenValidationError,
    WSConnectionError,
)

TrueConfChatBotError = TcnbError

__all__ = [
    "ApiErrorException",
    "ChannelTitleTooLongError",
    "ChatTitleTooLongError",
    "FileCaptionTooLongError",
    "FileSizeTooLargeError",
    "FileUploadError",
    "FileValidationError",
    "GroupTitleTooLongError",
    "InMemoryDownloadLimitExceededError",
    "InvalidFileExtensionError",
    "InvalidGrantError",
    "LimitExceededError",
    "OAuthMissingScopeError",
    "PasswordAuthDisabledError",
    "TextMessageTooLongError",
    "TokenValidationError",
    "TrueConfChatBotError",
    "WSConnectionError",
]
