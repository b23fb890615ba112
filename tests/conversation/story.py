"""The conversation that is held in both generations of the wire: what is done, and the rows that must come of it.

What the client that acts gets back is taken from its answers; what only the server knows (ids and times of system
messages, of captions and of changes of participants) is taken from the bare wire. No code of tcnb takes part in that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import ANY

import tcnb
from tests.practice.wire import WireBot

from .voices import Voice, picture, until

Row = dict[str, Any]

COLUMNS: Final = (
    *("timestamp", "event", "direction", "chat_id", "chat", "chat_type", "message_id"),
    *("author_id", "author", "author_type", "message_type", "text", "parse_mode", "reply_to", "forwarded_from"),
    *("is_edited", "user_id", "role", "title", "file_id", "file_name", "file_size", "mime_type"),
    *("latitude", "longitude", "progress"),
)
"""The columns that say what happened, as the design lists them; `seq` and `received` say when it was noted."""

NAMES: Final = {"ann": "Ann Lee", "bob": "Боб", "carol": "Carol Jones", "robot": "Robot"}
ROBOT: Final = "robot@practice.local"
CAROL: Final = "carol@practice.local"


@dataclass
class Stage:
    """Who takes part, and what was made on the way.

    Attributes:
        ann, bob: those who speak.
        tc: the session under test.
        ear: hears the frames that `tc` gets.
        is_flat: whether the generation is the older one.
        group, channel, private, aside: ids of chats; `aside` is one that `tc` is not in.
        group_title: the title of the group by now.
        said: what was sent and is needed again, by a short name.
    """

    ann: Voice
    bob: Voice
    tc: tcnb.Session
    ear: WireBot
    is_flat: bool
    group: str = ""
    channel: str = ""
    private: str = ""
    aside: str = ""
    group_title: str = "Release crew"
    said: dict[str, Any] = field(default_factory=dict)

    def in_group(self) -> Row:
        """Return the columns of the group as it is known by now."""
        return {"chat_id": self.group, "chat": self.group_title, "chat_type": "group"}

    def in_channel(self) -> Row:
        """Return the columns of the channel."""
        return {"chat_id": self.channel, "chat": "News", "chat_type": "channel"}

    def in_private(self) -> Row:
        """Return the columns of Ann's personal chat with the robot; only the newer generation tells her name there."""
        return {"chat_id": self.private, "chat": self.ann.id if self.is_flat else "Ann Lee", "chat_type": "p2p"}

    async def known(self, chat_id: str) -> None:
        """Wait until the session knows the title of a chat it has come into."""
        await until(self.tc, lambda: chat_id in {chat for _, chat, _ in titled(self.tc)})

    async def time_of(self, message_id: str) -> int:
        """Return when the server says that a message was written (ms)."""
        heard = await self.ear.heard("sendMessage", lambda payload: payload["messageId"] == message_id)
        return int(heard["timestamp"])

    async def system(self, where: Row, number: int, message_type: str, **values: Any) -> Row:
        """Return the row of the next system message of that type."""
        heard = await self.ear.heard("sendMessage", lambda payload: payload["type"] == number)
        return row(
            "message",
            **where,
            timestamp=heard["timestamp"],
            message_id=heard["messageId"],
            author_id="trueconf.server",
            author_type="system",
            message_type=message_type,
            **values,
        )

    async def moment(self, method: str) -> int:
        """Return the time (ms) in the next notification of that method."""
        return int((await self.ear.heard(method))["timestamp"])


def titled(session: tcnb.Session) -> list[tuple[str, str, str]]:
    """Return title, id and kind of the chats whose title the record knows."""
    frame = session.record.chats().dropna(subset=["chat"])
    return list(zip(frame["chat"], frame["chat_id"], frame["chat_type"], strict=True))


def row(event: str, **values: Any) -> Row:
    """Return a whole row: what is not given is missing."""
    return {**dict.fromkeys(COLUMNS), "event": event, "direction": "in", **values}


def by(voice: Voice) -> Row:
    """Return the columns of somebody who did something."""
    return {"author_id": voice.id, "author": NAMES[voice.login], "author_type": "user"}


