"""Why we differ from the official client where we do: one table of names, one of behaviour, and the page made of both.

`python -m tests.client.official_differences` writes the page `docs/differences.md`.
"""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import NamedTuple

from tests.client.official_surface import LEFT_OUT, differences

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"

MOST_LISTED = 4
"""Names that are listed one by one on the page; more are shown as their pattern."""

INNER = "an inner part of the official client"
PROGRESS = "told how far an upload or a download is"
BY_POSITION = "it stands in the same place; by position its name is that of the reference page of the types"
FEWER = "less need be given"
BEYOND = "ours goes beyond"

NAMES: dict[str, str] = {
    # what cannot be imported
    "trueconf.types.responses.*ApiError": "an answer that refuses is an exception here, never a value",
    "trueconf.client.bot.T": INNER,
    "trueconf.filters.raw_update.*": f"{INNER}: `router.event(…)`",
    "trueconf.fsm.strategy.apply_strategy": f"{INNER}: `FSMStrategy.apply`",
    "trueconf.types.callback_query.UNSET": INNER,
    "trueconf.types.content.parser.*": INNER,
    "trueconf.types.envelope_parser.*": f"{INNER}: `tcnb.types.parse_envelope`",
    "trueconf.types.parser.*": f"{INNER}: `tcnb.types.parse_event`",
    "trueconf.utils.formatting.*": f"{INNER}: texts have `as_html()` and `as_markdown()`",
    "trueconf.types.input_file.*": INNER,
    "trueconf.utils.split_text.*": INNER,
    "trueconf.methods*.AuthMethod": "the bot logs in by itself",
    "trueconf.methods*.MessageIdCounter": INNER,
    "trueconf.methods*.ReturnResolver": INNER,
    # the bot
    "Bot.check_version": "it prints advice for that package's own versions; `bot.server_version` tells the server's",
    "Bot.download_file_by_id(overwrite)": "False refuses a path at which there is a file",
    "Bot.download_file_by_id(size)": "the bytes that the message tells; a file of another size is refused",
    "Bot.*(progress)": PROGRESS,
    "Bot.*(journal)": "a file that keeps every event, as for `tcnb.connect`",
    "Bot.get_chat_participants(page_*)": f"{FEWER}: the first page, of 50",
    "Bot.send_message(timeout)": "seconds for this message alone",
    "Bot.send_photo(preview)": f"{FEWER}: it is made from the picture",
    "Bot.full_user_id": "a bare login is completed wherever a user is named",
    "Bot.learn_limits": "how the session passes on what the server announces",
    "Bot.session": "everything a notebook can do with this bot: `bot.session.df`, `bot.session.feed()`",
    # routers and filters
    "Router.*(conditions)": "the keywords `chat=`, `sender=`, `text=`, `command=` and `content=`",
    "Router.changed_chat_participant_role": "the name of the reference page for `changed_participant_role`",
    "Router.any": f"{BEYOND}: events of every kind",
    "Router.unknown": f"{BEYOND}: notifications that this version does not know",
    "Router.handle": f"{BEYOND}: a handler with a key of its own, as magics make them",
    "Router.handlers": f"{BEYOND}: handlers are listed, paused and removed",
    "Router.pause": f"{BEYOND}: handlers are listed, paused and removed",
    "Router.resume": f"{BEYOND}: handlers are listed, paused and removed",
    "Router.remove": f"{BEYOND}: handlers are listed, paused and removed",
    "Router.middlewares": f"{BEYOND}: middlewares are listed, and removed like handlers",
    "Router.include_routers": f"{BEYOND}: several at once",
    "Router.fsm": f"{BEYOND}: any router can keep states, for instance `tc.router`",
    "Router.setup_fsm": f"{BEYOND}: any router can keep states, for instance `tc.router`",
    "Router.suggestion": f"{BEYOND}: the code that would handle an event",
    "Router.note_failure": "how the delivery and the widgets reach a router",
    "Router.route": "how the delivery and the widgets reach a router",
    "Router.wanted": "how the delivery and the widgets reach a router",
    "Command.extract_command": INNER,
    "Command.validate_command": INNER,
    "FSMContext.set_state(state)": f"{FEWER}: without a state it leaves all of them",
    # types
    "Message(*)": "an event is read from the wire, and made by hand only in tests; there every argument must be named",
    "Message.answer_*(file)": BY_POSITION,
    "Message.answer_photo(preview)": BY_POSITION,
    "Message.answer_*(file_path)": BY_POSITION,
    "Message.answer_photo(preview_path)": BY_POSITION,
    "Message.reply_photo(preview)": f"{FEWER}: it is made from the picture",
    "CallbackQuery.edit_message(*)": "both stand for what is not given, and keep what is there",
    "Chat(*)": f"{FEWER}: older servers do not say it",
    "EditChatAvatarContent(avatar_url)": f"{FEWER}: a chat may have no avatar any more",
    "TextContent(parse_mode)": f"{FEWER}: older servers do not say it",
    "*InputFile(file_name)": BY_POSITION,
    "*InputFile(mime_type)": BY_POSITION,
    "BufferedInputFile.from_file(*)": BY_POSITION,
    "URLInputFile.read(max_size)": "files are sent as a stream, so nothing needs to be limited in memory",
    # errors and texts
    "ChatTitleTooLongError(*)": "only the errors for groups and channels are ever made; these take the same",
    "OAuthMissingScopeError(message)": "the text is ours, and says what to do",
    "PasswordAuthDisabledError(message)": "the text is ours, and says what to do",
    "safe_split_text(parse_mode)": f"{BEYOND}: where it is known, markup is not guessed",
}
"""Names and parameters that differ, with `*` for several, and why."""


