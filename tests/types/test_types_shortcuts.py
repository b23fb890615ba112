"""The shortcuts of messages, files and presses of buttons, and the properties that tell what a message carries."""

from __future__ import annotations

import inspect
import io
import pickle

import pytest
from matplotlib.figure import Figure
from PIL import Image
from wire_samples import (
    ATTACHMENT,
    BUTTONS,
    CHAT_ID,
    FILE_INFO,
    NEW_ENVELOPE,
    NOTIFICATIONS,
    OLD_ENVELOPE,
    RESPONSES,
    VOICE,
    user_envelope,
)

from tcnb.client.bot import Bot
from tcnb.errors import ApiErrorException, FileDownloadError, NotAnImageError, NotConnectedError, UsageError
from tcnb.types import (
    BotLike,
    BufferedInputFile,
    Contact,
    GetChatHistoryResponse,
    GetChatsResponse,
    GetFileInfoResponse,
    GetMessageByIdResponse,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    parse_envelope,
    parse_event,
)
from tcnb.types.enums import MessageType, ParseMode


class RecordingBot:
    """A stub of a bot that remembers how its methods were called; it is connected to nothing."""

    me_id = "robot@video.example.com"

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    @property
    async def me_chat(self):
        return "favorites"

    def __getattr__(self, name):
        async def method(*arguments, **options):
            self.calls.append((name, arguments, options))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return method

    @property
    def call(self):
        """The only call there was, as name and keyword arguments."""
        ((name, arguments, options),) = self.calls
        assert not arguments
        return name, options


@pytest.fixture
def bot():
    """Give a stub of a bot."""
    return RecordingBot()


@pytest.fixture
def message(bot):
    """Give a text message bound to the stub."""
    return parse_envelope(NEW_ENVELOPE).bind(bot)


def text_message(text, parse_mode="html"):
    """Return a text message."""
    return parse_envelope(user_envelope(200, {"text": text, "parseMode": parse_mode}))


def png(tmp_path, name="cat.png"):
    """Return the path of a small image."""
    path = tmp_path / name
    Image.new("RGB", (8, 6)).save(path)
    return path


async def test_answer_sends_a_text_to_the_same_chat(bot, message):
    """`answer` is `send_message` with the chat filled in."""
    await message.answer("hello")
    assert bot.call == ("send_message", {"chat_id": CHAT_ID, "text": "hello", "parse_mode": ParseMode.HTML})


async def test_answer_takes_buttons(bot, message):
    """A keyboard is handed on."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Go", command="/go")]])
    await message.answer("hello", ParseMode.TEXT, buttons=keyboard)
    assert bot.call[1]["buttons"] is keyboard


async def test_reply_answers_the_very_message(bot, message):
    """`reply` is `reply_message` with chat and message filled in."""
    await message.reply("hello", ParseMode.MARKDOWN)
    assert bot.call == (
        "reply_message",
        {"chat_id": CHAT_ID, "message_id": message.message_id, "text": "hello", "parse_mode": ParseMode.MARKDOWN},
    )


async def test_reply_with_buttons_is_a_message_that_answers(bot, message):
    """A reply with a keyboard needs `send_message`."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Go", command="/go")]])
    await message.reply("hello", buttons=keyboard)
    assert bot.call == (
        "send_message",
        {
            "chat_id": CHAT_ID,
            "text": "hello",
            "parse_mode": ParseMode.HTML,
            "reply_message_id": message.message_id,
            "buttons": keyboard,
        },
    )


@pytest.mark.parametrize(
    ("parse_mode", "text", "sent", "sent_mode"),
    [
        (ParseMode.HTML, "<b>Yes</b>", '<quote class="reply">all green</quote><br><br><b>Yes</b>', ParseMode.HTML),
        (ParseMode.TEXT, "1 < 2\nso", '<quote class="reply">all green</quote><br><br>1 &lt; 2<br>so', ParseMode.HTML),
        (ParseMode.MARKDOWN, "**Yes**", "> all green\n\n**Yes**", ParseMode.MARKDOWN),
    ],
)
async def test_reply_can_quote(bot, message, parse_mode, text, sent, sent_mode):
    """A quoted part of the message stands above the answer, as `protocol` section 10.3 wants it."""
    await message.reply(text, parse_mode, quote="all green")
    assert (bot.call[1]["text"], bot.call[1]["parse_mode"]) == (sent, sent_mode)


