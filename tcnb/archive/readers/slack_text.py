"""The texts of Slack without its markup: mentions, links, dates, codes of emoji, blocks and attachments."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tcnb.archive.readers import emoji_codes
from tcnb.archive.readers.row_builder import an_object, objects, text_or_none

_MARKED: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ADDRESS: Final = re.compile(r"^(?:https?://|mailto:|tel:)")
_NO_PREVIEW: Final = "[no preview available]"


class Texts:
    """Texts with names for ids.

    Args:
        people: names of people by id; names that become known later count, too.
        channels: names of channels by id.
        missing: is told what could not be written out, such as an emoji of the workspace.
    """

    def __init__(self, people: Mapping[str, str], channels: Mapping[str, str], missing: Callable[[str], None]) -> None:
        self._people, self._channels, self._missing = people, channels, missing
        self._knows_emoji = True
        self.unknown_people: set[str] = set()
        """Ids of people who were mentioned and had no name at that time: they stand as `@ID`."""

    def plain(self, text: object) -> str | None:
        """Return a text without Slack's escapes: names for mentions, labels or addresses for links, emoji for codes."""
        if not isinstance(text, str) or not text:
            return None
        if ":" in text:
            text = self._with_emoji(text)
        return html.unescape(_MARKED.sub(self._written, text) if "<" in text else text)

    def of_message(self, said: Mapping[str, Any]) -> str | None:
        """Return what a message says: its text, else that of its blocks; and the text of its attachments."""
        text = self.plain(said.get("text")) or self.of_blocks(said.get("blocks"))
        if "attachments" not in said:
            return text
        parts = [text, *(self._of_attachment(one) for one in objects(said["attachments"]) if not is_preview(one))]
        return "\n".join(filter(None, parts)) or None

    def of_blocks(self, blocks: object) -> str | None:
        """Return the text of blocks, each on lines of its own."""
        return "\n".join(filter(None, (self._of_block(block) for block in objects(blocks)))) or None

    def _with_emoji(self, text: str) -> str:
        if not self._knows_emoji:
            return text
        try:
            return emoji_codes.decoded(text, lambda code: self._missing("emoji of the workspace (they stay codes)"))
        except ImportError:
            self._knows_emoji = False
            return text

    @property
    def knows_emoji(self) -> bool:
        """Whether the package with the names of the emoji is there, as far as it was needed."""
        return self._knows_emoji

    def _written(self, marked: re.Match[str]) -> str:
        target, label = marked[1], marked[2]
        kind, rest = target[:1], target[1:]
        if kind == "@":
            return self._mention(rest, label)
        if kind == "#":
            return f"#{label or self._channels.get(rest) or rest}"
        if kind == "!":
            return self._special(rest, label)
        address = target.removeprefix("mailto:").removeprefix("tel:")
        if not label or label in (target, address) or _ADDRESS.sub("", target).rstrip("/") == label.rstrip("/"):
            return address
        return f"{label} ({address})"

    def _mention(self, user_id: str, label: str | None = None) -> str:
        # People change their names: the one they have now is the one by which their messages are listed.
        name = self._people.get(user_id) or (label or "").removeprefix("@")
        if not name:
            self.unknown_people.add(user_id)
        return f"@{name or user_id}"

    def _special(self, what: str, label: str | None) -> str:
        if what.startswith("date^"):
            pattern = what.split("^")[2:3]
            return label or "".join(pattern)
        name = label or what.removeprefix("subteam^")
        return f"@{name.removeprefix('@')}"

    def _of_attachment(self, said: Mapping[str, Any]) -> str | None:
        fields = (
            ": ".join(filter(None, (self.plain(field.get("title")), self.plain(field.get("value")))))
            for field in objects(said.get("fields"))
        )
        shared = (self.of_blocks(one.get("message", {}).get("blocks")) for one in objects(said.get("message_blocks")))
        heads = ("pretext", "title", "text") if said.get("is_share") else ("pretext", "author_name", "title", "text")
        written = [
            *(self.plain(said.get(name)) for name in heads),
            *fields,
            self.of_blocks(said.get("blocks")),
        ]
        if not text_or_none(said.get("text")):
            written += shared
        fallback = said.get("fallback")
        return "\n".join(filter(None, written)) or (None if fallback == _NO_PREVIEW else self.plain(fallback))

    def _of_block(self, block: Mapping[str, Any]) -> str | None:
        match block.get("type"):
            case "rich_text":
                return "\n".join(filter(None, map(self._of_rich, objects(block.get("elements"))))) or None
            case "markdown":
                return self.plain(block.get("text"))
            case "image" | "video":
                return self._of_text(block.get("title")) or self.plain(block.get("alt_text"))
            case "context":
                return " ".join(filter(None, map(self._of_element, objects(block.get("elements"))))) or None
            case "table":
                return self._of_table(block.get("rows"))
            case _:
                parts = [self._of_text(block.get("text")), *map(self._of_text, objects(block.get("fields")))]
                return "\n".join(filter(None, parts)) or None

    def _of_text(self, text: object) -> str | None:
        """Return the text of an object of text, whose markup depends on its type."""
        return self.plain(an_object(text).get("text"))

    def _of_element(self, element: Mapping[str, Any]) -> str | None:
        return self.plain(element.get("text")) if "text" in element else self.plain(element.get("alt_text"))

    def _of_table(self, rows: object) -> str | None:
        lines = (
            "\t".join((self._of_block(cell) or self.plain(cell.get("text")) or "") for cell in objects(row))
            for row in (rows if isinstance(rows, list) else ())
        )
        return "\n".join(lines) or None

    def _of_rich(self, part: Mapping[str, Any]) -> str:
        """Return a part of a rich text: a paragraph, a list, a quotation or code."""
        inner = objects(part.get("elements"))
        if part.get("type") != "rich_text_list":
            text = "".join(map(self._of_inline, inner))
            if part.get("type") == "rich_text_quote":
                return "\n".join(f"> {line}" for line in text.split("\n"))
            return text.removesuffix("\n")
        indent, offset = part.get("indent"), part.get("offset")
        space = "  " * (indent if isinstance(indent, int) and 0 < indent < 10 else 0)
        first = 1 + (offset if isinstance(offset, int) else 0)
        is_ordered = part.get("style") == "ordered"
        lines = (
            f"{space}{f'{number}.' if is_ordered else '•'} {self._of_rich(item)}"
            for number, item in enumerate(inner, first)
        )
        return "\n".join(lines)

    def _of_inline(self, element: Mapping[str, Any]) -> str:
        match element.get("type"):
            case "text":
                return text_or_none(element.get("text")) or ""
            case "link":
                label, url = text_or_none(element.get("text")), str(element.get("url", ""))
                return self._written_link(url, label)
            case "user":
                return self._mention(str(element.get("user_id")))
            case "channel":
                known = str(element.get("channel_id"))
                return f"#{self._channels.get(known) or known}"
            case "usergroup":
                return f"@{element.get('usergroup_id')}"
            case "broadcast":
                return f"@{element.get('range')}"
            case "emoji":
                return self._emoji(element)
            case "date":
                return text_or_none(element.get("fallback")) or str(element.get("timestamp", ""))
            case "rich_text_section":
                return self._of_rich(element)
            case _:
                return text_or_none(element.get("text")) or text_or_none(element.get("value")) or ""

    def _written_link(self, url: str, label: str | None) -> str:
        address = url.removeprefix("mailto:").removeprefix("tel:")
        return f"{label} ({address})" if label and label not in (url, address) else address

    def _emoji(self, element: Mapping[str, Any]) -> str:
        code_points = text_or_none(element.get("unicode"))
        if code_points:
            try:
                return "".join(chr(int(point, 16)) for point in code_points.split("-"))
            except (ValueError, OverflowError):
                pass
        tone = element.get("skin_tone")
        return self._with_emoji(f":{element.get('name')}:" + (f":skin-tone-{tone}:" if tone else ""))


def is_preview(attachment: Mapping[str, Any]) -> bool:
    """Tell whether an attachment is the preview of a link, which Slack adds; a shared message is none."""
    return not attachment.get("is_share") and any(
        attachment.get(name) for name in ("from_url", "original_url", "is_msg_unfurl", "is_app_unfurl")
    )


def names(user: Mapping[str, Any]) -> Iterable[str]:
    """Give the names of a person as `users.json`, or the `user_profile` of a message, has them; the best one first."""
    profile = an_object(user.get("profile"))
    for said in (profile, user):
        for name in ("display_name", "real_name"):
            if text_or_none(said.get(name)):
                yield said[name]
    if text_or_none(user.get("name")):
        yield user["name"]