class Behaviour(NamedTuple):
    """Something that goes by the same name and does not do the same."""

    there: str
    here: str
    reason: str


BEHAVIOUR = (
    Behaviour(
        "`sys.exit()` in a handler ends the script",
        "it is a failure of that handler, and the next event is handled; `await bot.shutdown()` ends the bot",
        "one handler must not end all others in a notebook",
    ),
    Behaviour(
        "adding one middleware object twice puts it around twice",
        "it is there once",
        "a cell is run again",
    ),
    Behaviour(
        "handlers of one chat may overtake each other",
        "order is kept within a chat; in a script, as long as a handler takes less than a second",
        "an answer to the second question before the one to the first confuses people",
    ),
    Behaviour(
        "the connection lives on the loop of the script",
        "it has a thread of its own; a script's handlers run on the loop of the script, those of `tc.router` on theirs",
        "a handler that computes for 20 seconds would cost the connection",
    ),
    Behaviour(
        "`start` returns before the bot is connected",
        "it returns when the bot is logged in",
        "the next line may use the bot",
    ),
    Behaviour(
        "a message that comes together with the login's answer is lost",
        "it is handled",
        "that is an error there",
    ),
    Behaviour(
        "an expired token ends the bot",
        "a bot that was made with a password gets a new one; with a token alone it ends the same way",
        "nobody wants to write that loop",
    ),
    Behaviour(
        "the longest pause between attempts to connect is `ws_max_delay`",
        "it is a minute; `ws_max_retries` counts as it does there",
        "that is the same unless a script says otherwise",
    ),
    Behaviour(
        "Ctrl+C ends the last of several bots",
        "it ends all of them",
        "that is what it is pressed for",
    ),
    Behaviour(
        "`shutdown` of a second Ctrl+C waits for handlers as well",
        "the second Ctrl+C does not wait",
        "a handler that hangs would never let go",
    ),
    Behaviour(
        "every step is logged to standard error",
        "only what goes wrong is; logging of one's own gets it all from the loggers `tcnb.…`",
        "a bot's own output would not be found between",
    ),
    Behaviour(
        "exceptions of handlers go to a log",
        "they are also kept with their traceback, counted and shown",
        "in a notebook nobody reads a log",
    ),
    Behaviour(
        "a filter that raises goes to a log",
        "it is a failure of its handler as well",
        "the same",
    ),
    Behaviour(
        '`Command("/start")` never fits',
        'it is `Command("start")`',
        "it is meant so",
    ),
    Behaviour(
        "handlers of a `Dispatcher` itself never run",
        "they do",
        "they are meant so",
    ),
    Behaviour(
        "a router that is included while an event is handled gets that event too",
        "it gets the next one",
        "a report would begin with the command that opened it",
    ),
    Behaviour(
        "several states in one decorator never fit",
        "one of them must hold",
        "its documentation says so",
    ),
    Behaviour(
        "`default_state` cannot be used",
        "it stands for no state",
        "it is meant so",
    ),
    Behaviour(
        "`setup_fsm` again is an error",
        "it begins anew",
        "a cell is run again",
    ),
    Behaviour(
        "what inner middlewares add does not reach the handler",
        "it does",
        "it is meant so",
    ),
    Behaviour(
        "a decorator returns another function",
        "it returns the function",
        "so that decorators can be stacked",
    ),
    Behaviour(
        "handlers must be `async`",
        "plain functions are handlers as well, each in a thread",
        "not everything has an asynchronous library",
    ),
    Behaviour(
        "a file that cannot be downloaded is None",
        "it is a `FileDownloadError`",
        "None is forgotten",
    ),
    Behaviour(
        "a file that is downloaded into a folder replaces one of its name",
        "it gets a safe form of its name and a number where that is taken; what could run by lying there "
        "(`random.py`) goes into a folder `downloads` in it. A path with a name replaces a file, as there; "
        "`tc.download` refuses that unless it is asked for with `overwrite=True`",
        "whoever is in a chat chooses the names of files",
    ),
    Behaviour(
        "a `file_path` that is a folder, or ends in a separator, is an error",
        "the file is written into that folder",
        "it is meant so",
    ),
    Behaviour(
        "`safe_split_text` fills every part",
        "it cuts between paragraphs where that leaves a part at least half full",
        "people read parts",
    ),
    Behaviour(
        "`F` is always there",
        "it needs the package magic-filter; without it `tcnb` has no `F`, and importing it is a `MissingPackageError`",
        "not every notebook does",
    ),
    Behaviour(
        "`message.document` is a sticker as well, and an audio file is nothing",
        "a sticker is `message.sticker` alone, an audio file is a document",
        "what is neither photo, video nor sticker is a file",
    ),
    Behaviour(
        "`message.contact` keeps the white space around names in a card, an empty `N` hides `FN`, names of groups "
        "(`item1.N`) are passed over, and a text of two mentions is one contact",
        "names are stripped, `FN` stands in for an empty `N`, groups are read, and only a single mention is a contact",
        "names are shown to people",
    ),
    Behaviour(
        "`to_dict()` of a message has no `chat_id`",
        "it has the fields of there under their names, and `chat_id`",
        "older servers say nothing else of the chat; `as_wire()` gives the names of the wire",
    ),
    Behaviour(
        "`AnswerCommand(…)` and `bot.answer_command(…)` are not implemented",
        "they are sent; no client application shows them yet",
        "servers take them",
    ),
    Behaviour(
        "`server`, `port` and `https` of a bot can be changed while it runs, and are used by the next connection",
        "they are set before it is started, as are `receive_unread_messages`, `receive_system_messages` and "
        "`ssl_context`; later it is a `UsageError`",
        "what is set would not hold for hours",
    ),
)
"""What goes by the same name and does not do the same."""


