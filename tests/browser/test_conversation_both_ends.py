"""A person at the practice server's chat page talks with a bot in a notebook; both ends are pages of one Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_pages import SLOW, ChatPage, Notebook, a_picture

from tcnb.practice import PracticeThread

CONNECT = """\
import io

import tcnb
from PIL import Image, ImageOps
from tcnb.types import InlineKeyboardButton, InlineKeyboardMarkup

tc = tcnb.connect("127.0.0.1", username="robot", password="robot", https=False, web_port={port})
tc.feed()"""

ANSWER = """\
@tc.router.message(content="text")
async def echo(message):
    deploy = InlineKeyboardButton("Deploy", command="/deploy", custom_data="42", style="primary")
    keyboard = InlineKeyboardMarkup([[deploy, InlineKeyboardButton("Log", url="https://ci.example.com/42")]])
    await message.reply(f"You said: <b>{message.text}</b>", buttons=keyboard)


@tc.router.message(content="photo")
async def upside_down(message):
    image = Image.open(io.BytesIO(await message.photo.download()))
    await message.answer_photo(ImageOps.flip(image), caption="upside down")


@tc.router.message(content="sticker")
async def same_sticker(message):
    await message.answer_sticker(await message.sticker.download())


@tc.router.callback_query(command="/deploy")
async def deploy(press):
    await press.edit_message(f"Build {press.custom_data} is deployed", buttons=None)


print("listening", "now")"""


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeThread]:
    """A practice server whose colleagues only do what a person makes them do."""
    with PracticeThread(accounts=("robot:robot:Robot",), people=3, rate=0, seed=3, history=0) as thread:
        yield thread


@pytest.fixture
def ends(browser, lab, practice) -> Iterator[tuple[Notebook, ChatPage]]:
    """The notebook with its handlers at work, and the chat page; a mistake in the page's script fails the test."""
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    notebook = Notebook(context.new_page(), lab.folder)
    notebook.open(lab.write_notebook("bot.ipynb", CONNECT.format(port=practice.port), ANSWER))
    notebook.command("notebook:run-all-cells")
    notebook.output("listening now").wait_for(timeout=SLOW)
    page, problems = context.new_page(), []
    page.set_default_timeout(SLOW)
    page.on("pageerror", lambda error: problems.append(str(error)))
    chat_page = ChatPage(page, practice.url, problems)
    chat_page.open(chat=None)
    page.get_by_label("New chat with").select_option(label="Robot (bot)")
    page.get_by_role("heading", name="Robot").wait_for()
    yield notebook, chat_page
    context.close()
    assert problems == []


def test_person_and_bot_talk(ends, screenshots):
    """Text, picture, sticker and press of a button are answered at the page, and the notebook's feed shows them all."""
    notebook, chat_page = ends
    page = chat_page.page
    chat_page.write("Is build 42 good?")
    answer = chat_page.message("You said: Is build 42 good?")
    assert answer.locator(".text b").inner_text() == "Is build 42 good?"
    chat_page.message("Is build 42 good?").first.wait_for()
    page.set_input_files("#file", {"name": "sky.png", "mimeType": "image/png", "buffer": a_picture()})
    chat_page.message("upside down")
    pictures = page.locator("article img:not(.sticker)")
    pictures.nth(1).wait_for()
    page.get_by_role("button", name="Send a sticker").click()
    page.get_by_role("button", name="Sticker 4").click()
    page.locator("img.sticker").nth(1).wait_for()
    answer.get_by_role("button", name="Deploy").click()
    deployed = chat_page.message("Build 42 is deployed")
    assert deployed.get_by_role("button", name="Deploy").count() == 0
    page.mouse.move(600, 5)
    chat_page.shoot(screenshots / "both-ends-page.png")

    # The feed holds only the rows in sight, so both ends of it are looked at: first the end, to which it goes by itself
    # when its page comes to the front.
    notebook.page.bring_to_front()
    later = notebook.feed_rows("end")
    later.filter(has_text="Pressed a button: /deploy").wait_for(timeout=SLOW)
    later.locator(".tcf-of-sticker").nth(1).wait_for(timeout=SLOW)
    notebook.page.screenshot(path=screenshots / "both-ends-notebook-end.png")
    earlier = notebook.feed_rows("start")
    earlier.filter(has_text="Is build 42 good?").first.wait_for(timeout=SLOW)
    earlier.filter(has_text="Build 42 is deployed").filter(has_text="edited").wait_for(timeout=SLOW)
    earlier.locator(".tcf-of-photo").nth(1).wait_for(timeout=SLOW)
    notebook.page.screenshot(path=screenshots / "both-ends-notebook-start.png")
    assert notebook.status_line() == ("Connected", "0 lost")