@pytest.mark.parametrize("quote", ["all red", " "])
async def test_quote_must_be_in_the_message(message, quote):
    """A quote that is not in the message is refused."""
    with pytest.raises(UsageError, match="quote"):
        await message.reply("hello", quote=quote)


async def test_quoted_reply_is_read_as_it_was_written(bot, message):
    """What `reply` writes, `quote` and `text` read."""
    await message.reply("Yes", quote="all green")
    received = text_message(bot.call[1]["text"])
    assert (received.quote, received.text) == ("all green", "Yes")


async def test_forward_and_delete(bot, message):
    """`forward` and `delete` fill in the message."""
    await message.forward("other")
    await message.delete(for_all=True)
    assert bot.calls == [
        ("forward_message", (), {"chat_id": "other", "message_id": message.message_id}),
        ("remove_message", (), {"message_id": message.message_id, "for_all": True}),
    ]


async def test_copy_says_the_same_text_without_its_quote(bot):
    """A copy has the text and its mode, and neither author nor quote."""
    await text_message('<quote class="reply">q</quote><br><br><b>x</b>').bind(bot).copy_to("other")
    assert bot.call == ("send_message", {"chat_id": "other", "text": "<b>x</b>", "parse_mode": "html"})


async def test_copy_of_a_file_is_left_out_with_a_warning(bot, caplog):
    """Only texts are copied; the log says so."""
    assert await parse_envelope(user_envelope(202, ATTACHMENT)).bind(bot).copy_to("other") is None
    assert not bot.calls
    assert "ATTACHMENT" in caplog.text


@pytest.mark.parametrize(("copy", "name"), [(False, "forward_message"), (True, "send_message")])
async def test_message_is_saved_to_favorites(bot, message, copy, name):
    """Favorites are a chat like others."""
    await message.save_to_favorites(copy=copy)
    assert (bot.call[0], bot.call[1]["chat_id"]) == (name, "favorites")


async def test_photo_of_the_page_and_of_the_newer_client(bot, message, tmp_path):
    """`file_path, preview_path` of the page and `file, preview` of the newer client mean the same."""
    path = str(png(tmp_path))
    await message.answer_photo(path, path)
    await message.answer_photo(file_path=path, preview_path=path)
    await message.answer_photo(file=path, preview=path)
    for name, _, options in bot.calls:
        assert name == "send_photo"
        assert options["chat_id"] == CHAT_ID
        assert options["file"].filename == options["preview"].filename == "cat.png"


async def test_photo_without_a_preview_leaves_it_to_the_bot(bot, message, tmp_path):
    """A preview that is not given is not handed on; None is, as it is."""
    path = png(tmp_path)
    await message.answer_photo(path, caption="cat", parse_mode="markdown")
    await message.answer_photo(path, None)
    assert "preview" not in bot.calls[0][2]
    assert bot.calls[0][2]["caption"] == "cat"
    assert bot.calls[1][2]["preview"] is None


@pytest.mark.parametrize("shortcut", ["answer_photo", "answer_document", "answer_sticker"])
async def test_whatever_stands_for_a_file_is_taken(bot, message, tmp_path, shortcut):
    """A path, bytes, a URL, a file object, an image and a figure can all be sent."""
    path, figure = png(tmp_path), Figure(figsize=(2, 1))
    figure.add_subplot().plot([1, 2])
    sources = [
        str(path),
        path,
        path.read_bytes(),
        io.BytesIO(path.read_bytes()),
        "https://x.example/cat.png",
        BufferedInputFile.from_file(path),
        Image.new("RGB", (8, 6)),
        figure,
    ]
    for source in sources:
        await getattr(message, shortcut)(source)
    names = [options["file"].filename for _, _, options in bot.calls]
    assert names == ["cat.png", "cat.png", "image.png", "image.png", None, "cat.png", "image.png", "figure.png"]
    assert {name for name, _, _ in bot.calls} == {shortcut.replace("answer", "send")}


