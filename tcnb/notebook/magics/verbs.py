"""The table of the magics: which fields, options and text each takes; what they do is in `magics`."""

from __future__ import annotations

from typing import Final

from tcnb.notebook.magics.grammar import Field, Option, Verb

CHAT = Field("chat")
FILE = Field("file")

CONNECTION = Option("as", "the connection to use, by its name", "NAME")
REPLY = Option("reply", "answer this message (an id, or {a message})", "MESSAGE_ID")
MODES = ("text", "markdown", "html")
WRITING: Final = (
    Option("markdown", "the text is Markdown"),
    Option("html", "the text is HTML"),
    Option("plain", "the text is plain (the default)"),
    Option("mode", "text, markdown or html", "MODE"),
)

CONNECT = Verb(
    "tc_connect",
    (Field("server", required=False),),
    options=(
        Option("username", "the bot's login", "LOGIN"),
        Option("as", "a name for this connection (default: default)", "NAME"),
        Option("port", "the port of the web service or the Bridge", "N"),
        Option("http", "plain HTTP to the Bridge, port 4309 unless --port says otherwise"),
        Option("ca", "a file of certificates (PEM) to trust besides the system's", "FILE"),
        Option("no-verify", "do not check the server's certificate"),
        Option("client-id", "the id of an OAuth application", "ID"),
        Option("timeout", "seconds to wait for an answer", "SECONDS"),
        Option("practice", "a practice server on this machine"),
        Option("people", "with --practice: how many simulated colleagues", "N"),
        Option("rate", "with --practice: events a second", "R"),
        Option("seed", "with --practice: the same seed tells the same story", "N"),
        Option("history", "with --practice: how many messages are there already", "N"),
    ),
    is_private=True,
)
STATUS = Verb("tc_status", options=(CONNECTION,))
DISCONNECT = Verb("tc_disconnect", options=(CONNECTION, Option("all", "close every connection")))
CHATS = Verb("tc_chats", options=(CONNECTION,))
FRAME = Verb("tc_df", options=(CONNECTION,))
FEED = Verb("tc_feed", (Field("chat", required=False, many=True),), options=(CONNECTION,))
HANDLERS = Verb(
    "tc_handlers",
    options=(
        Option("pause", "pass this handler over", "NAME"),
        Option("resume", "let it get events again", "NAME"),
        Option("remove", "take it away", "NAME"),
        CONNECTION,
    ),
)
ON = Verb(
    "tc_on",
    (Field("event"),),
    Field("code"),
    (
        Option("chat", "only in this chat", "CHAT"),
        Option("sender", "only from this person, by login or id", "PERSON"),
        Option("text", "only this very text", "TEXT"),
        Option("pattern", "only texts in which this regular expression is found", "REGEX"),
        Option("command", "only this command: start for /start", "NAME"),
        Option("content", "only messages that carry this: photo, document, …", "KIND"),
        Option("name", "a name for the handler", "NAME"),
        CONNECTION,
    ),
)
BODY_EXPANDED = Option("f", "in the cell form: expand {expression} and $name in the body")
SEND = Verb(
    "tc_send",
    (CHAT,),
    Field("text"),
    (
        *WRITING,
        REPLY,
        CONNECTION,
        Option("timeout", "seconds for everything together", "SECONDS"),
        BODY_EXPANDED,
    ),
)
PHOTO = Verb("tc_photo", (CHAT, FILE), Field("caption", required=False), (*WRITING, REPLY, CONNECTION))
STICKER = Verb("tc_sticker", (CHAT, FILE), None, (REPLY, CONNECTION))
DOCUMENT = Verb("tc_file", (CHAT, FILE), Field("caption", required=False), (*WRITING, REPLY, CONNECTION))

STICKERS = Option("stickers", "a folder with WebP files to choose stickers from", "FOLDER")
COMPOSE = Verb("tc_compose", (Field("chat", required=False),), options=(STICKERS, CONNECTION))
PANEL = Verb("tc_panel", (Field("chat", required=False),), options=(STICKERS, CONNECTION))
SQL = Verb(
    "tc_sql",
    text=Field("query"),
    options=(
        Option("archive", "ask this archive instead of the live record", "PATH"),
        Option("param", "the value of $NAME in the query; may be repeated", "NAME={value}", many=True),
        CONNECTION,
        Option("f", "in the cell form: {expression} and $name in the body are values of the query"),
    ),
)
HISTORY = Verb(
    "tc_history",
    (CHAT,),
    options=(
        Option("n", "messages to go back (default: 100)", "N"),
        Option("since", "go back to this moment: 2026-01-01, 09:00, today, 2h, '90 days'", "WHEN"),
        Option("all", "go back to the beginning"),
        CONNECTION,
    ),
)
EXPORT = Verb("tc_export", (Field("path"),), options=(CONNECTION,))

VERBS: Final = {
    verb.name: verb
    for verb in (
        CONNECT,
        STATUS,
        DISCONNECT,
        CHATS,
        SEND,
        PHOTO,
        STICKER,
        DOCUMENT,
        FRAME,
        FEED,
        HANDLERS,
        ON,
        SQL,
        HISTORY,
        EXPORT,
        COMPOSE,
        PANEL,
    )
}
CELL_VERBS: Final = frozenset({SEND.name, ON.name, SQL.name})
