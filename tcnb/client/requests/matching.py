"""Whether a message in a chat's history is what a request asked for; values only, nothing is asked here.

Servers do not keep a text as it was sent: unknown tags and attributes go, white space collapses, the mode may change.
So texts are compared as people read them. Source: `protocol` sections 5, 6.4 to 6.6 and 10.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

from tcnb.markup.text import plain
from tcnb.wire import paths

PLAIN: Final = 200
FORWARDED: Final = 201
FILES: Final = (202, 205)
SURVEY: Final = 204


class MatchScore(IntEnum):
    """How much a message resembles what was sent."""

    NONE = 0
    ALIKE = 1
    EXACT = 2


Fingerprint = tuple[Any, ...]
"""What two requests have in common when one message could be the outcome of either."""


def moment(envelope: Mapping[str, Any]) -> tuple[int, int, str]:
    """Return what puts envelopes of a chat in order (`protocol` sections 4.3 and 6.4)."""
    timestamp = envelope.get("timestamp")
    return timestamp if isinstance(timestamp, int) else 0, *position(envelope)


def position(envelope: Mapping[str, Any]) -> tuple[int, str]:
    """Return the place of a message in its chat, whatever time it claims to be from (`protocol` section 4.3)."""
    box = envelope.get("box")
    box = box if isinstance(box, dict) else {}
    number = box.get("id")
    return number if isinstance(number, int) else 0, str(box.get("position", ""))


def is_by(envelope: Mapping[str, Any], user_id: str) -> bool:
    """Return whether that user wrote a message."""
    author = envelope.get("author")
    id = author.get("id") if isinstance(author, dict) else None
    return isinstance(id, str) and paths.bare_id(id).casefold() == user_id.casefold()


def fingerprints(method: str, request: Mapping[str, Any], about: Mapping[str, Any]) -> tuple[Fingerprint, ...]:
    """Return the fingerprints of what a request puts into a chat, its own first and that of a caption behind it.

    Args:
        method: `sendMessage`, `sendFile`, `sendSurvey`, `forwardMessage`, or a method that makes or clears a chat.
        request: its payload.
        about: of a file: `file_name` and `file_size` (bytes), as far as known.
    """
    content = _part(request, "content")
    if method == "sendMessage":
        return (("text", _read(content)),)
    if method == "sendFile":
        own = ("file", about.get("file_name"), about.get("file_size"))
        caption = content.get("caption")
        return (own, ("text", _read(caption))) if isinstance(caption, dict) else (own,)
    if method == "sendSurvey":
        return (("survey", content.get("secret") or content.get("title")),)
    if method == "forwardMessage":
        return (("forward", request.get("messageId")),)
    return ((method, request.get("title")),)


def likeness(
    method: str, request: Mapping[str, Any], about: Mapping[str, Any], envelope: Mapping[str, Any]
) -> MatchScore:
    """Return how much a message resembles what a request put into the chat; whose it is and when is not looked at."""
    match = _MATCHES.get(method)
    content = envelope.get("content")
    if match is None or not isinstance(content, dict):
        return MatchScore.NONE
    found = match(request, about, envelope.get("type"), content)
    return min(found, _same_reply(request, envelope)) if found else found


def is_caption(request: Mapping[str, Any], envelope: Mapping[str, Any]) -> bool:
    """Return whether a message is the caption that `sendFile` asked for."""
    caption, content = _part(request, "content").get("caption"), envelope.get("content")
    if not isinstance(caption, dict) or not isinstance(content, dict) or envelope.get("type") != PLAIN:
        return False
    return _read(caption) == _read(content)


def answer(method: str, request: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer that the server would have given for the message it made."""
    said = {
        "chatId": request.get("chatId"),
        "messageId": envelope.get("messageId"),
        "timestamp": envelope.get("timestamp"),
    }
    if method == "sendFile":
        content = _part(envelope, "content")
        said["fileId"] = content.get("fileId") or content.get("infoHash")
    return said


def _text(request: Mapping[str, Any], about: Mapping[str, Any], kind: Any, content: Mapping[str, Any]) -> MatchScore:
    if kind != PLAIN:
        return MatchScore.NONE
    sent = _part(request, "content")
    if sent.get("text") == content.get("text") and sent.get("parseMode") == content.get("parseMode"):
        return MatchScore.EXACT
    return MatchScore.ALIKE if _read(sent) == _read(content) else MatchScore.NONE


def _file(request: Mapping[str, Any], about: Mapping[str, Any], kind: Any, content: Mapping[str, Any]) -> MatchScore:
    if kind not in FILES:
        return MatchScore.NONE
    pairs = (("name", "file_name"), ("size", "file_size"))
    for theirs, ours in pairs:
        wanted, found = about.get(ours), content.get(theirs)
        if wanted is not None and found is not None and wanted != found:
            return MatchScore.NONE
    is_exact = all(content.get(theirs) == about.get(ours) for theirs, ours in (*pairs, ("mimeType", "mime_type")))
    return MatchScore.EXACT if is_exact else MatchScore.ALIKE


def _survey(request: Mapping[str, Any], about: Mapping[str, Any], kind: Any, content: Mapping[str, Any]) -> MatchScore:
    if kind != SURVEY:
        return MatchScore.NONE
    sent = _part(request, "content")
    secret, found = sent.get("secret"), content.get("secret")
    if secret and found:
        # It is random, so no other sending has it.
        return MatchScore.EXACT if secret == found else MatchScore.NONE
    same = all(content.get(name) in (sent.get(name), None) for name in ("title", "path"))
    return MatchScore.ALIKE if same else MatchScore.NONE


def _forward(request: Mapping[str, Any], about: Mapping[str, Any], kind: Any, content: Mapping[str, Any]) -> MatchScore:
    if kind != FORWARDED:
        return MatchScore.NONE
    original = content.get("messageId")
    if original is None:
        return MatchScore.ALIKE
    return MatchScore.EXACT if original == request.get("messageId") else MatchScore.NONE


def _same_reply(request: Mapping[str, Any], envelope: Mapping[str, Any]) -> MatchScore:
    wanted = request.get("replyMessageId")
    quoted = envelope.get("replyMessage")
    found = envelope.get("replyMessageId") or (quoted.get("messageId") if isinstance(quoted, dict) else None)
    if wanted == found:
        return MatchScore.EXACT
    # A server may leave out what was answered when that is gone; it never invents one.
    return MatchScore.ALIKE if found is None else MatchScore.NONE


def _read(content: Mapping[str, Any]) -> str:
    """Return a text as people read it, white space apart."""
    text = content.get("text")
    return " ".join(plain(text, content.get("parseMode")).split()) if isinstance(text, str) else ""


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = values.get(name)
    return part if isinstance(part, dict) else {}


_Match = Callable[[Mapping[str, Any], Mapping[str, Any], Any, Mapping[str, Any]], MatchScore]

_MATCHES: Final[Mapping[str, _Match]] = {
    "sendMessage": _text,
    "sendFile": _file,
    "sendSurvey": _survey,
    "forwardMessage": _forward,
}
