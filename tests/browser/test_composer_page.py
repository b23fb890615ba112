"""The composer in a browser, without Jupyter: a real composer and session in this process, and a practice server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from browser_pages import SLOW
from composer_bridge import Bridge
from PIL import Image

from tcnb.console import one_line
from tcnb.notebook.composer.composer import Composer

SENT = ".tcc-row[data-state=sent]"


class Page:
    """The page with a composer in it, and the session and the server behind it."""

    def __init__(self, page: Any, bridge: Bridge, tc: Any, practice: Any) -> None:
        self.page = page
        self.bridge = bridge
        self.tc = tc
        self.practice = practice

    @property
    def composer(self) -> Composer:
        assert self.bridge.composer is not None
        return self.bridge.composer

    @property
    def area(self) -> Any:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def chat_box(self) -> Any:
        return self.page.get_by_role("combobox", name="Chat or person to write to")

    def open(self) -> None:
        self.page.goto(self.bridge.url)
        self.page.wait_for_function("window.ready")

    def write(self, text: str) -> None:
        """Type a text and press Enter."""
        self.area.fill(text)
        self.area.press("Enter")

    def wait_told(self, condition: Callable[[Composer], bool]) -> None:
        """Wait until the composer knows what the page has told it; on the way it would be lost with the page."""
        while not condition(self.composer):
            self.page.wait_for_timeout(20)

    def wait_sent(self, text: str) -> None:
        self.page.locator(SENT).filter(has_text=text).first.wait_for(timeout=SLOW)

    def wait_state(self, state: str) -> Any:
        row = self.page.locator(f".tcc-row[data-state={state}]").first
        row.wait_for(timeout=SLOW)
        return row

    def said(self, chat_id: str) -> list[Any]:
        """Give the messages of a chat as the server has them, oldest first, without the system's."""
        return self.practice.call(lambda server: [m for m in server.world.chats[chat_id].messages if not m.is_system])

    def texts(self, chat_id: str) -> list[str]:
        return [message.content["text"] for message in self.said(chat_id) if message.content.get("text")]

    def files(self, chat_id: str) -> dict[str, bytes]:
        """Give the contents of the files in a chat by their names."""
        files = [message.file for message in self.said(chat_id) if message.file is not None]
        return {one.name: one.source if isinstance(one.source, bytes) else one.source.read_bytes() for one in files}

    def drop(self, *files: tuple[str, str, int]) -> None:
        """Drop files (name, type, size) of a known pattern on the composer."""
        self.page.evaluate(DROP, [list(one) for one in files])