@pytest.mark.parametrize("shortcut", ["answer_photo", "answer_document", "answer_sticker"])
async def test_a_file_must_be_given_once(message, shortcut):
    """No file, or two, is an error of the call."""
    with pytest.raises(TypeError, match="one file"):
        await getattr(message, shortcut)()
    with pytest.raises(TypeError, match="one file"):
        await getattr(message, shortcut)(b"x", file=b"x")


@pytest.mark.parametrize("shortcut", ["answer_photo", "answer_sticker"])
async def test_what_is_no_image_is_no_photo(bot, message, shortcut):
    """A text is refused as a photo before anything is sent."""
    with pytest.raises(NotAnImageError):
        await getattr(message, shortcut)(b"plain text")
    assert not bot.calls


async def test_replies_with_files_answer_the_very_message(bot, message, tmp_path):
    """The reply shortcuts of the newer client fill in the message."""
    path = png(tmp_path)
    await message.reply_photo(path, None, "cat")
    await message.reply_document(path, "cat")
    await message.reply_sticker(path)
    assert [name for name, _, _ in bot.calls] == ["send_photo", "send_document", "send_sticker"]
    assert {options["reply_message_id"] for _, _, options in bot.calls} == {message.message_id}


async def test_unbound_message_says_what_to_do(bot):
    """A shortcut of a message without a bot is a clear error."""
    with pytest.raises(NotConnectedError, match=r"bind\(bot\)"):
        await parse_envelope(NEW_ENVELOPE).answer("hello")


def test_binding_reaches_everything_inside(bot):
    """Binding a message binds chat, replied message and file; binding a page binds its messages."""
    message = parse_envelope(NEW_ENVELOPE)
    assert message.bind(bot) is message
    assert message.bot is message.chat.bot is message.reply_message.bot is message.reply_message.chat.bot is bot
    forward = parse_envelope(user_envelope(201, OLD_ENVELOPE)).bind(bot)
    assert forward.forwarded_message.bot is bot
    attachment = parse_envelope(user_envelope(202, ATTACHMENT)).bind(bot)
    assert attachment.content.bot is attachment.document.bot is bot
    history = GetChatHistoryResponse.from_dict(RESPONSES["GetChatHistoryResponse"]).bind(bot)
    assert history.messages[0].bot is bot
    chats = GetChatsResponse.from_dict(RESPONSES["GetChatsResponse"]).bind(bot)
    assert chats.chats[0].last_message.bot is bot
    assert parse_event("command", NOTIFICATIONS["command"]).bind(bot).message.bot is bot


def test_binding_changes_neither_equality_nor_pickling(bot):
    """The bot is no part of what was said."""
    message = parse_envelope(NEW_ENVELOPE).bind(bot)
    assert message == parse_envelope(NEW_ENVELOPE)
    assert pickle.loads(pickle.dumps(message)) == message
    assert "bot" not in message.as_wire()


@pytest.mark.parametrize(
    ("mimetype", "kind"),
    [
        ("image/png", "photo"),
        ("IMAGE/PNG", "photo"),
        ("video/mp4", "video"),
        ("sticker/webp", "sticker"),
        ("application/pdf", "document"),
        ("audio/mpeg", "document"),
        ("text/vcard", "document"),
        ("", "document"),
    ],
)
def test_file_is_seen_as_one_kind(mimetype, kind):
    """A file is either photo, video, sticker or document, told by its MIME type."""
    message = parse_envelope(user_envelope(202, {**ATTACHMENT, "mimeType": mimetype}))
    seen = {name: getattr(message, name) for name in ("photo", "video", "sticker", "document")}
    assert [name for name, value in seen.items() if value is not None] == [kind]
    assert (seen[kind].file_id, seen[kind].file_name, seen[kind].file_size) == ("9d41", "plan.pdf", 48213)
    assert message.text is None


def test_text_has_no_files():
    """A text is neither file nor place."""
    message = text_message("x")
    asked = ("photo", "video", "sticker", "document", "voice", "location", "forwarded_message", "quote")
    assert {getattr(message, name) for name in asked} == {None}


