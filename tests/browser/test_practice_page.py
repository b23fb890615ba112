"""The practice server's chat page in Chromium: a person at the page, a bot's session at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from browser_pages import SLOW, ChatPage, a_picture

import tcnb
from tcnb.practice import PracticeServer, PracticeThread
from tcnb.types import InlineKeyboardButton, InlineKeyboardMarkup

ACCOUNTS = ("robot:robot:Robot", "second:second:Courier")


@pytest.fixture
def practice() -> Iterator[PracticeThread]:
    """A practice server with two bots and six colleagues who only do what a person makes them do."""
    with PracticeThread(accounts=ACCOUNTS, people=6, rate=0, seed=3, history=150) as thread:
        yield thread


@pytest.fixture
def chat_page(browser, practice) -> Iterator[ChatPage]:
    """The page in a window of its own; a mistake in its script fails the test."""
    context = browser.new_context(viewport={"width": 1100, "height": 760}, locale="en-GB")
    page, problems = context.new_page(), []
    page.set_default_timeout(SLOW)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield ChatPage(page, practice.url, problems)
    context.close()
    assert problems == []


def incoming(tc: tcnb.Session, event: str = "message") -> list[Any]:
    """Give the rows of an event that came in."""
    frame = tc.df
    chosen = frame[(frame["event"] == event) & (frame["direction"] == "in")].astype(object)
    return list(chosen.where(chosen.notna(), None).itertuples())


def send_with_buttons(practice: PracticeThread, tc: tcnb.Session, text: str, *row: InlineKeyboardButton) -> None:
    """Let the bot send Alice a text with a row of buttons; in another thread, since Playwright has this one's loop."""

    def personal_chat(server: PracticeServer) -> str:
        robot, alice = server.world.account("robot"), server.world.user("alice@practice.local")
        assert robot is not None
        return server.world.create_p2p(robot, alice).chat_id

    async def send() -> None:
        chat_id, buttons = practice.call(personal_chat), InlineKeyboardMarkup([list(row)])
        await tc.bot.send_message(chat_id, text, "markdown", buttons=buttons)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, send()).result()


def test_text_arrives_and_is_marked_as_read(chat_page, tc, until):
    """What a person writes is a row of the bot's record, and its read mark appears."""
    chat_page.open()
    chat_page.write("Is build 42 good?")
    until(tc, lambda: any(row.text == "Is build 42 good?" and row.author == "Alice Doe" for row in incoming(tc)))
    chat_page.message("Is build 42 good?").get_by_label("Read by Robot").wait_for()


def test_message_nobody_read_is_not_marked_as_read(chat_page):
    """Without a bot a message is only sent."""
    chat_page.open()
    chat_page.write("Anybody there?")
    chat_page.message("Anybody there?").get_by_label("Sent, not read yet").wait_for()


def test_pressed_button_gives_the_bot_a_callback_query(chat_page, practice, tc, until):
    """The bot's message appears with its buttons, and pressing one is a row `callback_query`."""
    chat_page.open()
    button = InlineKeyboardButton("Deploy", command="deploy", custom_data="42")
    send_with_buttons(practice, tc, "Build **42** passed", button)
    message = chat_page.message("Build 42 passed")
    assert message.locator(".text b").inner_text() == "42"
    message.get_by_role("button", name="Deploy").click()
    until(tc, lambda: incoming(tc, "callback_query"))


def test_buttons_that_look_alike_are_told_apart(chat_page, practice, tc, until):
    """Of buttons with one label, the one that is clicked is pressed."""
    chat_page.open()
    send_with_buttons(practice, tc, "Your turn", *(InlineKeyboardButton(".", command=f"cell:{n}") for n in range(3)))
    chat_page.message("Your turn").get_by_role("button", name=".", exact=True).nth(1).click()
    until(tc, lambda: incoming(tc, "callback_query"))
    assert [row.text for row in incoming(tc, "callback_query")] == ["cell:1"]


def test_reply_edit_and_delete_are_heard(chat_page, tc, until):
    """A person replies to the bot, edits what was said and deletes it, with mouse and keyboard."""
    chat_page.open()
    sent = tc.send("alice", "Shall I deploy?")
    chat_page.message("Shall I deploy?").hover()
    chat_page.message("Shall I deploy?").get_by_role("button", name="Reply").click()
    chat_page.write("Yess")
    until(tc, lambda: any(row.text == "Yess" and row.reply_to == sent.message_id for row in incoming(tc)))
    chat_page.message("Yess").wait_for()
    chat_page.page.get_by_label("Write a message").press("ArrowUp")
    chat_page.write("Yes, please")
    until(tc, lambda: any(row.text == "Yes, please" for row in incoming(tc, "edited_message")))
    own = chat_page.message("Yes, please")
    assert own.locator(".quoted").inner_text() == "Robot\nShall I deploy?"
    own.get_by_role("button", name="Delete").focus()
    chat_page.page.keyboard.press("Enter")
    until(tc, lambda: incoming(tc, "removed_message"))
    own.wait_for(state="detached")