DROP = """(files) => {
  const data = new DataTransfer();
  for (const [name, type, size] of files) {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8)) & 255;
    data.items.add(new File([bytes], name, { type }));
  }
  const box = document.querySelector('.tcnb-composer');
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    box.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    if bridge.composer is not None:
        bridge.composer.close()
    bridge.close()


@pytest.fixture
def crew(alice: Any) -> str:
    """A group in which the robot is."""
    return alice.group("Release crew", "robot", "bob")


@pytest.fixture
def open_page(browser: Any, bridge: Bridge, crew: str, tc: Any, practice: Any) -> Iterator[Callable[..., Page]]:
    contexts, problems = [], []

    def open_one(chat: str | None = "Release crew", *, stickers: Path | None = None, **settings: Any) -> Page:
        bridge.show(Composer(tc, chat, stickers=stickers))
        context = browser.new_context(**{"viewport": {"width": 860, "height": 620}, "locale": "en-GB"} | settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        made = Page(page, bridge, tc, practice)
        made.open()
        if chat is not None:
            # It is found by asking the server; what is written before is for no chat.
            page.wait_for_function("(chat) => document.querySelector('[role=combobox]').value === chat", arg=chat)
        return made

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def pattern(size: int) -> bytes:
    """Give what `DROP` puts into a file."""
    return bytes((i * 31 + (i >> 8)) & 255 for i in range(size))


def picture(colour: str = "teal", size: tuple[int, int] = (320, 200)) -> bytes:
    target = BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


def test_enter_sends_and_the_field_is_empty(page, crew):
    """A text that is written and followed by Enter reaches the chat, and its row says so."""
    page.write("Build 42 passed")
    page.wait_sent("Build 42 passed")
    assert page.texts(crew) == ["Build 42 passed"]
    assert page.area.input_value() == ""


def test_shift_enter_breaks_the_line(page, crew):
    """Shift+Enter makes a second line, and nothing is sent before Enter."""
    page.area.fill("one")
    page.area.press("Shift+Enter")
    page.page.keyboard.type("two")
    assert page.texts(crew) == []
    page.area.press("Enter")
    page.wait_sent("one")
    assert page.texts(crew) == ["one\ntwo"]


def test_enter_that_ends_a_composition_sends_nothing(page):
    """While a word is composed by an input method, Enter belongs to it."""
    page.area.fill("にほん")
    composing = "new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })"
    page.page.evaluate(f"document.querySelector('.tcc-text').dispatchEvent({composing})")
    assert page.area.input_value() == "にほん"
    assert page.composer.sendings == []


def test_without_a_chat_nothing_is_sent(open_page):
    """Enter without a chosen chat keeps the text and asks for the chat."""
    page = open_page(None)
    page.write("to whom?")
    page.page.get_by_role("alert").get_by_text("Choose a chat first").wait_for()
    assert page.page.evaluate("document.activeElement.className") == "tcc-chat"
    assert page.area.input_value() == "to whom?"
    assert page.composer.sendings == []


def test_chat_is_chosen_by_typing(open_page, alice, crew):
    """Some letters and Enter choose a chat by the keyboard alone, and the text goes there."""
    alice.group("Coffee", "robot")
    page = open_page(None)
    page.chat_box.focus()
    page.page.keyboard.type("releas")
    page.page.get_by_role("option", name="Release crew").wait_for()
    page.page.keyboard.press("Enter")
    page.page.keyboard.type("by keyboard")
    page.page.keyboard.press("Enter")
    page.wait_sent("by keyboard")
    assert page.texts(crew) == ["by keyboard"]


def test_whole_title_is_a_choice_and_half_of_one_is_none(open_page, alice, tc, crew):
    """Going on after a whole title chooses its chat; going on after the beginning of one chooses nothing."""
    page = open_page(None)
    page.chat_box.press_sequentially("Release")
    page.page.keyboard.press("Tab")
    assert page.chat_box.input_value() == ""
    page.chat_box.press_sequentially("release crew")
    page.page.keyboard.press("Tab")
    assert page.chat_box.input_value() == "Release crew"
    page.write("there")
    page.wait_sent("there")
    assert page.texts(crew) == ["there"]


@pytest.mark.parametrize("key", ["Enter", "Tab"])
@pytest.mark.parametrize("typed", ["bob", "BOB", "bob@practice.local"])
def test_login_is_written_to_and_not_its_namesake(open_page, alice, tc, practice, key, typed):
    """A login that is typed whole means its person, though a group is called so and stands in the list."""
    namesake = alice.group("bob", "robot")
    tc.refresh()
    page = open_page(None)
    page.chat_box.press_sequentially(typed)
    page.page.get_by_role("option", name="bob").first.wait_for()
    page.chat_box.press(key)
    page.page.wait_for_function("() => document.querySelector('[role=combobox]').value === 'Боб'")
    page.write("for you alone")
    page.wait_sent("for you alone")
    sent = page.composer.sendings[-1]["chat_id"]
    assert sent != namesake and page.texts(namesake) == []
    members = practice.call(lambda server: set(server.world.chats[sent].participants))
    assert members == {"robot@practice.local", "bob@practice.local"}


def test_marked_entry_is_taken_whatever_was_typed(open_page, alice, tc):
    """Who marks the group that is called like a login means the group."""
    namesake = alice.group("bob", "robot")
    tc.refresh()
    page = open_page(None)
    page.chat_box.press_sequentially("bob")
    page.page.get_by_role("option", name="group").get_by_text("bob").click()
    page.write("for the group")
    page.wait_sent("for the group")
    assert page.texts(namesake) == ["for the group"]


def test_ambiguous_title_is_not_sent_to(open_page, alice, tc):
    """A title that two chats have chooses neither of them; one is chosen from the list."""
    twins = [alice.group("Twins", "robot") for _ in range(2)]
    tc.refresh()
    page = open_page(None)
    page.area.fill("for one of them")
    page.chat_box.fill("Twins")
    page.chat_box.press("Enter")
    page.page.get_by_role("alert").get_by_text("2 chats have that name").wait_for()
    page.area.press("Enter")
    assert page.composer.sendings == []
    page.chat_box.fill("Twins")
    page.page.get_by_role("option", name=twins[1][:8]).click()
    page.area.press("Enter")
    page.wait_sent("for one of them")
    assert (page.texts(twins[0]), page.texts(twins[1])) == ([], ["for one of them"])


ANSWERED = """() => {
  window.isAnswered = false;
  model.on('msg:custom', (content, buffers) => {
    window.isAnswered ||= Boolean(JSON.parse(new TextDecoder().decode(buffers[0])).answers);
  });
}"""


def test_list_that_comes_late_leaves_the_mark_where_it_was(open_page, bridge, alice, tc):
    """Who has gone down the list of chats chooses what is marked, also when a busy kernel tells the list after that."""
    twins = [alice.group("Twins", "robot") for _ in range(2)]
    tc.refresh()
    page = open_page(None)
    page.page.evaluate(ANSWERED)
    bridge.hold()
    page.chat_box.fill("Twins")
    page.page.get_by_role("option").nth(1).wait_for()
    page.chat_box.press("ArrowDown")
    page.chat_box.press("ArrowDown")
    marked = page.page.locator("[role=option][aria-selected=true]").inner_text()
    (meant,) = [chat for chat in twins if chat[:8] in marked]
    bridge.let_go()
    page.page.wait_for_function("window.isAnswered")
    page.chat_box.press("Enter")
    page.write("for one of them")
    page.wait_sent("for one of them")
    assert [page.texts(chat) for chat in twins] == [["for one of them"] if chat == meant else [] for chat in twins]


def test_unknown_person_is_asked_of_the_server(open_page, tc):
    """A login that nobody has seen yet opens the personal chat with that person."""
    page = open_page(None)
    page.chat_box.fill("bob")
    page.chat_box.press("Enter")
    page.page.wait_for_function("document.querySelector('.tcc-kind').textContent === 'personal'")
    page.write("hello")
    page.wait_sent("hello")
    (sending,) = page.composer.sendings
    assert page.texts(sending["chat_id"]) == ["hello"]


def test_unknown_name_says_what_was_meant(open_page):
    """A name that neither a chat nor a person has shows the session's error with its proposal."""
    page = open_page(None)
    page.chat_box.fill("Relaese crew")
    page.chat_box.press("Enter")
    page.page.get_by_role("alert").get_by_text("Did you mean 'Release crew'?").wait_for()


