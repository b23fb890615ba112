"""What an inline keyboard must look like to be accepted, and which of its buttons is meant; nothing is pressed here.

Source: `protocol` section 9.
"""

from __future__ import annotations

from typing import Any, Final

from tcnb.practice.entities import Refusal
from tcnb.practice.markup import is_allowed_link
from tcnb.types.enums import ButtonStyle, ButtonType
from tcnb.wire import codes

MOST_ROWS: Final = 8
MOST_IN_ROW: Final = 8

_ACTIONS: Final = ("command", "url", "message", "data")
"""Fields that say what a button does; a button has exactly one of them."""

_STYLES: Final = frozenset({ButtonStyle.DEFAULT, ButtonStyle.PRIMARY, ButtonStyle.DANGER, ButtonStyle.SUCCESS})


def accepted_keyboard(rows: Any) -> list[list[dict[str, Any]]]:
    """Return a matrix of buttons as the server keeps it.

    Raises:
        Refusal: 399 where a limit or a rule is broken.
    """
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise Refusal(codes.WRONG_PAYLOAD)
    return [_row(row) for row in rows]


def button_at(rows: list[list[dict[str, Any]]], which: str | tuple[int, int]) -> dict[str, Any] | None:
    """Return a button of an accepted keyboard, by row and column from 0, or by its id or label; None without one."""
    for row, buttons in enumerate(rows):
        for column, button in enumerate(buttons):
            if which in ((row, column), button.get("id"), button.get("label")):
                return button
    return None


def _row(row: Any) -> list[dict[str, Any]]:
    if not isinstance(row, list) or not 1 <= len(row) <= MOST_IN_ROW:
        raise Refusal(codes.WRONG_PAYLOAD)
    return [_button(button) for button in row]


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise Refusal(codes.WRONG_PAYLOAD)
    kept = dict(button)
    kind = button.get("type")
    if not _has_label(button, kind) or not _acts(button, kind) or button.get("style", "default") not in _STYLES:
        raise Refusal(codes.WRONG_PAYLOAD)
    if "label" in kept:
        kept["label"] = " ".join(kept["label"].split("\n"))
    if kind == ButtonType.COMMAND:
        kept.setdefault("waitReply", False)
    return kept


def _has_label(button: dict[str, Any], kind: Any) -> bool:
    label = button.get("label")
    if label is None:
        return bool(kind == ButtonType.URL.value)
    return isinstance(label, str) and 1 <= len(label) <= 32


def _acts(button: dict[str, Any], kind: Any) -> bool:
    if sum(button.get(name) is not None for name in _ACTIONS) != (kind != ButtonType.SHARE.value):
        return False
    match kind:
        case ButtonType.COMMAND.value:
            custom = button.get("customData")
            return _is_ascii(button.get("command"), 1, 255) and (custom is None or _is_ascii(custom, 1, 4096))
        case ButtonType.URL.value:
            address = button.get("url")
            return _is_ascii(address, 8, 8095) and is_allowed_link(str(address))
        case ButtonType.MESSAGE.value:
            return _is_text(button.get("message"), 1, 4096)
        case ButtonType.COPY.value:
            return _is_text(button.get("data"), 1, 4095)
        case ButtonType.SHARE.value:
            return True
    return False


def _is_text(value: Any, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value) <= most


def _is_ascii(value: Any, least: int, most: int) -> bool:
    return _is_text(value, least, most) and str(value).isascii()