def test_author_and_type_have_short_names(message):
    """`from_user` and `content_type` are the author and the type."""
    assert message.from_user is message.author
    assert message.content_type is message.type is MessageType.PLAIN_MESSAGE


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("@all", True),
        (" @all ", True),
        ("hello @all", None),
        ('<a href="trueconf:robot@video.example.com">Robot</a> hi', True),
        ('<a href="trueconf:ROBOT@video.example.com/7b1e">Robot</a> hi', True),
        ("<a href='trueconf:robot@video.example.com&amp;do=profile'>Robot</a>", True),
        ('<a href="trueconf:robot@video.example.com?k=v">Robot</a>', True),
        ("[Robot](trueconf:robot@video.example.com)", True),
        ('<a href="trueconf:bob@video.example.com">Bob</a>', None),
        ('<a href="trueconf:robot@video.example.com.evil">x</a>', None),
        ("robot@video.example.com", None),
    ],
)
def test_mention_of_the_bot(bot, text, mentioned):
    """A mention is a link to the bot's id, cut at its resource and its options, or `@all`."""
    assert text_message(text).bind(bot).mention is mentioned


@pytest.mark.parametrize(
    ("text", "quote", "rest"),
    [
        ('<quote class="reply">a &lt; b</quote><br><br>Thank you', "a < b", "Thank you"),
        ('<quote class="reply">a\nb</quote><br/>Thank you', "a\nb", "Thank you"),
        ('<quote class="reply">a</quote>Thank you', "a", "Thank you"),
        ("Thank you", None, "Thank you"),
    ],
)
def test_quote_and_text_are_told_apart(text, quote, rest):
    """The quote a text begins with is no part of the text."""
    message = text_message(text)
    assert (message.quote, message.text) == (quote, rest)


async def test_contact_of_a_user_is_named_by_the_server():
    """A link to a profile is a contact with the name the server gives."""
    answer = type("Answer", (), {"display_name": "Carol Roe"})()
    bot = RecordingBot(get_user_display_name=answer)
    message = text_message('<a href="trueconf:carol@video.example.com&do=profile">Carol</a>').bind(bot)
    expected = Contact(user_id="carol@video.example.com", first_name="Carol Roe")
    assert [await message.contact, await message.contact] == [expected, expected]
    assert len(bot.calls) == 1


async def test_contact_of_a_vanished_user_is_named_by_the_link():
    """If the server does not know the user, the link's own text is the name."""
    bot = RecordingBot(get_user_display_name=ApiErrorException(399, "no such user"))
    message = text_message('<a href="trueconf:carol@video.example.com&amp;do=profile">Carol &amp; co</a>').bind(bot)
    assert (await message.contact).first_name == "Carol & co"


@pytest.mark.parametrize("text", ["hello", '<a href="trueconf:carol@x">Carol</a> said'])
async def test_text_is_no_contact(bot, text):
    """Only a message that is nothing but a link to a profile is a contact."""
    assert await text_message(text).bind(bot).contact is None
    assert not bot.calls


async def test_contact_card_is_downloaded():
    """A card is fetched and read."""
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Roe;Carol;;;\r\nTEL:+1555\r\nEND:VCARD\r\n"
    bot = RecordingBot(download_file_by_id=card)
    message = parse_envelope(user_envelope(202, {**ATTACHMENT, "mimeType": "text/vcard"})).bind(bot)
    contact = await message.contact
    assert (contact.first_name, contact.last_name, contact.phone_number) == ("Carol", "Roe", "+1555")


async def test_contact_card_that_never_arrives_is_none():
    """A card that cannot be downloaded is no contact."""
    bot = RecordingBot(download_file_by_id=FileDownloadError("it never became ready"))
    message = parse_envelope(user_envelope(202, {**ATTACHMENT, "mimeType": "text/vcard"})).bind(bot)
    assert await message.contact is None


@pytest.mark.parametrize("content", [ATTACHMENT, VOICE])
async def test_file_of_a_message_can_be_downloaded(content, tmp_path):
    """Files and voice messages know their address and can be downloaded, in the size that the message tells."""
    bot = RecordingBot(get_file_info=GetFileInfoResponse.from_dict(FILE_INFO), download_file_by_id=b"x")
    kind = 205 if content is VOICE else 202
    message = parse_envelope(user_envelope(kind, content)).bind(bot)
    for file in (message.content, message.voice or message.document):
        assert await file.url == FILE_INFO["downloadUrl"]
        assert await file.preview_url == FILE_INFO["previews"][0]["downloadUrl"]
        assert await file.download(file_path=tmp_path) == b"x"
    assert bot.calls[2] == (
        "download_file_by_id",
        (content["fileId"],),
        {"file_path": tmp_path, "size": content["size"]},
    )