def test_preview_shows_what_the_connector_renders(page):
    """Markdown is drawn as it will look while it is typed."""
    page.page.get_by_role("radio", name="Markdown").click()
    page.area.fill("**bold** ~~gone~~ [notes](https://example.com)\n> quoted")
    preview = page.page.get_by_role("region", name="How it will look")
    preview.locator("b").get_by_text("bold").wait_for()
    assert preview.locator("s").inner_text() == "gone"
    assert preview.locator(".tcc-address").get_attribute("title") == "https://example.com"
    assert preview.locator(".tcc-quoted").inner_text() == "quoted"


def test_preview_runs_nothing(page):
    """What the connector does not know becomes text or nothing: no element, no handler, no address of a script."""
    page.page.get_by_role("radio", name="HTML").click()
    page.area.fill(
        "<b>ok</b><img src=x onerror='window.hit=1'><script>window.hit=2</script><svg onload='window.hit=3'>"
        "<a href='javascript:window.hit=4'>l</a><style>*{display:none}</style><iframe src='//x'></iframe>"
    )
    page.page.locator(".tcc-painting b").wait_for()
    unknown = "img, script, svg, style, iframe, a, [href], [onerror]"
    assert page.page.locator(".tcc-painting").locator(unknown).count() == 0
    assert page.page.evaluate("window.hit") is None
    page.page.get_by_text("The server refuses a message with such a link").wait_for()


def test_text_too_long_becomes_a_file(page, crew):
    """4097 characters are not sent; one press makes a file of them."""
    page.area.fill("я" * 4097)
    page.area.press("Enter")
    page.page.get_by_role("alert").get_by_text("1 characters too many").wait_for()
    assert page.page.locator(".tcc-counter").inner_text() == "4,097 / 4,096"
    assert page.composer.sendings == []
    page.page.get_by_role("button", name="Attach as a file").click()
    page.area.press("Enter")
    page.wait_sent("message.txt")
    assert page.files(crew) == {"message.txt": ("я" * 4097).encode()}


