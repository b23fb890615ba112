"""What tcnb does reaches the handlers of the official client, and the other way round, with the right values."""

from __future__ import annotations

import asyncio

import pytest
from trueconf.enums import ChatType, MessageType, ParseMode

import tcnb

from . import voices
from .voices import Official, picture

ROBOT = "robot@practice.local"

TEXTS = [
    ("text", "1 < 2 & **stars** <b>stay</b>\nsecond line 🙂"),
    ("markdown", "**bold**, [link](https://example.com/?a=1&b=2) and > 1"),
    ("html", '<b>bold</b> &amp; <a href="trueconf:ann@practice.local">Ann</a><br>next'),
]


def own_row(tc: tcnb.Session, message_id: str) -> dict[str, object]:
    """Return the one row of a message that tcnb sent, without what is missing there."""
    (found,) = tc.df[tc.df["message_id"] == message_id].to_dict("records")
    assert found["direction"] == "out"
    return found


# -- from tcnb to the official client ------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "text"), TEXTS)
async def test_text_reaches_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str, mode: str, text: str
) -> None:
    """A text arrives unchanged, with its mode, id, time, author and chat."""
    sent = await tc.asend("Release crew", text, parse_mode=mode)
    got = await ann.heard()
    assert (got.content.text, got.content.parse_mode) == (text, ParseMode(mode))
    assert (got.message_id, got.timestamp, got.author.id) == (sent.message_id, sent.timestamp, ROBOT)
    assert (got.chat.chat_id, got.chat.chat_title, got.chat.chat_type) == (chat, "Release crew", ChatType.GROUP)
    assert (got.type, got.is_edited, got.reply_message_id) == (MessageType.PLAIN_MESSAGE, False, None)


async def test_text_of_the_greatest_length_reaches_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str
) -> None:
    """4096 characters arrive as 4096 characters."""
    await tc.asend(chat, "ё" * 4096)
    assert (await ann.heard()).text == "ё" * 4096


async def test_reply_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A reply arrives with the message that it answers."""
    question = await ann.bot.send_message(chat, "status?")
    await tc.asend(chat, "all green", reply_to=question.message_id)
    answer = await ann.heard()
    assert (answer.text, answer.reply_message_id) == ("all green", question.message_id)
    assert answer.reply_message.text == "status?"


async def test_shortcut_of_a_typed_message_reaches_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str
) -> None:
    """What is waited for is a message that can be answered right away, with a quotation."""
    coming = await voices.waiting(tc, chat=chat, sender="ann")
    asked = await ann.bot.send_message(chat, "shall we ship it?")
    question = await coming
    assert (question.message_id, question.text, question.author.id) == (asked.message_id, "shall we ship it?", ann.id)
    await question.reply("Yes", quote="ship it")
    answer = await ann.heard()
    assert (answer.reply_message_id, answer.quote) == (asked.message_id, "ship it")


@pytest.mark.parametrize(("form", "name"), [("PNG", "кот.png"), ("JPEG", "cat.jpg"), ("WEBP", "cat.webp")])
async def test_photo_reaches_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str, form: str, name: str
) -> None:
    """A photo arrives as one: its bytes unchanged, with a preview, and its caption behind it."""
    data = picture(form)
    file = tcnb.BufferedInputFile(data, name)
    sent = await tc.asend_photo(chat, file, "a <b>cat</b>", parse_mode="html")
    got, caption = await ann.heard(), await ann.heard()
    assert (got.message_id, got.photo.file_id) == (sent.message_id, sent.file_id)
    assert (got.photo.file_name, got.photo.file_size, got.photo.mime_type) == (
        name,
        len(data),
        f"image/{form.lower()}",
    )
    assert await got.photo.download() == data
    assert (caption.message_id, caption.text) == (sent.caption_message_id, "a <b>cat</b>")
    (preview,) = (await ann.bot.get_file_info(sent.file_id)).previews
    assert preview.mimetype.startswith("image/")


async def test_sticker_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A WebP sticker arrives as a sticker, its bytes unchanged."""
    data = picture("WEBP", "gold", (256, 256))
    sent = await tc.asend_sticker(chat, tcnb.BufferedInputFile(data, "hi.webp"))
    got = await ann.heard()
    assert (got.message_id, got.sticker.mime_type) == (sent.message_id, "sticker/webp")
    assert await got.sticker.download() == data


