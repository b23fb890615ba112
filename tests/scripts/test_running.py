"""The bot of a script as scripts hold it: made, started, run, asked how it is, shut down, and started again."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

import tcnb
from tcnb import Bot, Dispatcher, Router
from tcnb.errors import (
    ApiErrorException,
    FileSizeTooLargeError,
    InvalidFileExtensionError,
    InvalidGrantError,
    NotConnectedError,
    PasswordAuthDisabledError,
    TokenValidationError,
    UsageError,
    WSConnectionError,
)
from tcnb.methods import CreateFavoritesChat, EditMessage, SendMessage, TrueConfMethod
from tcnb.practice import PracticeThread
from tests.conftest import PATIENCE

Make = Callable[..., Bot]


@pytest.fixture
async def make(practice: PracticeThread) -> AsyncIterator[Make]:
    """Makes bots of the practice server's account `robot`; what was started is shut down after the test."""
    made: list[Bot] = []

    def make(kind: type[Bot] = Bot, **options: Any) -> Bot:
        values = {"https": False, "web_port": practice.port, **options}
        bot = kind.from_credentials("127.0.0.1", "robot", options.pop("password", "robot"), **values)
        made.append(bot)
        return bot

    yield make
    for bot in made:
        await bot.shutdown(0)


@pytest.fixture
def router() -> Router:
    """No handlers yet."""
    return Router()


@pytest.fixture
def dispatcher(router: Router) -> Dispatcher:
    """What is given to a bot."""
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    return dispatcher


async def within(waiting: Any) -> Any:
    """Await something that should happen at once."""
    return await asyncio.wait_for(waiting, PATIENCE)


async def test_handlers_run_on_the_loop_of_the_script(make, router, dispatcher, alice):
    """Locks, queues and tasks of the script can be used in handlers, and the bot they get is the script's own."""
    queue: asyncio.Queue[Any] = asyncio.Queue()

    @router.message()
    async def on_message(message, bot):
        await queue.put((message.text, bot, message.bot, asyncio.get_running_loop()))

    bot = make(dispatcher=dispatcher)
    await bot.start()
    alice.say(alice.group("Crew", "robot"), "hello")
    text, given, bound, loop = await within(queue.get())
    assert (text, given, bound) == ("hello", bot, bot)
    assert loop is asyncio.get_running_loop() and loop is not bot.loop


async def test_start_and_shutdown_may_be_repeated(make):
    """A bot that was shut down can be started again, and starting or shutting down twice changes nothing."""
    bot = make()
    await asyncio.gather(bot.start(), bot.start())
    await bot.start()
    assert bot.authorized_event.is_set() and bot.me_id == "robot@practice.local"
    await asyncio.gather(bot.shutdown(), bot.shutdown())
    assert bot.stopped_event.is_set() and not bot.connected_event.is_set()
    with pytest.raises(NotConnectedError):
        await bot.get_chats()
    await bot.start()
    assert (await bot.get_chats()) is not None and not bot.stopped_event.is_set()


async def test_methods_need_a_connection(make):
    """Before the start a method says what is missing."""
    with pytest.raises(NotConnectedError, match=r"bot\.start\(\)"):
        await make().get_chats()


async def test_run_ends_with_shutdown(make):
    """What runs ends when the bot is shut down, from another thread too."""
    bot = make()
    running = asyncio.create_task(bot.run())
    await within(bot.authorized_event.wait())
    thread = threading.Thread(target=asyncio.run, args=(bot.shutdown(),))
    thread.start()
    await within(running)
    await asyncio.to_thread(thread.join)


def test_one_loop_after_another(practice):
    """The same bot can be run again in a new loop, as by a second `asyncio.run`."""
    bot = Bot.from_credentials("127.0.0.1", "robot", "robot", https=False, web_port=practice.port)

    async def main() -> str:
        await bot.start()
        running = asyncio.create_task(bot.run())
        await asyncio.sleep(0)
        await bot.shutdown()
        await within(running)
        return bot.me_id

    assert [asyncio.run(main()) for _ in range(2)] == ["robot@practice.local"] * 2
    asyncio.run(bot.shutdown())


async def test_cancelling_closes_the_connection(make, practice):
    """A cancelled task, such as an interrupted cell, leaves no connection behind."""
    bot = make()
    running = asyncio.create_task(bot.run())
    await within(bot.authorized_event.wait())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bot.stopped_event.is_set()
    assert not practice.call(lambda server: server.sessions_of("robot"))