def test_several_files_are_dropped_at_once(page, crew):
    """Files that are dropped together arrive byte for byte, each with its caption."""
    page.drop(("plan.pdf", "application/pdf", 1_300_000), ("empty.txt", "text/plain", 0))
    page.page.get_by_role("textbox", name="Caption of empty.txt").fill("nothing in it")
    page.write("the plan")
    page.wait_sent("plan.pdf")
    page.wait_sent("empty.txt")
    assert page.files(crew) == {"plan.pdf": pattern(1_300_000), "empty.txt": b""}
    assert page.texts(crew) == ["the plan", "nothing in it"]


def test_picture_goes_as_photo_file_or_sticker(page, crew):
    """A picture is sent as a photo unless the person says otherwise; a sticker is made of it."""
    chosen = [
        {"name": f"{name}.png", "mimeType": "image/png", "buffer": picture(name)} for name in ("red", "blue", "teal")
    ]
    page.page.locator(".tcc-picker").set_input_files(chosen)
    page.page.get_by_role("combobox", name="Send as: blue.png").select_option("document")
    page.page.get_by_role("combobox", name="Send as: teal.png").select_option("sticker")
    page.area.press("Enter")
    for one in ("red.png", "blue.png", "teal.png"):
        page.wait_sent(one)
    sent = {m.file.name: (m.file.mime_type, len(m.file.previews)) for m in page.said(crew) if m.file}
    assert sent == {"red.png": ("image/png", 1), "blue.png": ("image/png", 0), "teal.webp": ("sticker/webp", 1)}


def test_nothing_moves_of_a_file_the_server_refuses(page, practice, crew):
    """Size and extension are held against the server's limits before a byte moves, and Enter sends nothing."""
    practice.call(lambda server: server.set_upload_limits(max_size=1000, extensions=["exe"]))
    page.drop(("large.bin", "", 1001), ("setup.exe", "", 10))
    page.page.get_by_text("the file has 1,001 bytes, this server takes at most 1,000").wait_for()
    page.page.get_by_text("files ending in .exe are not allowed").wait_for()
    page.area.press("Enter")
    page.page.get_by_role("alert").get_by_text("Some files cannot be sent").wait_for()
    assert page.composer.sendings == []
    assert not [one for one in page.page.evaluate("model.sent") if one["type"] in ("send", "chunk")]


def test_busy_kernel_is_named_and_nothing_is_doubled(page, bridge, crew):
    """What is handed in while the kernel hears nothing says so, and is sent once when it hears again."""
    bridge.hold()
    page.write("wait for it")
    page.page.get_by_text("Waiting for the kernel: a cell is running").wait_for()
    page.page.evaluate("for (const one of model.sent.filter((one) => one.type === 'send')) model.send(one)")
    bridge.let_go()
    page.wait_sent("wait for it")
    assert page.texts(crew) == ["wait for it"]


def test_away_connection_is_waited_for(page, practice, crew):
    """While the server lets nobody in, a sending waits visibly, and goes when the connection is back."""
    practice.call(lambda server: (setattr(server.faults, "refuse_tokens", True), server.drop_connections()))
    page.page.get_by_text("Reconnecting").wait_for()
    page.write("after the storm")
    page.wait_state("queued").get_by_text("Waits for the connection").wait_for()
    practice.call(lambda server: setattr(server.faults, "refuse_tokens", False))
    page.wait_sent("after the storm")
    assert page.texts(crew) == ["after the storm"]


@pytest.mark.parametrize("width", [1100, 700, 590, 480, 330])
def test_words_of_the_head_do_not_overlap(open_page, width):
    """Beside a long reason the chat's title and kind, and what the connection is like, stand side by side."""
    page = open_page(viewport={"width": width, "height": 500})
    parts = [".tcc-chat", ".tcc-kind", ".tcc-dot", ".tcc-state"]
    assert (
        page.page.evaluate(OVERLAPPING, [parts, "Reconnecting · what you send waits for it · cannot reach it " * 3])
        == []
    )


# The text is put there in the same breath, since the page words its state anew twice a second.
OVERLAPPING = """([names, state]) => {
  document.querySelector('.tcc-state').textContent = state;
  const shown = names.map((name) => document.querySelector(name)).filter((one) => one.offsetWidth);
  const boxes = shown.map((one) => one.getBoundingClientRect());
  const cross = (a, b, from, to) => a[from] < b[to] - 0.5 && b[from] < a[to] - 0.5;
  const meet = (a, b) => cross(a, b, 'left', 'right') && cross(a, b, 'top', 'bottom');
  const found = [];
  for (let i = 0; i < boxes.length; i += 1)
    for (let j = 0; j < i; j += 1) if (meet(boxes[i], boxes[j])) found.push([j, i].map((n) => shown[n].className));
  return found;
}"""