async def test_document_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A document arrives as an answer, with its name, type and bytes, and its caption behind it."""
    asked = await ann.bot.send_message(chat, "where are the numbers?")
    data = "имя;число\r\n".encode() * 1000
    file = tcnb.BufferedInputFile(data, "отчёт.csv")
    sent = await tc.asend_document(chat, file, "**Q3**", parse_mode="markdown", reply_to=asked.message_id)
    got, caption = await ann.heard(), await ann.heard()
    assert (got.message_id, got.reply_message_id) == (sent.message_id, asked.message_id)
    assert (got.document.file_name, got.document.mime_type) == ("отчёт.csv", "text/csv")
    assert await got.document.download() == data
    assert (caption.content.text, caption.content.parse_mode) == ("**Q3**", ParseMode.MARKDOWN)


async def test_edit_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """An edit arrives with its new text and its time, and the message says that it was edited."""
    sent = await tc.asend(chat, "all gren")
    edited = await tc.bot.edit_message(sent.message_id, "<b>all green</b>", "html")
    told = await ann.heard("edited_message")
    assert (told.chat_id, told.content.text, told.timestamp) == (chat, "<b>all green</b>", edited.timestamp)
    assert (await ann.bot.get_message_by_id(sent.message_id)).is_edited


async def test_removal_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A removal arrives with the id of the message and who removed it."""
    sent = await tc.asend(chat, "oops")
    await tc.bot.remove_message(sent.message_id, for_all=True)
    told = await ann.heard("removed_message")
    assert (told.chat_id, told.message_id, told.removed_by.id) == (chat, sent.message_id, ROBOT)


async def test_forward_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A forwarded message arrives with its original and its author."""
    note = await ann.bot.send_message(chat, "see notes")
    sent = await tc.bot.forward_message(chat, note.message_id)
    got = await ann.heard()
    assert (got.message_id, got.type, got.author.id) == (sent.message_id, MessageType.FORWARDED_MESSAGE, ROBOT)
    assert (got.forwarded_message.text, got.forwarded_message.author.id) == ("see notes", ann.id)


async def test_survey_reaches_the_official_client(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A survey arrives with its title and its campaign."""
    await tc.bot.send_survey(chat, "Lunch choice", "k7Qm2xZ0pd")
    got = await ann.heard()
    assert (got.type, got.content.title, got.content.path) == (MessageType.SURVEY, "Lunch choice", "k7Qm2xZ0pd")


async def test_group_of_tcnb_reaches_the_official_client(ann: Official, tc: tcnb.Session) -> None:
    """Joining, a new role, a new title and leaving arrive as what they are."""
    group = (await tc.bot.create_group_chat("Night shift")).chat_id
    await tc.bot.add_participant_to_chat(group, "ann", display_history=True)
    joined = await ann.heard("added_chat_participant")
    assert (joined.chat_id, joined.user_id, joined.added_by.id) == (group, ann.id, ROBOT)
    await tc.bot.change_participant_role(group, "ann", tcnb.enums.ChatParticipantRole.ADMIN)
    assert (await ann.heard("changed_participant_role")).role == "admin"
    await tc.bot.edit_chat_title(group, "Day shift")
    assert (await ann.heard("edited_chat_title")).title == "Day shift"
    await tc.bot.remove_participant_from_chat(group, "ann")
    assert (await ann.heard("removed_chat_participant")).user_id == ann.id


