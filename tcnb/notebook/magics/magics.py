"""The magics themselves: each reads its line, calls one verb of the session and returns what it returned."""

from __future__ import annotations

import keyword
import os
from typing import Any

from IPython.core.magic import line_cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand

from tcnb.errors import UsageError, WSConnectionError
from tcnb.notebook import messages
from tcnb.notebook.connections import DEFAULT, VARIABLE, Overview, connections
from tcnb.notebook.magics import handlers, verbs
from tcnb.notebook.magics.arguments import Arguments
from tcnb.notebook.magics.base import VerbMagics, one_line_errors

ON_BINDER = "TCNB_ON_BINDER"
"""Set by `binder/start`, where a corporate server cannot be reached."""


@magics_class
class TcnbMagics(VerbMagics):
    """The verbs of a chat as magics: `%tc_connect`, `%tc_send` and their siblings."""

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_connect(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Connect to a TrueConf server, or to a practice server on this machine.

        Usage: %tc_connect [server] [options]

            %tc_connect video.example.com --username robot
            %tc_connect robot@video.example.com              the same
            %tc_connect                                      server and login from the environment or a .env file
            %tc_connect --practice                           a practice server with simulated colleagues
            %tc_connect --practice --people 8 --rate 5 --seed 1
            %tc_connect video.example.com --username ops --as ops    a second connection, called ops

        --username LOGIN   the bot's login, without @server
        --as NAME          a name for this connection; without it the connection is called default
        --port N           the port, if it is not 443 (or 4309 with --http)
        --http             plain HTTP to the Bridge
        --ca FILE          certificates (PEM) to trust besides the system's
        --no-verify        do not check the server's certificate
        --client-id ID     the id of an OAuth application, for servers that take no passwords
        --timeout SECONDS  how long to wait for an answer
        --practice         a practice server; --people N, --rate EVENTS_PER_SECOND, --seed N and --history N shape it

        A password or a token never stands on the line, where the notebook would store it. It is looked for in the
        environment (TRUECONF_PASSWORD, TRUECONF_TOKEN), in a .env file, in the keyring, and then asked for.

        Returns the session. It is also bound to the variable tc (with --as NAME, to NAME), if that name is free or
        holds a session that is closed. The same line again returns the living session.
        """
        given = self._given(verbs.CONNECT, line, local_ns)
        name = given.connection or DEFAULT
        request = _connect_request(given)
        with one_line_errors():
            session = connections.connect(name, request, _open_session)
        self._bind(name, session)
        return session

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_status(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Show how the connection stands; with several connections, all of them.

        Usage: %tc_status [--as NAME]
        """
        given = self._given(verbs.STATUS, line, local_ns)
        sessions = connections.all()
        if given.connection is None and len(sessions) != 1:
            return Overview(session.status() for session in sessions)
        if given.connection is None:
            return sessions[0].status()
        return connections.get(given.connection).status()

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_disconnect(self, line: str, local_ns: dict[str, Any] | None = None) -> None:
        """Close the connection; where there is none, nothing happens.

        Usage: %tc_disconnect [--as NAME] [--all]
        """
        given = self._given(verbs.DISCONNECT, line, local_ns)
        if given.has("all") and given.has("as"):
            raise UsageError(messages.options_exclude("--all", "--as"))
        with one_line_errors():
            if given.has("all"):
                connections.disconnect_all()
            elif given.connection is not None or connections.names():
                connections.disconnect(given.connection)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_chats(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Return the chats as a DataFrame.

        Usage: %tc_chats [--as NAME]

            chats = %tc_chats
        """
        given = self._given(verbs.CHATS, line, local_ns)
        with one_line_errors():
            return connections.get(given.connection).chats

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_df(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Return every event so far as a DataFrame, one row an event.

        Usage: %tc_df [--as NAME]

            events = %tc_df
        """
        given = self._given(verbs.FRAME, line, local_ns)
        with one_line_errors():
            return connections.get(given.connection).df

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_feed(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Show events live, as they come, also while other cells run.

        Usage: %tc_feed [chat…] [--as NAME]

            %tc_feed                                 everything
            %tc_feed "Release crew" alice            two chats
        """
        given = self._given(verbs.FEED, line, local_ns)
        session = connections.get(given.connection)
        with one_line_errors(session):
            return session.feed(*given.chats)

    @line_cell_magic
    @needs_local_scope
    @no_var_expand
    def tc_send(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Send a text to a chat.

        Usage: %tc_send chat [options] text
               %%tc_send chat [options]
               text of any length

            %tc_send "Release crew" Build {number} passed in {seconds:.1f} s
            %tc_send alice@video.example.com --markdown **Done**, see $url
            sent = %tc_send alice Are you there?
            %tc_send alice --reply {sent} I mean now

            %%tc_send "Release crew" --markdown
            The report is *ready*, and {these braces} stay as they are.

        The chat is a title (in quotes if it has spaces), an id, a link #c_…@server, or a person's login. Options stand
        before the text:

        --markdown --html --plain   how the text is written (plain if nothing is said; also --mode MODE)
        --reply MESSAGE_ID          answer a message; {sent} works too
        --as NAME                   use another connection
        --timeout SECONDS           how long waiting for the connection, looking up and sending may take together
        -f                          in the cell form: expand {expression} and $name in the body
        --                          the text begins here, even if it begins with a dash

        On a line, {expression} and $name are replaced by their values; {{, }} and $$ stand for {, } and $. A text that
        is nothing but None or nan is refused, and so is one that ends in an option (hello --markdown). In a cell the
        body is sent as it stands. A ; at the end of the line silences the output and is not sent (\\; is).

        Returns what the server answered: chat_id, message_id, timestamp.
        """
        given = self._given(verbs.SEND, line, local_ns, cell)
        session = connections.get(given.connection)
        chat, text, writing = given.chat, given.text, given.writing()
        if (timeout := given.seconds("timeout")) is not None:
            writing["timeout"] = timeout
        with one_line_errors(session):
            return session.send(chat, text, **writing)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_photo(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Send a picture to a chat.

        Usage: %tc_photo chat file [options] [caption]

            %tc_photo "Release crew" plots/burndown.png Today's burndown
            %tc_photo alice "C:\\Users\\robot\\my plot.png"
            %tc_photo alice https://example.com/picture.jpg
            %tc_photo alice {fig} --markdown **{day:%A}**

        The file is a path (in quotes if it has spaces), a URL, or {an expression}: bytes, a Path, a PIL image, a
        matplotlib figure. Keep the figure where it is drawn (fig = plt.gcf()): a notebook closes it when the cell
        ends, and plt.gcf() in a later cell makes an empty one, which is not sent. The options are those of %tc_send:
        --markdown --html --plain --reply --as.
        """
        given = self._given(verbs.PHOTO, line, local_ns)
        session = connections.get(given.connection)
        chat, file, caption, writing = given.chat, given.file, given.caption, given.writing()
        with one_line_errors(session):
            return session.send_photo(chat, file, caption, **writing)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_sticker(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Send a sticker to a chat.

        Usage: %tc_sticker chat file [--reply MESSAGE_ID] [--as NAME]

            %tc_sticker "Release crew" stickers/thumbs_up.webp

        The file is a path, a URL or {an expression}, as for %tc_photo.
        """
        given = self._given(verbs.STICKER, line, local_ns)
        session = connections.get(given.connection)
        chat, file, replying = given.chat, given.file, given.replying()
        with one_line_errors(session):
            return session.send_sticker(chat, file, **replying)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_file(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Send a file to a chat.

        Usage: %tc_file chat file [options] [caption]

            %tc_file "Release crew" build/report.pdf The report of {day:%d %B}
            %tc_file alice {df.to_csv().encode()}

        The file is a path (in quotes if it has spaces), a URL, or {an expression}, as for %tc_photo. The options are
        those of %tc_send: --markdown --html --plain --reply --as.
        """
        given = self._given(verbs.DOCUMENT, line, local_ns)
        session = connections.get(given.connection)
        chat, file, caption, writing = given.chat, given.file, given.caption, given.writing()
        with one_line_errors(session):
            return session.send_document(chat, file, caption, **writing)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_handlers(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Return the handlers as a DataFrame, in the order in which they are tried; or pause, resume, remove some.

        Usage: %tc_handlers [--pause NAME] [--resume NAME] [--remove NAME] [--as NAME]

            %tc_handlers
            %tc_handlers --pause on_build            events pass it over
            %tc_handlers --resume on_build
            %tc_handlers --remove on_build

        Returns a row a handler: name, event, filters, router, paused, calls, failures, last_error, and what it printed
        when it was called last. The tracebacks are in tc.router.failures.
        """
        given = self._given(verbs.HANDLERS, line, local_ns)
        router = connections.get(given.connection).router
        with one_line_errors():
            handlers.change(router, given)
            return handlers.frame(router)

    @line_cell_magic
    @needs_local_scope
    @no_var_expand
    def tc_on(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Run code whenever an event comes.

        Usage: %tc_on event [options] code
               %%tc_on event [options]
               code of any length

            %tc_on message --command ping await message.reply("pong")

            %%tc_on message --chat "Release crew" --pattern "build (\\d+)"
            state = builds[int(match[1])]
            await message.reply(f"{match[0]}: {state}")

        The event is one of the column event of %tc_df: message, edited_message, removed_message, callback_query, …

        --chat CHAT        only in this chat
        --sender PERSON    only from this person: a login or an id
        --text TEXT        only this very text
        --pattern REGEX    only texts in which this is found; the code can use the match
        --command NAME     only this command: start for /start; the code can use the command, with its args
        --content KIND     only messages that carry this: photo, video, sticker, document, voice, location, …
        --name NAME        a name for the handler; without it, it is named after the event and the options
        --as NAME          use another connection

        The code sees the variables of the notebook, and message (the event, also as event), bot and tc. It may await.
        What it assigns is its own, unless it says global. It runs beside the cells: what it prints is kept for
        %tc_handlers. The same options again replace the code; %tc_handlers --remove NAME ends it.

        Returns the handler.
        """
        given = self._given(verbs.ON, line, local_ns, cell)
        router = connections.get(given.connection).router
        with one_line_errors():
            return handlers.define(self._shell, router, given.event, given)

    def _bind(self, name: str, session: Any) -> None:
        """Put the session into the user's namespace, if that takes nothing from the user."""
        variable = VARIABLE if name == DEFAULT else name
        if not variable.isidentifier() or keyword.iskeyword(variable):
            return
        held = self._shell.user_ns.get(variable, session)
        if held is session or (type(held) is type(session) and not held.is_open):
            self._shell.push({variable: session})


def _open_session(**request: Any) -> Any:
    import tcnb

    try:
        return tcnb.connect(**request)
    except WSConnectionError as error:
        if ON_BINDER in os.environ and not request.get("practice"):
            error.args = (messages.unreachable_from_binder(str(error)),)
        raise


def _connect_request(given: Arguments) -> dict[str, Any]:
    """Turn the line of %tc_connect into keyword arguments of `tcnb.connect`, without its name."""
    server, username = given.server
    request: dict[str, Any] = {
        "server": server,
        "username": username,
        "client_id": given.value("client-id"),
        "web_port": given.number("port", int),
        "https": False if given.has("http") else None,
        "verify_ssl": _verify_ssl(given),
        "timeout": given.seconds("timeout"),
        "practice": _practice(given),
    }
    if request["practice"] and server is not None:
        raise UsageError(messages.options_exclude("a server", "--practice"))
    for option in ("username", "port", "http", "ca", "no-verify", "client-id"):
        if request["practice"] and given.has(option):
            raise UsageError(messages.options_exclude(f"--{option}", "--practice"))
    return {name: value for name, value in request.items() if value is not None}


def _verify_ssl(given: Arguments) -> object:
    if given.has("ca") and given.has("no-verify"):
        raise UsageError(messages.options_exclude("--ca", "--no-verify"))
    return False if given.has("no-verify") else given.value("ca")


def _practice(given: Arguments) -> object:
    shape = {
        "people": given.number("people", int),
        "rate": given.number("rate", float),
        "seed": given.number("seed", int),
        "history": given.number("history", int),
    }
    shape = {name: value for name, value in shape.items() if value is not None}
    if given.has("practice"):
        return shape or True
    for name in shape:
        raise UsageError(messages.option_needs_another(f"--{name}", "--practice"))
    return None