async def test_shutdown_waits_for_handlers(make, router, dispatcher, alice):
    """A handler that is under way ends before the connection does, and can still answer."""
    begun, go = asyncio.Event(), asyncio.Event()
    answered = []

    @router.message()
    async def on_message(message):
        begun.set()
        await go.wait()
        answered.append(await message.answer("done"))

    bot = make(dispatcher=dispatcher)
    await bot.start()
    alice.say(alice.group("Crew", "robot"), "begin")
    await within(begun.wait())
    closing = asyncio.create_task(bot.shutdown())
    await asyncio.sleep(0)
    assert not closing.done()
    go.set()
    await within(closing)
    assert answered


async def test_a_handler_may_shut_the_bot_down(make, router, dispatcher, alice):
    """A command that ends the bot does not wait for itself."""

    @router.message(command="stop")
    async def on_stop(message, bot):
        await bot.shutdown()

    @router.message(command="stop")
    async def never(message):
        raise AssertionError

    bot = make(dispatcher=dispatcher)
    running = asyncio.create_task(bot.run())
    await within(bot.authorized_event.wait())
    alice.say(alice.group("Crew", "robot"), "/stop")
    await within(running)


async def test_a_handler_may_wait_for_the_next_message(make, router, dispatcher, alice):
    """A handler that takes long does not hold up its chat for ever."""
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @router.message(text="ask")
    async def on_ask(message):
        heard.set_result(await answer)

    @router.message()
    async def on_answer(message):
        answer.set_result(message.text)

    bot = make(dispatcher=dispatcher)
    await bot.start()
    chat_id = alice.group("Crew", "robot")
    alice.say(chat_id, "ask")
    alice.say(chat_id, "blue")
    assert await within(heard) == "blue"


async def test_a_handler_that_computes_does_not_cost_the_connection(make, router, dispatcher, alice, practice):
    """While a handler blocks the script's loop the connection answers pings and acknowledges."""
    chat_id = alice.group("Crew", "robot")
    released: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @router.message(text="block")
    async def on_block(message):
        async def settled(server):
            await server.until(lambda: server.is_settled("robot"))

        alice.say(chat_id, "more")
        practice.run(settled(practice.call(lambda server: server)), PATIENCE)
        released.set_result(True)

    bot = make(dispatcher=dispatcher)
    await bot.start()
    alice.say(chat_id, "block")
    assert await within(released)


async def test_own_messages(make, router, dispatcher, practice):
    """What the account writes in another session reaches handlers only where that is wanted."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    @router.message()
    async def on_message(message):
        heard.put_nowait(message.text)

    for skipped, text in ((True, "first"), (False, "second")):
        bot = make(dispatcher=dispatcher, skip_self_messages=skipped)
        await bot.start()
        other = make()
        await other.start()
        await other.send_message(await other.me_chat, text)
        if not skipped:
            assert await within(heard.get()) == text
        await bot.shutdown()
    assert heard.empty()


async def test_interrupt_ends_all_bots(make):
    """One interrupt ends every bot that runs on the loop, quietly, and signals then do what they did before."""
    before = signal.getsignal(signal.SIGINT)
    bots = [make(), make()]
    running = asyncio.gather(*(bot.run() for bot in bots))
    for bot in bots:
        await within(bot.authorized_event.wait())
    assert signal.getsignal(signal.SIGINT) is not before
    signal.raise_signal(signal.SIGINT)
    await within(running)
    assert all(bot.stopped_event.is_set() for bot in bots)
    assert signal.getsignal(signal.SIGINT) is before


async def test_interrupt_while_it_connects(make, practice):
    """An interrupt before the bot is logged in ends it as well."""
    bot = make()
    practice.call(lambda server: server.ignore_next("auth"))
    running = asyncio.create_task(bot.run())
    await asyncio.to_thread(practice.run, connected(practice), PATIENCE)
    signal.raise_signal(signal.SIGINT)
    await within(running)
    assert bot.stopped_event.is_set() and not bot.authorized_event.is_set()


async def connected(practice: PracticeThread) -> None:
    """Wait on the server's loop until somebody is connected."""
    await practice.server.until(lambda: practice.server.sessions)


async def test_health_is_told(make, practice):
    """The callback hears of every change, and `health_check` says how it is now."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    bot = make(on_health_check=told.put)
    assert bot.health_check()["status"] == "disconnected"
    await bot.start()
    assert [(await within(told.get()))["status"] for _ in range(2)] == ["connected", "authorized"]
    assert bot.health_check() | {"timestamp": ""} == {
        "status": "authorized",
        "websocket_connected": True,
        "authorized": True,
        "server": "127.0.0.1",
        "port": practice.port,
        "protocol": "http",
        "timestamp": "",
    }
    practice.call(lambda server: server.drop_connections("robot"))
    lost = await within(told.get())
    assert (lost["status"], bool(lost["error"])) == ("disconnected", True)
    assert [(await within(told.get()))["status"] for _ in range(2)] == ["connected", "authorized"]


async def test_run_gives_up_after_as_many_attempts(make, practice):
    """A server that does not come back ends the bot with an error, as scripts expect."""
    bot = make(ws_max_retries=1)
    running = asyncio.create_task(bot.run())
    await within(bot.authorized_event.wait())
    await asyncio.to_thread(practice.stop)
    with pytest.raises(WSConnectionError, match="after 1 attempts"):
        await within(running)


async def test_expired_token_is_the_refusal_itself(make, practice):
    """A token that the server refuses ends a bot that has no password with the server's code, which scripts look at."""
    token = make().token
    practice.call(lambda server: server.expire_tokens())
    bot = Bot("127.0.0.1", token, https=False, web_port=practice.port)
    with pytest.raises(ApiErrorException) as caught:
        await bot.run()
    assert caught.value.code in (201, 203)