def test_field_keeps_its_place_while_one_writes(page, practice):
    """Neither what is on its way, nor what became of it, nor a notice moves the field under one's hands."""
    place = page.area.bounding_box()
    page.write("the first of two")
    page.wait_sent("the first of two")
    practice.call(lambda server: server.fail_next("sendMessage", 300))
    page.write("the second")
    page.wait_state("failed")
    assert page.area.bounding_box() == place
    page.bridge.composer.chat = "Nobody of that name"
    page.page.locator(".tcc-notice.tcc-shown").wait_for(timeout=SLOW)
    assert page.area.bounding_box() == place


def test_failure_is_shown_and_tried_again(page, practice, crew):
    """A refusal shows a sentence, and code and method on hover; one press sends the same again."""
    practice.call(lambda server: server.fail_next("sendMessage", 300))
    page.write("second try")
    row = page.wait_state("failed")
    assert "The server failed: try again" in row.inner_text()
    assert "[300]" not in row.inner_text()
    assert "sendMessage refused: [300]" in row.locator(".tcc-how").get_attribute("title")
    row.get_by_role("button", name="Try again").click()
    page.wait_sent("second try")
    assert page.texts(crew) == ["second try"]


def test_failed_text_can_be_taken_back(page, practice):
    """The text of a failed sending comes back into the field."""
    practice.call(lambda server: server.fail_next("sendMessage", 300))
    page.write("let me rephrase")
    page.wait_state("failed").get_by_role("button", name="Take back to edit").click()
    assert page.area.input_value() == "let me rephrase"
    page.page.wait_for_function("!document.querySelector('.tcc-row')")


def test_reloaded_page_has_the_draft(page):
    """Text, mode and chat of a draft are there again after a reload; attached files are asked for again."""
    page.page.get_by_role("radio", name="Markdown").click()
    page.area.fill("half a *thought*")
    page.drop(("plan.pdf", "application/pdf", 100))
    page.wait_told(lambda composer: composer._attached == ["plan.pdf"])
    page.open()
    page.page.wait_for_function("document.querySelector('textarea')?.value === 'half a *thought*'")
    assert page.chat_box.input_value() == "Release crew"
    assert page.page.get_by_role("radio", name="Markdown").get_attribute("aria-checked") == "true"
    page.page.get_by_role("alert").get_by_text("not sent before the page was reloaded: plan.pdf").wait_for()


def test_upload_interrupted_by_a_reload_goes_on(page, bridge, crew, tmp_path):
    """After a reload the unfinished file says what to do; chosen again, it goes on where it stopped."""
    bridge.pieces_let_through = 2
    page.drop(("data.bin", "", 3_000_000))
    page.area.press("Enter")
    page.page.get_by_text("To the kernel · 1 MB of 3 MB").wait_for()
    page.open()
    row = page.wait_state("interrupted")
    assert "the page was reloaded" in row.inner_text()
    bridge.pieces_let_through = None
    (tmp_path / "data.bin").write_bytes(pattern(3_000_000))
    with page.page.expect_file_chooser() as chooser:
        row.get_by_role("button", name="Choose the file again").click()
    chooser.value.set_files(tmp_path / "data.bin")
    page.wait_sent("data.bin")
    assert page.files(crew) == {"data.bin": pattern(3_000_000)}
    offsets = [one["offset"] for one in page.page.evaluate("model.sent") if one["type"] == "chunk"]
    assert min(offsets) == 2 * 512 * 1024


def test_lost_message_is_noticed(page, bridge, crew):
    """A message of the kernel that is lost is noticed at the next one, and everything is asked for again."""
    page.write("first")
    page.wait_sent("first")
    bridge.lose_next = True
    page.area.fill("second")
    page.area.press("Enter")
    page.wait_sent("second")
    assert page.texts(crew) == ["first", "second"]


def test_arrow_up_edits_the_last_message(page, practice, crew):
    """The arrow takes the last own text into the field; Enter changes it in the chat."""
    page.write("Bild 42")
    page.wait_sent("Bild 42")
    page.area.press("ArrowUp")
    page.page.get_by_text("Changing your message").wait_for()
    assert page.area.input_value() == "Bild 42"
    page.write("Build 42")
    page.wait_sent("Build 42")
    (message,) = page.said(crew)
    assert (message.content["text"], message.is_edited) == ("Build 42", True)