def reasons(label: str) -> list[str]:
    """Return the patterns of the table that a difference fits."""
    return [pattern for pattern in NAMES if pattern == label] or [
        pattern for pattern in NAMES if fnmatch.fnmatchcase(label, pattern)
    ]


def page(found: dict[str, str]) -> str:
    """Return the page, from what differs and the tables."""
    lines = [
        "# Differences from the official client",
        "",
        "Scripts for `python-trueconf-bot` 1.5.4 run here when `trueconf` is replaced by `tcnb` in their import lines "
        "([bots.md](bots.md)).",
        "Everything that differs stands on this page, with its reason. It is written by the tests that compare both "
        "packages, so it is complete.",
        "",
        "## What behaves differently",
        "",
        "| there | here | because |",
        "|---|---|---|",
        *(f"| {one.there} | {one.here} | {one.reason} |" for one in BEHAVIOUR),
        "",
        "## Names and parameters",
        "",
        "| what | how | because |",
        "|---|---|---|",
    ]
    for pattern, reason in NAMES.items():
        labels = [label for label in found if pattern in reasons(label)]
        for how in dict.fromkeys(found[label] for label in labels):
            alike = [label for label in labels if found[label] == how]
            named = f"`{pattern}`" if len(alike) > MOST_LISTED else ", ".join(f"`{label}`" for label in alike)
            lines.append(f"| {named} | {how} | {reason} |")
    lines += ["", "## Modules", "", "| what | because |", "|---|---|"]
    lines += [f"| `{pattern}` is not here | {reason} |" for pattern, reason in LEFT_OUT.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(differences()), encoding="utf-8")