async def test_expired_token_is_renewed_with_the_password(make, practice):
    """A bot that was made with a password gets a new token by itself."""
    bot = make()
    practice.call(lambda server: server.expire_tokens())
    await bot.start()
    assert bot.authorized_event.is_set()


async def test_failures_are_written_while_it_runs(make, router, dispatcher, alice, capfd):
    """What a handler prints and raises appears where a script's author looks, as long as no logging is set up."""
    failed = asyncio.Event()

    @router.message()
    async def on_message(message):
        print("printed by the handler")
        failed.set()
        raise RuntimeError("on purpose")

    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        bot = make(dispatcher=dispatcher)
        running = asyncio.create_task(bot.run())
        await within(bot.authorized_event.wait())
        alice.say(alice.group("Crew", "robot"), "go")
        await within(failed.wait())
        await bot.shutdown()
        await within(running)
    finally:
        root.handlers = handlers
    out, err = capfd.readouterr()
    assert "printed by the handler" in out
    assert "on_message failed:\nTraceback" in err and "RuntimeError: on purpose" in err


def test_wrong_password_is_said_at_once(make, practice):
    """A bot is not even made with a password that the server refuses."""
    with pytest.raises(InvalidGrantError):
        Bot.from_credentials("127.0.0.1", "robot", "wrong", https=False, web_port=practice.port)


async def test_oauth_application_lets_in():
    """Where passwords are not taken, an application is."""
    with PracticeThread(accounts=("robot:robot",), password_login=False, oauth_application="app-1") as server:
        with pytest.raises(PasswordAuthDisabledError):
            Bot.from_credentials("127.0.0.1", "robot", "robot", https=False, web_port=server.port)
        bot = Bot.from_oauth("127.0.0.1", "robot", "robot", "app-1", https=False, web_port=server.port)
        await bot.start()
        assert bot.me_id == "robot@practice.local"
        await bot.shutdown()


@pytest.mark.parametrize(
    ("token", "options", "error"),
    [
        (None, {}, TokenValidationError),
        ("  ", {}, TokenValidationError),
        ("a.b.c", {"ws_max_retries": 0}, UsageError),
        ("a.b.c", {"max_in_memory_download_size": -1}, UsageError),
        ("a.b.c", {"web_port": 1, "server": "there:2"}, UsageError),
    ],
)
def test_what_makes_no_sense_is_an_error(token, options, error):
    """A bot without a token, or with numbers that cannot be meant, is not made."""
    with pytest.raises(error):
        Bot(options.pop("server", "there"), token, **options)


async def test_every_bot_is_a_bot(make, connect):
    """`tc.bot` is a `tcnb.Bot` too, and a class of one's own is not what `tc.bot` is."""

    class Mine(Bot):
        extra = 1

    tc = await asyncio.to_thread(connect)
    assert isinstance(tc.bot, Bot) and isinstance(make(Mine), tcnb.Bot)
    assert not isinstance(tc.bot, Mine) and not isinstance("bot", Bot)


async def test_the_session_behind_a_bot(make, practice, alice):
    """Everything of a session is there for a bot that runs: its events as a DataFrame, for instance."""
    bot = make()
    with pytest.raises(NotConnectedError):
        _ = bot.session
    await bot.start()
    assert bot.session.bot is bot
    sent = await bot.send_message(await bot.me_chat, "note")
    assert sent.message_id in set(bot.session.df["message_id"])


async def test_limits_are_known(make, practice):
    """What the administrator allows to be uploaded can be asked of the bot."""
    bot = make()
    assert (bot.max_file_size, bot.file_extensions_list) == (None, None)
    await bot.start()
    practice.call(lambda server: server.set_upload_limits(max_size=10, mode="block", extensions=["exe"]))
    await bot.get_file_info_upload_limits()
    assert (bot.max_file_size, bot.file_extension_filter_mode, bot.file_extensions_list) == (10, "block", {"exe"})