def message(where: Row, who: Voice, sent: Any, message_type: str = "plain", **values: Any) -> Row:
    """Return the row of a message whose id and time its sender got back."""
    identity = {"message_id": sent.message_id, "timestamp": sent.timestamp, "is_edited": False}
    return row("message", **{**where, **by(who), **identity, "message_type": message_type, **values})


Step = Callable[[Stage], Awaitable[list[Row]]]
STEPS: dict[str, Step] = {}
"""The steps by their names, in the order in which they are taken."""


def step(function: Step) -> Step:
    """Make a function the next step."""
    STEPS[function.__name__] = function
    return function


@step
async def upload_limits_are_told(stage: Stage) -> list[Row]:
    """The server tells its limits after the login."""
    await stage.ear.heard("getFileUploadLimits")
    return [row("changed_file_upload_limits")]


@step
async def personal_chats_are_opened(stage: Stage) -> list[Row]:
    """Ann and Bob each open their personal chat with the robot and greet it."""
    rows = []
    for voice in (stage.ann, stage.bob):
        chat_id = (await voice.bot.create_personal_chat("robot")).chat_id
        where = {"chat_id": chat_id, "chat_type": "p2p"}
        rows.append(row("created_personal_chat", **where, chat=voice.id, title=voice.id))
        sent = await voice.bot.send_message(chat_id, "hello, robot")
        # The name of an author is asked for at the first word, and may or may not be there in time for it.
        where["chat"] = voice.id if stage.is_flat else NAMES[voice.login]
        rows.append(message(where, voice, sent, text="hello, robot", parse_mode="text", author=ANY))
        stage.private = stage.private or chat_id
    people = {stage.ann.id, stage.bob.id}
    await until(stage.tc, lambda: people <= set(stage.tc.people.dropna(subset=["author"])["author_id"]))
    return rows


@step
async def robot_is_added_to_a_group(stage: Stage) -> list[Row]:
    """Ann makes a group and brings the robot in; what was done before that is none of its business."""
    bot = stage.ann.bot
    stage.group = (await bot.create_group_chat("Release crew")).chat_id
    await bot.add_participant_to_chat(stage.group, "bob", display_history=True)
    await bot.send_message(stage.group, "before the robot came")
    await bot.add_participant_to_chat(stage.group, "robot", display_history=True)
    added = {"user_id": ROBOT, "timestamp": await stage.moment("addChatParticipant"), **by(stage.ann)}
    first = row("added_chat_participant", chat_id=stage.group, chat=ANY, chat_type=ANY, **added)
    where = {"chat_id": stage.group, "chat": ANY, "chat_type": ANY} if stage.is_flat else stage.in_group()
    second = await stage.system(where, 1, "add_participant", user_id=ROBOT, role="user")
    await stage.known(stage.group)
    return [first, second]


@step
async def somebody_else_is_added(stage: Stage) -> list[Row]:
    """Ann adds Carol."""
    await stage.ann.bot.add_participant_to_chat(stage.group, "carol", display_history=False)
    when = await stage.moment("addChatParticipant")
    return [
        row("added_chat_participant", **stage.in_group(), **by(stage.ann), timestamp=when, user_id=CAROL),
        await stage.system(stage.in_group(), 1, "add_participant", user_id=CAROL, role="user"),
    ]


@step
async def text_as_it_is(stage: Stage) -> list[Row]:
    """Ann writes what looks like markup, as plain text."""
    text = "1 < 2 & **stars** <b>stay</b>\nsecond line 🙂"
    sent = stage.said["text"] = await stage.ann.bot.send_message(stage.group, text)
    return [message(stage.in_group(), stage.ann, sent, text=text, parse_mode="text")]


@step
async def text_in_markdown(stage: Stage) -> list[Row]:
    """Bob writes markdown."""
    text = r"**Build** *42* ~~failed~~ [passed](https://example.com/42), \*really\*"
    sent = stage.said["markdown"] = await stage.bob.bot.send_message(stage.group, text, parse_mode="markdown")
    plain = "Build 42 failed passed, *really*"
    return [message(stage.in_group(), stage.bob, sent, text=plain, parse_mode="markdown")]


