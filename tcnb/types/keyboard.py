"""Inline keyboards: buttons under a text message, with the limits the server sets on them; pressing one is an event.

Source: `protocol` section 9.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tcnb.errors import LimitExceededError, MalformedFrameError, UsageError
from tcnb.types.base import WireObject, read_fields, wire
from tcnb.types.enums import ALLOWED_BUTTON_URL_SCHEMES, ButtonStyle, ButtonType
from tcnb.types.reading import list_of

MAX_INLINE_KEYBOARD_ROWS: Final = 8
MAX_INLINE_KEYBOARD_WIDTH: Final = 8
MAX_INLINE_KEYBOARD_BUTTONS: Final = 64

_ACTIONS: Final = {
    "command": ButtonType.COMMAND,
    "url": ButtonType.URL,
    "message": ButtonType.MESSAGE,
    "copy_data": ButtonType.COPY,
}
_ONLY_WITH: Final = {"custom_data": "command", "wait_reply": "command", "to": "command", "draft": "message"}
_LENGTHS: Final = {
    "text": (1, 32),
    "command": (1, 255),
    "custom_data": (1, 4096),
    "url": (8, 8095),
    "copy_data": (1, 4095),
}
_ASCII: Final = ("command", "custom_data", "url")
_TEXTS: Final = (*_LENGTHS, "message", "to", "button_id")


@dataclass(frozen=True, repr=False)
class InlineKeyboardButton(WireObject):
    """One button; exactly one of `command`, `url`, `message` and `copy_data` says what it does.

    Args:
        text: the label, 1 to 32 characters; only a `url` button may do without.
        command: sent to the bot when pressed, 1 to 255 ASCII characters.
        url: opened when pressed, 8 to 8095 ASCII characters, `http`, `https`, `mailto` or `trueconf`.
        message: sent to the chat in the name of whoever presses.
        copy_data: put on the clipboard, 1 to 4095 characters.
        custom_data: given back with the command, 1 to 4096 ASCII characters.
        wait_reply: reserved by the server; no client application implements it, so True is refused.
        to: the bot that gets the command, where that is not the sender.
        draft: whether `message` is only put into the input field.
        button_id: a free id, given back with the command.
        style: how the button looks.

    Raises:
        LimitExceededError: something is too long.
        UsageError: something is too short, missing, no text, or does not belong to this kind of button.

    Source: `protocol` section 9.
    """

    text: str | None = field(default=None, metadata=wire(name="label", omit=None))
    command: str | None = field(default=None, metadata=wire(omit=None))
    url: str | None = field(default=None, metadata=wire(omit=None))
    message: str | None = field(default=None, metadata=wire(omit=None))
    copy_data: str | None = field(default=None, metadata=wire(name="data", omit=None))
    custom_data: str | None = field(default=None, metadata=wire(omit=None))
    wait_reply: bool = field(default=False, metadata=wire(omit=False))
    to: str | None = field(default=None, metadata=wire(omit=None))
    draft: bool = field(default=False, metadata=wire(omit=False))
    button_id: str | None = field(default=None, metadata=wire(name="id", omit=None))
    style: ButtonStyle | None = field(default=None, metadata=wire(omit=None))
    type: ButtonType = field(init=False)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            value = getattr(self, name)
            if not (value is None or isinstance(value, str)):
                raise UsageError(f"{name} of a button is a str, not {value!r}")
            if isinstance(value, str):
                object.__setattr__(
                    self, name, str.__str__(value)
                )  # the encoder of frames takes no other kind, as NumPy has
        actions = [name for name in _ACTIONS if getattr(self, name) is not None]
        if len(actions) != 1:
            given = ", ".join(actions) or "none"
            raise UsageError(f"a button has exactly one of {', '.join(_ACTIONS)}; this one has {given}")
        action = actions[0]
        self._check_fields(action)
        self._check_lengths()
        if self.url is not None and urlsplit(self.url).scheme.lower() not in ALLOWED_BUTTON_URL_SCHEMES:
            allowed = ", ".join(ALLOWED_BUTTON_URL_SCHEMES)
            raise UsageError(f"a button cannot open {self.url!r}: the address must begin with one of {allowed}")
        object.__setattr__(self, "type", _ACTIONS[action])
        if self.style is not None:
            object.__setattr__(self, "style", ButtonStyle(self.style))

    @classmethod
    def from_dict(cls, kvs: Any, *, infer_missing: bool = False) -> Self:
        """Read a button as a server says it is, without holding it to the limits for new ones."""
        if isinstance(kvs, cls):
            return kvs
        if not isinstance(kvs, dict):
            raise MalformedFrameError("not a button: an object was expected")
        button = object.__new__(cls)
        said = read_fields(cls, kvs)
        for item in fields(cls):
            object.__setattr__(button, item.name, said.get(item.name, item.default))
        return button

    def to_dict(self, encode_json: bool = False) -> dict[str, Any]:
        """Return the button as the wire has it, as the official client does."""
        return self.as_wire()

    def completed(self, server_name: str) -> InlineKeyboardButton:
        """Return the button with `to` as a full user id.

        Args:
            server_name: the domain that completes a bare login.
        """
        if self.to is None or "@" in self.to:
            return self
        return replace(self, to=f"{self.to}@{server_name}")

    def _check_fields(self, action: str) -> None:
        if self.wait_reply:
            raise UsageError("wait_reply cannot be used yet: no client application answers such a button")
        if self.text is None and action != "url":
            raise UsageError(f"a button with {action} needs a text")
        if self.to == "":
            raise UsageError("the recipient of a button (to) must not be empty")
        for name, needed in _ONLY_WITH.items():
            if getattr(self, name) not in (None, False) and action != needed:
                raise UsageError(f"{name} belongs to a button with {needed}, this one has {action}")

    def _check_lengths(self) -> None:
        for name, (least, most) in _LENGTHS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if len(value) < least:
                raise UsageError(f"{name} of a button has at least {least} characters, this one has {len(value)}")
            if len(value) > most:
                raise LimitExceededError(
                    f"{name} of a button has at most {most} characters, this one has {len(value)}", len(value), most
                )
            if name in _ASCII and not value.isascii():
                raise UsageError(f"{name} of a button takes ASCII characters only: {value!r}")


@dataclass(frozen=True, repr=False)
class InlineKeyboardMarkup(WireObject):
    """Rows of buttons under a text message: at most 8 rows, 8 buttons a row, 64 in all.

    Args:
        buttons: the rows, from the top.

    Raises:
        LimitExceededError: there are too many.
        UsageError: they are no rows of buttons.

    Source: `protocol` section 9.
    """

    buttons: list[list[InlineKeyboardButton]]

    def __post_init__(self) -> None:
        rows = self.buttons if isinstance(self.buttons, list | tuple) else [self.buttons]
        if not all(
            isinstance(row, list | tuple) and all(isinstance(one, InlineKeyboardButton) for one in row) for row in rows
        ):
            raise UsageError(
                "a keyboard is a list of rows, and a row is a list of buttons: [[InlineKeyboardButton(…), …], …]"
            )
        total = sum(len(row) for row in self.buttons)
        _check_count("buttons", total, MAX_INLINE_KEYBOARD_BUTTONS)
        _check_count("rows", len(self.buttons), MAX_INLINE_KEYBOARD_ROWS)
        for row in self.buttons:
            _check_count("buttons a row", len(row), MAX_INLINE_KEYBOARD_WIDTH)

    @property
    def needs_server_name(self) -> bool:
        """Whether a button is addressed to a bare login, which `completed` makes a full user id."""
        return any(button.to is not None and "@" not in button.to for row in self.buttons for button in row)

    def completed(self, server_name: str) -> InlineKeyboardMarkup:
        """Return the keyboard with every recipient as a full user id; `server_name` is their domain."""
        return InlineKeyboardMarkup([[button.completed(server_name) for button in row] for row in self.buttons])

    def to_dict(self, encode_json: bool = False) -> dict[str, Any]:
        """Return the keyboard as it stands in a content, as the official client does."""
        return self.as_wire()

    def to_wire(self) -> list[list[dict[str, Any]]]:
        """Return the matrix of buttons that stands in `content.buttons`."""
        return [[button.as_wire() for button in row] for row in self.buttons]

    @classmethod
    def from_dict(cls, kvs: Any, *, infer_missing: bool = False) -> Self:
        """Read a keyboard as a server says it is: the bare matrix, or an object with it as `buttons`."""
        if isinstance(kvs, cls):
            return kvs
        rows = kvs.get("buttons") if isinstance(kvs, dict) else kvs
        if not isinstance(rows, list):
            raise MalformedFrameError("not a keyboard: rows of buttons were expected")
        keyboard = object.__new__(cls)
        object.__setattr__(keyboard, "buttons", _read_rows(rows))
        return keyboard


def read_keyboard(value: Any) -> InlineKeyboardMarkup | None:
    """Read the buttons of a text message; None where there are none."""
    if isinstance(value, list | InlineKeyboardMarkup):
        return InlineKeyboardMarkup.from_dict(value)
    if isinstance(value, dict) and isinstance(value.get("buttons"), list):
        return InlineKeyboardMarkup.from_dict(value)
    return None


def write_keyboard(keyboard: InlineKeyboardMarkup | None) -> list[list[dict[str, Any]]] | None:
    """Write the buttons of a text message; None where there are none."""
    return None if keyboard is None else keyboard.to_wire()


def _check_count(what: str, count: int, most: int) -> None:
    if count > most:
        raise LimitExceededError(f"a keyboard has at most {most} {what}, this one has {count}", count, most)


def _button(value: Any) -> InlineKeyboardButton | None:
    return InlineKeyboardButton.from_dict(value) if isinstance(value, dict | InlineKeyboardButton) else None


_read_rows = list_of(list_of(_button))