async def test_dispatcher_can_be_set_later(make, router, dispatcher, alice):
    """Another dispatcher takes the place of the one before, also while the bot runs."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    other = Router()

    @router.message()
    async def on_message(message):
        heard.put_nowait(f"first {message.text}")

    @other.message()
    async def on_other(message):
        heard.put_nowait(f"second {message.text}")

    bot = make()
    bot.dp = dispatcher
    await bot.start()
    chat_id = alice.group("Crew", "robot")
    alice.say(chat_id, "one")
    assert await within(heard.get()) == "first one"
    bot.dp = other
    alice.say(chat_id, "two")
    assert await within(heard.get()) == "second two"
    with pytest.raises(UsageError, match="one dispatcher"):
        bot.dp = None


async def test_what_is_used_at_the_login_is_set_before(make):
    """Address, TLS and what the login says can be set until the bot is started; then setting them is refused."""
    bot = make()
    port = bot.port
    bot.port, bot.server, bot.https = 1, "localhost", True
    assert repr(bot).endswith("https://localhost:1>")
    bot.https, bot.server, bot.port = False, "127.0.0.1", port
    bot.receive_unread_messages = True
    await bot.start()
    for name in ("server", "port", "https", "receive_unread_messages", "receive_system_messages", "ssl_context"):
        with pytest.raises(UsageError, match=f"{name} is set before the bot is started"):
            setattr(bot, name, getattr(bot, name))
    await bot.shutdown()
    bot.receive_unread_messages = False


async def test_limits_of_a_script_hold(make, practice):
    """A script may set what can be uploaded, until the server announces something else."""
    practice.call(lambda server: setattr(server.world.settings, "push_limits", False))
    bot = make()
    bot.max_file_size = 3
    bot.file_extensions_list = {"exe"}
    bot.timeout = 30
    await bot.start()
    assert (bot.max_file_size, bot.file_extension_filter_mode, bot.file_extensions_list) == (3, "block", {"exe"})
    chat = await bot.me
    with pytest.raises(FileSizeTooLargeError):
        await bot.send_document(chat, tcnb.BufferedInputFile(b"four", "four.txt"))
    with pytest.raises(InvalidFileExtensionError):
        await bot.send_document(chat, tcnb.BufferedInputFile(b"x", "x.exe"))
    announced = announcements(bot)
    practice.call(lambda server: server.push("robot", "getFileUploadLimits", {"maxSize": 10, "extensions": None}))
    assert await within(announced.get()) == 10
    assert (bot.max_file_size, bot.file_extensions_list) == (10, None)


def announcements(bot: Bot) -> asyncio.Queue[int | None]:
    """Return a queue of the largest sizes that the server announces to a bot from now on."""
    announced: asyncio.Queue[int | None] = asyncio.Queue()
    router = Router()
    router.changed_file_upload_limits()(lambda event: announced.put(event.max_size))
    bot.dp.include_router(router)
    return announced


async def test_announced_limit_of_nothing_is_ignored(make, practice):
    """A server that announces a largest size of 0 means none that could be kept."""
    practice.call(lambda server: setattr(server.world.settings, "push_limits", False))
    bot = make()
    await bot.start()
    announced = announcements(bot)
    for size in (10, 0):
        limits = {"maxSize": size, "extensions": None}
        practice.call(lambda server, limits=limits: server.push("robot", "getFileUploadLimits", limits))
        assert await within(announced.get()) == size
    assert bot.max_file_size == 10


async def test_requests_are_sent_as_objects(make):
    """A request is carried out and recorded like by the method of the bot; `dict` gives the answer as it came."""

    @dataclass
    class Chats(TrueConfMethod[dict]):
        __api_method__ = "getChats"
        __returning__ = dict
        count: int
        page: int

    bot = make()
    await bot.start()
    chat = (await bot(CreateFavoritesChat())).chat_id
    assert chat == await bot.me == await bot.me_chat
    sent = await bot(SendMessage(chat, "a **note**", "markdown"))
    await bot(EditMessage(sent.message_id, "an edited note", tcnb.ParseMode.TEXT))
    rows = bot.session.df[bot.session.df["message_id"] == sent.message_id]
    assert list(rows["event"]) == ["message", "edited_message"]
    assert list(rows["text"]) == ["a note", "an edited note"]
    assert [one["chatId"] for one in await bot(Chats(1, 1))] == [chat]
    with pytest.raises(UsageError, match="takes a request"):
        await bot("getChats")


def test_token_is_fetched_by_a_plain_call(practice):
    """The function of earlier versions of the official client gives a token that a bot can be made with."""
    from tcnb.utils.token import get_auth_token

    token = get_auth_token("127.0.0.1", "robot", "robot", protocol="http", port=practice.port)
    assert Bot("127.0.0.1", token, https=False, web_port=practice.port).token == token
    with pytest.raises(InvalidGrantError):
        get_auth_token("127.0.0.1", "robot", "wrong", protocol="http", port=practice.port)