@step
async def text_in_html(stage: Stage) -> list[Row]:
    """Ann writes html with entities, a mention and a line break."""
    text = '<b>Build</b> &lt;42&gt; for <a href="trueconf:bob@practice.local">Боб</a><br>first &amp; last'
    sent = stage.said["html"] = await stage.ann.bot.send_message(stage.group, text, parse_mode="html")
    plain = "Build <42> for Боб\nfirst & last"
    return [message(stage.in_group(), stage.ann, sent, text=plain, parse_mode="html")]


@step
async def reply(stage: Stage) -> list[Row]:
    """Bob answers Ann."""
    answered = stage.said["text"].message_id
    sent = await stage.bob.bot.send_message(stage.group, "all green", reply_message_id=answered)
    return [message(stage.in_group(), stage.bob, sent, text="all green", parse_mode="text", reply_to=answered)]


@step
async def reply_with_a_quote(stage: Stage) -> list[Row]:
    """Ann answers Bob and quotes him; the quotation is no part of what she says."""
    answered = stage.said["markdown"].message_id
    sent = await stage.ann.bot.send_message(
        stage.group, "<i>thank</i> you", parse_mode="html", reply_message_id=answered, quote="really"
    )
    return [message(stage.in_group(), stage.ann, sent, text="thank you", parse_mode="html", reply_to=answered)]


@step
async def photo_with_preview_and_caption(stage: Stage) -> list[Row]:
    """Ann sends a picture; its caption is a message of its own behind it."""
    data = picture("PNG")
    file, preview = stage.ann.make_file(data, "кот.png"), stage.ann.make_file(picture("WEBP"), "preview.webp")
    sent = await stage.ann.bot.send_photo(stage.group, file, preview=preview, caption="a <b>cat</b>", parse_mode="html")
    about = {"file_id": sent.file_id, "file_name": "кот.png", "file_size": len(data), "mime_type": "image/png"}
    return [
        message(stage.in_group(), stage.ann, sent, "attachment", **about),
        await _caption(stage, stage.ann, sent, text="a cat", parse_mode="html"),
    ]


async def _caption(stage: Stage, who: Voice, sent: Any, **values: Any) -> Row:
    when = await stage.time_of(sent.caption_message_id)
    return message(stage.in_group(), who, sent, message_id=sent.caption_message_id, **{**values, "timestamp": when})


@step
async def sticker(stage: Stage) -> list[Row]:
    """Bob sends a sticker in answer to nobody."""
    data = picture("WEBP", "gold", (256, 256))
    sent = await stage.bob.bot.send_sticker(stage.group, stage.bob.make_file(data, "hi.webp"))
    about = {"file_id": sent.file_id, "file_name": "hi.webp", "file_size": len(data), "mime_type": "sticker/webp"}
    return [message(stage.in_group(), stage.bob, sent, "attachment", **about)]


@step
async def document_with_caption(stage: Stage) -> list[Row]:
    """Bob answers with a document."""
    data = "имя;число\r\n".encode() * 1000
    answered = stage.said["text"].message_id
    sent = stage.said["document"] = await stage.bob.bot.send_document(
        stage.group, stage.bob.make_file(data, "отчёт.csv"), caption="Q3", reply_message_id=answered
    )
    about = {"file_id": sent.file_id, "file_name": "отчёт.csv", "file_size": len(data), "mime_type": "text/csv"}
    return [
        message(stage.in_group(), stage.bob, sent, "attachment", reply_to=answered, **about),
        await _caption(stage, stage.bob, sent, text="Q3", parse_mode="text"),
    ]


@step
async def survey(stage: Stage) -> list[Row]:
    """Ann sends a survey."""
    sent = await stage.ann.bot.send_survey(stage.group, "Lunch choice", "k7Qm2xZ0pd")
    return [message(stage.in_group(), stage.ann, sent, "survey", title="Lunch choice")]