def test_pictures_files_and_stickers_arrive(chat_page, tc, until):
    """A chosen picture, a dropped file and stickers reach the bot as what they are, and are shown."""
    chat_page.open()
    page = chat_page.page
    page.set_input_files("#file", {"name": "sky.png", "mimeType": "image/png", "buffer": a_picture()})
    until(tc, lambda: any((row.file_name, row.mime_type) == ("sky.png", "image/png") for row in incoming(tc)))
    page.get_by_alt_text("sky.png").wait_for()
    page.wait_for_function("document.querySelector('img[alt=\"sky.png\"]').naturalWidth === 320")
    drop = "(data) => { data.items.add(new File(['a,b'], 'table.csv', { type: 'text/csv' })); return data; }"
    data = page.evaluate_handle(f"() => ({drop})(new DataTransfer())")
    page.locator("#scroller").dispatch_event("dragover", {"dataTransfer": data})
    page.locator("#scroller").dispatch_event("drop", {"dataTransfer": data})
    until(tc, lambda: any(row.file_name == "table.csv" and row.file_size == 3 for row in incoming(tc)))
    page.get_by_role("button", name="Send a sticker").click()
    page.get_by_role("button", name="Sticker 4").click()
    page.set_input_files("#sticker-file", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": a_picture("JPEG")})
    names = {"sticker-4.webp", "me.webp"}
    until(tc, lambda: names <= {row.file_name for row in incoming(tc) if row.mime_type == "sticker/webp"})
    page.locator("img.sticker").nth(1).wait_for()


def test_markup_is_only_what_is_allowed(chat_page, practice):
    """Tags and links that are not on the list are neither nodes nor links, even if the server let them through."""
    hostile = '<b>fat</b> <img src=x><script>alert(1)</script><a href="javascript:alert(1)">bad</a> <a href="https://a.example/">good</a>'

    def plant(server: Any) -> None:
        world = server.world
        robot, alice = world.account("robot"), world.user("alice@practice.local")
        message = world.say(robot, world.create_p2p(robot, alice).chat_id, "x", "html")
        message.content["text"] = hostile
        server.deliver()

    practice.call(plant)
    chat_page.open()
    text = chat_page.message("fat").locator(".text")
    assert text.locator("b").inner_text() == "fat"
    assert [link.get_attribute("href") for link in text.locator("a").all()] == ["https://a.example/"]
    assert text.locator("*").count() == 3


def test_two_people_talk_and_unread_is_counted(chat_page, tc):
    """What somebody else writes into a chat that is not open is counted beside it."""
    chat_page.open(chat="Release crew")
    tc.send("alice", "one")
    tc.send("alice", "two")
    badge = chat_page.page.locator("#chats .entry", has_text="Robot").locator(".badge")
    badge.get_by_text("2", exact=True).wait_for()


def test_new_chat_and_place_are_kept_over_a_reload(chat_page, tc, until):
    """A person starts a chat with a bot; the page comes back to the same part and chat after a reload."""
    chat_page.open(person="Emma Clarke", chat=None)
    chat_page.page.get_by_label("New chat with").select_option(label="Courier (bot)")
    chat_page.page.get_by_role("heading", name="Courier").wait_for()
    chat_page.write("hello, courier")
    chat_page.message("hello, courier")
    chat_page.page.reload()
    chat_page.message("hello, courier")
    assert chat_page.page.get_by_label("You are").locator("option:checked").inner_text() == "Emma Clarke"


def test_page_speaks_russian_and_fits_a_telephone(browser, practice, screenshots):
    """In a Russian browser the labels are Russian; a narrow window shows either the chats or one of them."""
    context = browser.new_context(viewport={"width": 400, "height": 720}, locale="ru-RU", color_scheme="dark")
    page = context.new_page()
    page.goto(practice.url)
    page.get_by_label("Вы", exact=True).wait_for()
    page.locator("#chats").get_by_role("button").first.click()
    page.get_by_label("Напишите сообщение").wait_for()
    page.screenshot(path=screenshots / "practice-page-narrow-dark.png")
    assert page.locator("#side").is_hidden()
    page.get_by_role("button", name="К списку чатов").click()
    page.locator("#side").wait_for()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_conversation_looks_like_this(chat_page, practice, tc, until, screenshots, scheme):
    """A whole conversation, kept as a screenshot in light and in dark."""
    chat_page.page.emulate_media(color_scheme=scheme)
    chat_page.open()
    chat_page.write("Is build 42 good?")
    until(tc, lambda: any(row.text == "Is build 42 good?" for row in incoming(tc)))
    text = "Build **42** passed: _all_ 318 tests, [log](https://ci.example.com/42)\n> 2 slower than yesterday"
    deploy = InlineKeyboardButton("Deploy", command="deploy", style="primary")
    send_with_buttons(practice, tc, text, deploy, InlineKeyboardButton("Later", command="wait"))
    chat_page.message("Build 42 passed").get_by_role("button", name="Deploy").click()
    until(tc, lambda: incoming(tc, "callback_query"))
    chat_page.message("Build 42 passed").hover()
    chat_page.message("Build 42 passed").get_by_role("button", name="Reply").click()
    chat_page.write("Deploy it, thanks")
    chat_page.message("Deploy it, thanks").get_by_label("Read by Robot").wait_for()
    chat_page.page.get_by_role("button", name="Send a sticker").click()
    chat_page.page.get_by_role("button", name="Sticker 4").click()
    chat_page.page.locator("img.sticker").wait_for()
    chat_page.page.mouse.move(600, 5)
    chat_page.shoot(screenshots / f"practice-page-{scheme}.png")