def test_cancelled_edit_gives_the_draft_back(page, alice, crew):
    """Escape leaves the edit and brings back what was being written before."""
    page.write("sent before")
    page.wait_sent("sent before")
    page.area.fill("half a thought")
    page.page.get_by_role("button", name="Edit").click()
    page.page.get_by_text("Changing your message").wait_for()
    page.area.press("Escape")
    page.page.wait_for_function("document.querySelector('.tcc-text').value === 'half a thought'")
    assert page.texts(crew) == ["sent before"]


def test_reply_goes_to_the_chat_of_its_message(page, alice, crew):
    """A reply moves to the chat of the message it answers; the draft stays with the chat it was written for."""
    coffee = alice.group("Coffee", "robot")
    asked = alice.say(coffee, "Espresso?")
    page.area.fill("for the crew")
    page.composer.reply_to(asked)
    page.page.get_by_text("Reply to Alice Doe").wait_for()
    assert (page.chat_box.input_value(), page.area.input_value()) == ("Coffee", "")
    page.write("Double")
    page.wait_sent("Double")
    assert [(m.content["text"], m.reply_to) for m in page.said(coffee)] == [("Espresso?", None), ("Double", asked)]
    page.composer.chat = crew
    page.page.wait_for_function("document.querySelector('.tcc-text').value === 'for the crew'")


def test_sticker_is_chosen_by_keyboard(open_page, crew, tmp_path):
    """The picker shows the folder's stickers; arrows and Enter send one as it is."""
    for name in ("one", "two"):
        Image.new("RGBA", (64, 64), "gold").save(tmp_path / f"{name}.webp")
    page = open_page(stickers=tmp_path)
    page.page.get_by_role("button", name="Stickers").press("Enter")
    page.page.get_by_role("button", name="Sticker: two").wait_for()
    page.page.wait_for_function("document.querySelectorAll('.tcc-sticker img[src^=blob]').length === 2")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    page.wait_sent("two.webp")
    assert page.files(crew) == {"two.webp": (tmp_path / "two.webp").read_bytes()}


def test_sticker_seen_in_a_chat_is_offered(open_page, connect, crew, until, tc):
    """A sticker that came by in a chat can be sent on."""
    connect("second")  # an account whose session is not ours
    source = BytesIO()
    Image.new("RGBA", (64, 64), "tomato").save(source, "WEBP")
    tc.send_sticker(crew, source.getvalue())
    until(tc, lambda: any(row["mime_type"] == "sticker/webp" for row in tc.record.rows(0, 500)))
    page = open_page()
    page.page.get_by_role("button", name="Stickers").click()
    page.page.locator(".tcc-sticker img[src^=blob]").wait_for()
    page.page.locator(".tcc-sticker").click()
    page.wait_state("sent")
    assert [m.file.mime_type for m in page.said(crew)] == ["sticker/webp"] * 2


def test_labels_are_russian_where_the_browser_is(open_page):
    """A browser that speaks Russian gets Russian labels."""
    page = open_page(locale="ru-RU")
    area = page.page.get_by_role("textbox", name="Сообщение", exact=True)
    assert area.get_attribute("placeholder") == "Сообщение: Release crew"
    assert page.page.get_by_role("button", name="Отправить").count() == 1


def test_every_control_has_a_name(page):
    """Whatever takes the focus says what it is, also with files, a preview and a reply in sight."""
    page.page.get_by_role("radio", name="Markdown").click()
    page.drop(("plan.pdf", "application/pdf", 10), ("b.pdf", "application/pdf", 10))
    page.area.fill("*hi*")
    page.page.locator(".tcc-painting i").wait_for()
    nameless = """[...document.querySelectorAll('.tcnb-composer :is(button, input, select, textarea)')].filter(
      (one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length)
    ).map((one) => one.className)"""
    assert page.page.evaluate(nameless) == []
    assert page.page.get_by_role("group", name="Attached files").count() == 1
    assert page.page.get_by_role("radiogroup", name="How the text is written").count() == 1


def test_theme_of_the_host_is_followed_at_once(page):
    """The composer's colours change with the host's, without a reload."""
    paper = "getComputedStyle(document.querySelector('.tcnb-composer')).backgroundColor"
    assert page.page.evaluate(paper) == "rgb(255, 255, 255)"
    page.page.evaluate("document.body.dataset.theme = 'dark'")
    assert page.page.evaluate(paper) == "rgb(22, 24, 29)"