@step
async def edit(stage: Stage) -> list[Row]:
    """Ann edits what she wrote; the wire says neither which message it was nor who did it."""
    edited = await stage.ann.bot.edit_message(stage.said["html"].message_id, "Build <i>43</i>", parse_mode="html")
    values = {"timestamp": edited.timestamp, "text": "Build 43", "parse_mode": "html"}
    return [row("edited_message", **stage.in_group(), **values)]


@step
async def delete_for_all(stage: Stage) -> list[Row]:
    """Bob deletes what he wrote, for everybody."""
    message_id = stage.said["markdown"].message_id
    await stage.bob.bot.remove_message(message_id, for_all=True)
    return [row("removed_message", **stage.in_group(), **by(stage.bob), message_id=message_id)]


@step
async def delete_for_oneself(stage: Stage) -> list[Row]:
    """What Bob hides from himself alone is not told to others."""
    await stage.bob.bot.remove_message(stage.said["text"].message_id, for_all=False)
    return []


@step
async def forward_from_elsewhere(stage: Stage) -> list[Row]:
    """Bob forwards what Ann wrote to him alone."""
    stage.aside = (await stage.ann.bot.create_personal_chat("bob")).chat_id
    note = await stage.ann.bot.send_message(stage.aside, "see **notes**", parse_mode="markdown")
    sent = stage.said["forward"] = await stage.bob.bot.forward_message(stage.group, note.message_id)
    values = {"text": "see notes", "parse_mode": "markdown", "forwarded_from": stage.ann.id}
    return [message(stage.in_group(), stage.bob, sent, "forwarded", **values)]


@step
async def forward_of_a_document(stage: Stage) -> list[Row]:
    """Ann forwards Bob's document into her chat with the robot."""
    document = stage.said["document"]
    sent = await stage.ann.bot.forward_message(stage.private, document.message_id)
    about = {"file_id": document.file_id, "file_name": "отчёт.csv", "file_size": 19000, "mime_type": "text/csv"}
    return [message(stage.in_private(), stage.ann, sent, "forwarded", forwarded_from=stage.bob.id, **about)]


@step
async def forward_of_a_forward(stage: Stage) -> list[Row]:
    """Ann forwards Bob's forward of her own words; the server names Bob, and no longer who wrote them."""
    sent = await stage.ann.bot.forward_message(stage.private, stage.said["forward"].message_id)
    values = {"text": "see notes", "parse_mode": "markdown", "forwarded_from": stage.bob.id}
    return [message(stage.in_private(), stage.ann, sent, "forwarded", **values)]


@step
async def role_change(stage: Stage) -> list[Row]:
    """Ann makes Bob an admin."""
    await stage.ann.bot.change_participant_role(stage.group, "bob", "admin")
    when = await stage.moment("changeParticipantRole")
    about = {"user_id": stage.bob.id, "role": "admin"}
    return [
        row("changed_participant_role", **stage.in_group(), timestamp=when, **about),
        await stage.system(stage.in_group(), 110, "participant_role", **about),
    ]


@step
async def renaming(stage: Stage) -> list[Row]:
    """Bob renames the group; from then on it has its new title everywhere."""
    stage.group_title = "Launch crew"
    answer = await stage.bob.bot.edit_chat_title(stage.group, stage.group_title)
    told = await stage.system(stage.in_group(), 21, "edit_chat_title", title="Launch crew")
    assert told["timestamp"] == answer.timestamp
    return [row("edited_chat_title", **stage.in_group(), title="Launch crew"), told]


@step
async def new_picture(stage: Stage) -> list[Row]:
    """Bob gives the group a picture."""
    await stage.bob.bot.edit_chat_avatar(stage.group, stage.bob.make_file(picture("PNG"), "crew.png"))
    return [
        row("edited_chat_avatar", **stage.in_group()),
        await stage.system(stage.in_group(), 22, "edit_chat_avatar"),
    ]


@step
async def somebody_is_removed(stage: Stage) -> list[Row]:
    """Bob removes Carol."""
    await stage.bob.bot.remove_participant_from_chat(stage.group, "carol", clear_history=False)
    when = await stage.moment("removeChatParticipant")
    return [
        row("removed_chat_participant", **stage.in_group(), **by(stage.bob), timestamp=when, user_id=CAROL),
        await stage.system(stage.in_group(), 2, "remove_participant", user_id=CAROL),
    ]