async def test_channel_of_tcnb_reaches_the_official_client(ann: Official, tc: tcnb.Session) -> None:
    """What is written into a channel arrives from a channel, until it is deleted."""
    channel = (await tc.bot.create_channel("News")).chat_id
    await tc.bot.add_participant_to_chat(channel, "ann")
    await tc.asend(channel, "Version 5 is out")
    got = await ann.heard()
    assert (got.text, got.chat.chat_type, got.chat.chat_title) == ("Version 5 is out", ChatType.CHANNEL, "News")
    await tc.bot.delete_chat(channel)
    assert (await ann.heard("removed_chat")).chat_id == channel


async def test_what_tcnb_sends_stands_in_its_own_frame(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """Own messages become rows with direction out, the ids and times of which are those that the other got."""
    text = await tc.asend(chat, "**Build** 42", parse_mode="markdown")
    file = await tc.asend_document(chat, tcnb.BufferedInputFile(b"numbers", "q3.csv"), "Q3")
    heard = [await ann.heard() for _ in range(3)]
    rows = [own_row(tc, message_id) for message_id in (text.message_id, file.message_id, file.caption_message_id or "")]
    assert [row["message_id"] for row in rows] == [got.message_id for got in heard]
    assert [row["timestamp"].timestamp() * 1000 for row in rows][:2] == [got.timestamp for got in heard][:2]
    assert [row["text"] for row in rows][::2] == ["Build 42", "Q3"]
    assert (rows[1]["file_id"], rows[1]["file_name"], rows[1]["file_size"]) == (file.file_id, "q3.csv", 7)


async def test_order_of_many_messages_is_kept_both_ways(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A hundred messages each way arrive in the order in which they were sent."""
    for number in range(100):
        await tc.asend(chat, f"down {number}")
        await ann.bot.send_message(chat, f"up {number}")
    assert [(await ann.heard()).text for _ in range(100)] == [f"down {number}" for number in range(100)]
    await voices.until(tc, lambda: (tc.df["text"] == "up 99").any())
    texts = tc.df[(tc.df["event"] == "message") & (tc.df["direction"] == "in")]["text"].dropna().tolist()
    assert texts == [f"up {number}" for number in range(100)]


# -- from the official client to tcnb ------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "text"), TEXTS)
async def test_text_of_the_official_client_is_typed(
    ann: Official, tc: tcnb.Session, chat: str, mode: str, text: str
) -> None:
    """A text of the official client is a message with its markup, mode, author and chat."""
    coming = await voices.waiting(tc, chat=chat)
    sent = await ann.bot.send_message(chat, text, parse_mode=mode)
    got = await coming
    assert isinstance(got, tcnb.Message)
    assert (got.text, got.content.parse_mode, got.message_id) == (text, mode, sent.message_id)
    assert (got.author.id, got.chat.chat_title, got.timestamp) == (ann.id, "Release crew", sent.timestamp)


async def test_read_mark_reaches_the_server(ann: Official, tc: tcnb.Session, chat: str, practice) -> None:
    """What the official client sent is acknowledged by tcnb, so that its author sees it as read."""
    sent = await ann.bot.send_message(chat, "did you see this?")
    read = practice.server.until(lambda: practice.server.world.is_read(ROBOT, sent.message_id))
    await asyncio.to_thread(practice.run, read)


async def test_history_of_the_official_client_is_read(ann: Official, tc: tcnb.Session) -> None:
    """What was said before tcnb came is read with the same values as what it heard live."""
    group = (await ann.bot.create_group_chat("Archive")).chat_id
    sent = [await ann.bot.send_message(group, f"<b>note</b> {number}", parse_mode="html") for number in range(120)]
    await ann.bot.remove_message(sent[7].message_id, for_all=True)
    await ann.bot.add_participant_to_chat(group, "robot", display_history=True)
    past = await tc.ahistory("Archive", 1000)
    written = past[past["author_id"] == ann.id]
    assert written["text"].tolist() == [f"note {number}" for number in range(120) if number != 7]
    kept = [answer for number, answer in enumerate(sent) if number != 7]
    assert written["message_id"].tolist() == [answer.message_id for answer in kept]
    assert [time.timestamp() * 1000 for time in written["timestamp"]] == [answer.timestamp for answer in kept]