def test_closed_session_loses_no_text(page, tc):
    """What is handed in after the session was closed fails with the reason, and its text can be taken back."""
    tc.close()
    page.page.get_by_text("The connection is closed").wait_for()
    page.write("too late")
    row = page.wait_state("failed")
    assert re.search("connection", row.inner_text())
    row.get_by_role("button", name="Take back to edit").click()
    assert page.area.input_value() == "too late"


HOSTILE = (
    "<img src=x onerror='window.hit=1'>",
    "\"><svg onload='window.hit=1'>",
    "javascript:window.hit=1",
    "\u202egnp.exe\u202c \u200b\u2066x",
    "{{constructor.constructor('window.hit=1')()}}",
    "<style>*{display:none}</style>",
)


def test_hostile_names_are_only_text(open_page, alice, tc):
    """Titles of chats and names of files that look like code are shown as they read, and run nothing."""
    ids = [alice.group(title, "robot") for title in HOSTILE]
    tc.refresh()
    page = open_page(None)
    page.chat_box.click()
    for title in HOSTILE:
        page.page.get_by_role("option").filter(has_text=one_line(title)).first.wait_for()
    page.page.get_by_role("option").filter(has_text=HOSTILE[0]).click()
    page.page.evaluate(DROP, [[name.replace("/", "_"), "text/plain", 5] for name in HOSTILE])
    page.area.press("Enter")
    page.page.wait_for_function(f"document.querySelectorAll('{SENT}').length === {len(HOSTILE)}")
    page.composer.reply_to(alice.say(ids[1], HOSTILE[0]))
    page.page.get_by_text("Reply to Alice Doe").wait_for()
    assert page.page.evaluate("window.hit") is None
    assert page.page.locator(".tcnb-composer").locator("style, script, img[src='x'], svg[onload]").count() == 0
    assert len(page.files(ids[0])) == len(HOSTILE)


def test_deleted_message_is_not_offered_to_be_changed(page, crew, tc):
    """When a message is deleted elsewhere, its row says so and offers no change any more; nor does the arrow key."""
    page.write("teh build")
    page.wait_sent("teh build")
    row = page.page.locator(SENT, has_text="teh build")
    row.hover()  # what is looked at stays in sight
    row.get_by_role("button", name="Edit").wait_for()
    tc._wait(tc.bot.remove_message(page.said(crew)[-1].message_id, for_all=True))
    row.get_by_text("deleted since").wait_for()
    assert row.get_by_role("button", name="Edit").count() == 0
    page.area.press("ArrowUp")
    page.area.fill("next")
    assert not page.page.locator(".tcc-bar").is_visible()


def test_what_was_typed_stays_when_the_message_is_deleted(page, crew, tc):
    """Who is changing a message that is deleted elsewhere keeps every character, below what was put aside."""
    page.write("teh build")
    page.wait_sent("teh build")
    message_id = page.said(crew)[-1].message_id
    page.area.fill("for later")
    page.composer.edit(message_id)
    page.page.wait_for_function("document.querySelector('.tcnb-composer textarea').value === 'teh build'")
    page.area.press_sequentially(", fixed")
    tc._wait(tc.bot.remove_message(message_id, for_all=True))
    page.page.get_by_text("The message that was being changed has been deleted.").wait_for()
    assert page.area.input_value() == "for later\nteh build, fixed"


def test_field_grows_when_it_gets_narrower(page):
    """A text whose lines break in a narrower window is still shown whole."""
    page.area.fill("a line that is long enough to be broken in a narrow window " * 2)
    page.page.set_viewport_size({"width": 400, "height": 620})
    page.page.wait_for_function(
        "(() => { const a = document.querySelector('.tcc-text'); return a.scrollHeight <= a.clientHeight + 1; })()"
    )


def put_into(page, chat_id: str) -> None:
    """Choose another chat from outside, as the panel does, and wait until the page has it."""
    page.composer.chat = chat_id
    page.page.wait_for_function("(id) => document.querySelector('.tcc-chat').title.endsWith(id)", arg=chat_id)