@step
async def history_is_cleared(stage: Stage) -> list[Row]:
    """Ann clears the history for everybody."""
    await stage.ann.bot.clear_chat_history(stage.group, for_all=True)
    return [
        row("cleared_chat_history", **stage.in_group()),
        await stage.system(stage.in_group(), 23, "clear_chat_history"),
    ]


@step
async def somebody_leaves(stage: Stage) -> list[Row]:
    """Bob leaves the group by deleting it on his side."""
    await stage.bob.bot.delete_chat(stage.group)
    when, about = await stage.moment("removeChatParticipant"), {"user_id": stage.bob.id}
    return [
        row("removed_chat_participant", **stage.in_group(), **by(stage.bob), timestamp=when, **about),
        await stage.system(stage.in_group(), 2, "remove_participant", **about),
    ]


@step
async def robot_is_added_to_a_channel(stage: Stage) -> list[Row]:
    """Ann makes a channel with the robot in it."""
    stage.channel = (await stage.ann.bot.create_channel("News")).chat_id
    await stage.ann.bot.add_participant_to_chat(stage.channel, "robot")
    added = {"user_id": ROBOT, "timestamp": await stage.moment("addChatParticipant"), **by(stage.ann)}
    first = row("added_chat_participant", chat_id=stage.channel, chat=ANY, chat_type=ANY, **added)
    where = {"chat_id": stage.channel, "chat": ANY, "chat_type": ANY} if stage.is_flat else stage.in_channel()
    second = await stage.system(where, 1, "add_participant", user_id=ROBOT, role="user")
    await stage.known(stage.channel)
    return [first, second]


@step
async def words_in_a_channel(stage: Stage) -> list[Row]:
    """Ann writes into the channel."""
    sent = await stage.ann.bot.send_message(stage.channel, "Version 5 is out")
    return [message(stage.in_channel(), stage.ann, sent, text="Version 5 is out", parse_mode="text")]


@step
async def writer_in_a_channel(stage: Stage) -> list[Row]:
    """Bob is added to the channel, made a writer, and writes."""
    await stage.ann.bot.add_participant_to_chat(stage.channel, "bob")
    added = await stage.moment("addChatParticipant")
    await stage.ann.bot.change_participant_role(stage.channel, "bob", "writer")
    changed = await stage.moment("changeParticipantRole")
    sent = await stage.bob.bot.send_message(stage.channel, "first!")
    where, about = stage.in_channel(), {"user_id": stage.bob.id}
    return [
        row("added_chat_participant", **where, **by(stage.ann), timestamp=added, **about),
        await stage.system(where, 1, "add_participant", **about, role="user"),
        row("changed_participant_role", **where, timestamp=changed, **about, role="writer"),
        await stage.system(where, 110, "participant_role", **about, role="writer"),
        message(where, stage.bob, sent, text="first!", parse_mode="text"),
    ]


@step
async def channel_is_deleted(stage: Stage) -> list[Row]:
    """Ann, who owns the channel, deletes it."""
    await stage.ann.bot.delete_chat(stage.channel)
    return [row("removed_chat", **stage.in_channel())]


@step
async def robot_is_removed(stage: Stage) -> list[Row]:
    """Ann removes the robot from the group; what is said there afterwards does not reach it."""
    await stage.ann.bot.remove_participant_from_chat(stage.group, "robot", clear_history=False)
    when = await stage.moment("removeChatParticipant")
    await stage.ann.bot.send_message(stage.group, "after the robot left")
    return [row("removed_chat_participant", **stage.in_group(), **by(stage.ann), timestamp=when, user_id=ROBOT)]


@step
async def last_word(stage: Stage) -> list[Row]:
    """Ann says in private that this is the end."""
    sent = stage.said["end"] = await stage.ann.bot.send_message(stage.private, "the end")
    return [message(stage.in_private(), stage.ann, sent, text="the end", parse_mode="text")]