async def test_file_is_downloaded_into_a_new_folder(tmp_path):
    """Of a folder that a file shall be in the bot is told that it is one."""
    bot = RecordingBot()
    document = parse_envelope(user_envelope(202, ATTACHMENT)).bind(bot).document
    await document.download(tmp_path / "new" / "folder")
    given = {"file_path": None, "size": ATTACHMENT["size"]}
    assert bot.calls == [("download_file_by_id", ("9d41", tmp_path / "new" / "folder"), given)]


@pytest.mark.parametrize("name", [name for name in vars(BotLike) if not name.startswith("_")])
def test_our_bot_has_what_shortcuts_call(name):
    """The bot that objects are bound to takes every argument that a shortcut may give, in the same places."""
    ours = getattr(Bot, name)
    if not inspect.iscoroutinefunction(vars(BotLike)[name]):
        assert not callable(ours)
        return
    wanted, taken = (inspect.signature(method).parameters for method in (vars(BotLike)[name], ours))
    assert [parameter for parameter in taken if parameter in wanted] == list(wanted)
    by_position = [other for other in wanted if wanted[other].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert list(taken)[: len(by_position)] == by_position


async def test_file_without_a_preview_has_no_address_of_one():
    """A file that is still arriving has neither address."""
    info = GetFileInfoResponse.from_dict({**FILE_INFO, "previews": None, "downloadUrl": None})
    document = parse_envelope(user_envelope(202, ATTACHMENT)).bind(RecordingBot(get_file_info=info)).document
    assert (await document.url, await document.preview_url) == (None, None)


def press(**more):
    """Return the press of a button, and the stub it is bound to."""
    current = user_envelope(200, {"text": "Deploy?", "parseMode": "text", "buttons": BUTTONS})
    bot = RecordingBot(get_message_by_id=GetMessageByIdResponse.from_dict(current))
    return parse_event("command", {**NOTIFICATIONS["command"], **more}).bind(bot), bot


def test_press_tells_command_and_message():
    """A press knows its command, its data, its message and its chat."""
    query, _ = press()
    assert (query.command, query.custom_data) == ("/approve", "req=17")
    assert isinstance(query.message, Message)
    assert query.chat.chat_title == "Release crew"


async def test_press_changes_text_and_keeps_the_buttons():
    """Buttons are asked for where they are to stay, since the server replaces everything."""
    query, bot = press()
    await query.edit_message("Deploying", ParseMode.TEXT)
    assert [name for name, _, _ in bot.calls] == ["get_message_by_id", "edit_message"]
    options = bot.calls[1][2]
    assert (options["text"], options["parse_mode"]) == ("Deploying", ParseMode.TEXT)
    assert options["buttons"].to_wire() == BUTTONS


async def test_press_takes_the_buttons_away():
    """With None the keyboard goes and the text stays."""
    query, bot = press()
    await query.edit_message(buttons=None)
    assert bot.call == (
        "edit_message",
        {"message_id": query.message.message_id, "text": "all green", "parse_mode": "html", "buttons": None},
    )


async def test_press_without_a_message_cannot_change_it():
    """A press that came without its message says so."""
    query, _ = press(commandSource={"type": "inlineKeyboard"})
    assert query.chat is None
    with pytest.raises(UsageError, match="no text"):
        await query.edit_message("x")


async def test_press_is_answered_where_the_server_lets_it():
    """An answer needs the id of the press, which 5.5.6 does not send."""
    query, bot = press(commandId="cmd-1")
    await query.answer("Done", answer_type="complete", status="ok")
    assert bot.call[0] == "answer_command"
    assert bot.call[1]["command_id"] == "cmd-1"
    with pytest.raises(UsageError, match="commandId"):
        await press()[0].answer("Done", answer_type="complete")