def test_deleted_draft_stays_deleted_when_another_chat_is_chosen(page, alice, crew):
    """A draft that was deleted a moment before another chat was chosen does not come back with its chat."""
    coffee = alice.group("Coffee", "robot")
    page.area.fill("half a thought")
    page.wait_told(lambda composer: composer._draft["text"] == "half a thought")
    page.page.evaluate(
        "const a = document.querySelector('.tcc-text'); a.value = ''; a.dispatchEvent(new Event('input'))"
    )
    put_into(page, coffee)
    assert page.area.input_value() == ""
    put_into(page, crew)
    assert page.area.input_value() == ""
    page.wait_told(lambda composer: composer._draft["text"] == "" and not composer._drafts)


def test_later_text_is_put_aside_than_the_kernel_knew(page, alice, crew):
    """What was written up to the moment in which another chat was chosen is there when its chat is chosen again."""
    coffee = alice.group("Coffee", "robot")
    page.area.fill("half")
    page.wait_told(lambda composer: composer._draft["text"] == "half")
    page.area.fill("half a thought")
    put_into(page, coffee)
    page.area.fill("Espresso?")
    put_into(page, crew)
    assert page.area.input_value() == "half a thought"
    put_into(page, coffee)
    assert page.area.input_value() == "Espresso?"


def test_deleted_draft_stays_deleted_when_the_page_is_reloaded_at_once(page, bridge):
    """A reload that comes before the kernel has heard of it does not bring a deleted draft back."""
    page.area.fill("never mind")
    page.wait_told(lambda composer: composer._draft["text"] == "never mind")
    bridge.hold()
    page.area.fill("")
    page.open()
    assert page.area.input_value() == ""
    bridge.let_go()
    page.wait_told(lambda composer: composer._draft["text"] == "")
    page.open()
    assert page.area.input_value() == ""


def test_draft_of_another_page_is_later_than_the_one_that_was_told(page, bridge, crew):
    """What this page had told is not put above what another page wrote since."""
    page.area.fill("from the first page")
    page.wait_told(lambda composer: composer._draft["text"] == "from the first page")
    said = {
        "type": "draft",
        "turn": page.composer._turn,
        "chat": {"chat_id": crew},
        "text": "from the second",
        "mode": "text",
    }
    page.composer._handle_custom_msg({**said, "page": "p2", "version": 1}, [])
    page.wait_told(lambda composer: composer._draft["text"] == "from the second")
    page.open()
    page.page.wait_for_function("document.querySelector('.tcc-text').value === 'from the second'")


def test_reply_that_was_left_does_not_come_back(page, bridge, alice, crew):
    """A kernel that has not heard yet that a reply was left does not bring it back by telling its state."""
    page.composer.reply_to(alice.say(crew, "Are the checks green?"))
    page.page.get_by_text("Reply to Alice Doe").wait_for()
    bridge.hold()
    page.area.press("Escape")
    page.page.evaluate("model.on('msg:custom', () => { window.hasSpoken = true; })")
    page.composer.session.loop.call_soon_threadsafe(page.composer._say_everything)
    page.page.wait_for_function("window.hasSpoken")
    assert not page.page.locator(".tcc-bar").is_visible()
    bridge.let_go()
    page.write("on its own")
    page.wait_sent("on its own")
    assert page.said(crew)[-1].reply_to is None


def test_chat_that_was_chosen_here_is_not_undone_by_an_earlier_choice(open_page, bridge, alice, tc):
    """A choice made from outside before the page's own, and told after it, does not undo it."""
    coffee, tea = alice.group("Coffee", "robot"), alice.group("Tea", "robot")
    tc.refresh()
    page = open_page()
    bridge.hold()
    page.chat_box.fill("Coffee")
    page.page.get_by_role("option", name="Coffee").click()
    page.page.evaluate("model.on('msg:custom', () => { window.hasSpoken = true; })")
    page.composer.chat = tea
    page.page.wait_for_function("window.hasSpoken")
    bridge.let_go()
    page.wait_told(lambda composer: composer.chat == coffee)
    assert page.chat_box.input_value() == "Coffee"
    page.write("Double")
    page.wait_sent("Double")
    assert (page.texts(coffee), page.texts(tea)) == (["Double"], [])


def test_missing_right_is_a_sentence(page, practice, crew):
    """Who may not write reads so, without code or id; both stand on hover."""
    practice.call(lambda server: server.fail_next("sendMessage", 303))
    page.write("may I?")
    how = page.wait_state("failed").locator(".tcc-how")
    assert how.inner_text() == "Not sent · You may not write in this chat"
    assert "[303]" in how.get_attribute("title")
    assert crew in how.get_attribute("title")
