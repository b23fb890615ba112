"""How a line that was read becomes a verb's arguments: fields expanded, options made values; nothing is sent here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tcnb.errors import UsageError
from tcnb.files.paths import expanded
from tcnb.notebook import messages
from tcnb.notebook.magics import secrets
from tcnb.notebook.magics.binding import bound
from tcnb.notebook.magics.expansion import expand, expand_text
from tcnb.notebook.magics.grammar import Verb, read, require_fields, split_silencer, without_outer_quotes
from tcnb.notebook.magics.verbs import MODES

_MODE_OPTIONS = {"markdown": "markdown", "html": "html", "plain": "text"}


class Arguments:
    """What stands on one magic's line, and in its cell, as values.

    Args:
        verb: what the magic takes.
        line: the rest of the line behind the magic's name.
        names: the variables that expressions see.
        body: the cell below, None for a line magic.

    Attributes:
        names: the variables that expressions see.

    Raises:
        UsageError: the line cannot be read, or a required field is missing.
        SecretOnLineError: a password or token stands on the line.
    """

    def __init__(self, verb: Verb, line: str, names: Mapping[str, Any], body: str | None = None) -> None:
        self.verb = verb
        self.names = names
        self._body = body
        self._line = read(verb, split_silencer(line)[0])
        if body is not None and self._line.text is not None:
            raise UsageError(messages.text_on_the_head_line(verb.name, self._line.text))
        if self._line.options_at_end and verb.text is not None:
            raise UsageError(messages.options_at_the_end(verb.name, verb.text.name, self._line.options_at_end))
        require_fields(verb, self._line)

    def has(self, option: str) -> bool:
        """Tell whether an option is given."""
        return option in self._line.options

    def value(self, option: str) -> object:
        """Return an option's value, expanded, or None if it is not given."""
        return self._expanded(self._line.options[option]) if self.has(option) else None

    def raw(self, option: str) -> str:
        """Return an option's value as it was written, with nothing expanded."""
        return self._line.options[option]

    @property
    def connection(self) -> str | None:
        """The connection's name, if one is given."""
        name = self.value("as")
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise UsageError(messages.bad_connection_name(name))
        return name

    @property
    def chat(self) -> str:
        """The chat: what was written, or the id of the object that an expression gave."""
        return self._chat(self._line.fields["chat"])

    @property
    def chats(self) -> list[str]:
        """All chats of a verb that takes several."""
        first = self._line.fields.get("chat")
        return [] if first is None else [self._chat(raw) for raw in (first, *self._line.more)]

    @property
    def file(self) -> object:
        """The file: a path (with `~` resolved) or URL, or whatever object an expression gave."""
        file = self._expanded(self._line.fields["file"])
        if isinstance(file, str) and file.startswith("~"):
            return str(expanded(file))
        return file

    @property
    def event(self) -> str:
        """The kind of event."""
        return str(self._expanded(self._line.fields["event"]))

    @property
    def server(self) -> tuple[str | None, str | None]:
        """The server and the login: `robot@video.example.com` names both."""
        raw = self._line.fields.get("server")
        username = self.value("username")
        if isinstance(username, str) and ":" in username:
            secrets.refuse_address(f"{self._line.options['username']}@")
        if raw is None:
            return None, None if username is None else str(username)
        secrets.refuse_address(raw)
        server = str(self._expanded(raw))
        if secrets.has_password(server):
            raise UsageError(messages.credentials_in_address())
        login, at, host = server.rpartition("@")
        if at and "/" not in login:
            if username is not None:
                raise UsageError(messages.two_usernames())
            return host, login
        return server, None if username is None else str(username)

    @property
    def text(self) -> str:
        """The text to send: the cell's body as it stands (expanded with `-f`), or the line's, expanded."""
        text = self._written("text", messages.BRACES_ON_A_LINE)
        if not text.strip():
            raise UsageError(messages.empty_text(self.verb.usage))
        return text

    def query(self) -> tuple[str, dict[str, object]]:
        """Return the query and the values of its parameters.

        The query is the cell's body as it stands, or the line's; on a line, and with `-f`, expressions in it are
        parameters as well.

        Raises:
            UsageError: there is none, or a parameter cannot be read.
        """
        given = self._parameters()
        if self._body is None:
            if self._line.text is None:
                raise UsageError(messages.nothing_given("query", self.verb.usage))
            return bound(self._line.text, self.names, given, hint=messages.BRACES_IN_A_QUERY)
        body = self._body.removesuffix("\n")
        return bound(body, self.names, given, hint=messages.BRACES_IN_A_QUERY_BODY) if self.has("f") else (body, given)

    def _parameters(self) -> dict[str, object]:
        given: dict[str, object] = {}
        for raw in self._line.repeated.get("param", ()):
            name, equals, value = raw.partition("=")
            name = name.strip().removeprefix("$")
            if not equals or not name.isidentifier():
                raise UsageError(messages.not_a_parameter(raw))
            if name in given:
                raise UsageError(messages.parameter_given_twice(name))
            given[name] = expand(without_outer_quotes(value), self.names, may_miss=True)
        return given

    def _written(self, what: str, hint: str) -> str:
        if self._body is None:
            if self._line.text is None:
                raise UsageError(messages.nothing_given(what, self.verb.usage))
            return expand_text(self._line.text, self.names, hint=hint)
        body = self._body.removesuffix("\n")
        return expand_text(body, self.names, hint=messages.BRACES_IN_A_BODY) if self.has("f") else body

    @property
    def code(self) -> str:
        """The code: the cell's body, or what stands behind the line's head, as it was written."""
        code = self._body if self._body is not None else self._line.text or ""
        if not code.strip():
            raise UsageError(messages.no_code(self.verb.name))
        return code

    @property
    def path(self) -> str:
        """The path or URL, with `~` resolved."""
        path = str(self._expanded(self._line.fields["path"]))
        return str(expanded(path)) if path.startswith("~") else path

    @property
    def caption(self) -> str | None:
        """The text beside a file, None if there is none."""
        text = self._line.text
        return expand_text(text, self.names) if text else None

    def writing(self) -> dict[str, Any]:
        """Return `parse_mode` and `reply_to` as keyword arguments, as far as they are given."""
        given: dict[str, Any] = {}
        if (mode := self._mode()) is not None:
            given["parse_mode"] = mode
        return given | self.replying()

    def replying(self) -> dict[str, Any]:
        """Return `reply_to` as keyword argument, if it is given."""
        message = self.value("reply")
        if message is None:
            return {}
        message_id = getattr(message, "message_id", message)
        if not isinstance(message_id, str) or not message_id:
            raise UsageError(messages.not_a_message(message))
        return {"reply_to": message_id}

    def number(self, option: str, kind: type[int] | type[float]) -> int | float | None:
        """Return an option's value as a number, or None if it is not given.

        Raises:
            UsageError: it is no such number, or negative.
        """
        value = self.value(option)
        if value is None:
            return None
        written = f"--{option}" if len(option) > 1 else f"-{option}"
        try:
            number = kind(str(value))
        except (TypeError, ValueError):
            number = kind(-1)
        if number < 0 or not math.isfinite(number):
            name = "whole number" if kind is int else "number"
            raise UsageError(messages.not_a_number(written, value, name))
        return number

    def seconds(self, option: str) -> float | None:
        """Return an option's value as a length of time in seconds, or None if it is not given.

        Raises:
            UsageError: it is no number above 0.
        """
        seconds = self.number(option, float)
        if seconds == 0:
            raise UsageError(messages.not_above_zero(f"--{option}", self.value(option)))
        return seconds

    def _mode(self) -> str | None:
        given = [option for option in (*_MODE_OPTIONS, "mode") if self.has(option)]
        if len(given) > 1:
            raise UsageError(messages.options_exclude(f"--{given[0]}", f"--{given[1]}"))
        if not given:
            return None
        if given[0] != "mode":
            return _MODE_OPTIONS[given[0]]
        value = self.value("mode")
        mode = str(getattr(value, "value", value)).lower()
        mode = "text" if mode == "plain" else mode
        if mode not in MODES:
            raise UsageError(messages.unknown_mode(value))
        return mode

    def _chat(self, raw: str) -> str:
        value = self._expanded(raw)
        chat = getattr(value, "chat_id", value)
        if not isinstance(chat, str):
            raise UsageError(messages.not_a_chat(value))
        if not chat.strip():
            raise UsageError(messages.nothing_given("chat", self.verb.usage))
        return chat

    def _expanded(self, raw: str) -> object:
        return expand(raw, self.names)
