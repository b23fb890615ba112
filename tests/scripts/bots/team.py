"""Routers made by one function, methods of several objects, and a dispatcher that the bot gets after it was made."""

# ruff: noqa: F403, F405

import asyncio
import os

from trueconf import *
from trueconf.enums.message_type import MessageType
from trueconf.enums.parse_mode import ParseMode as Mode
from trueconf.filters import Command
from trueconf.types.message import Message as Said

try:
    from trueconf.exceptions import ApiErrorException
except ImportError:
    ApiErrorException = Exception

dp = Dispatcher()


class OnlyFrom:
    """A filter that takes whatever there is beside the event."""

    def __init__(self, login):
        self.login = login

    async def __call__(self, event, **data):
        return event.author.id.startswith(f"{self.login}@") and "bot" in data


def feature(answer):
    """Return a router that answers a greeting in its own way."""
    router = Router()

    @router.message(F.text == "hello")
    async def on_hello(message: Said):
        await message.answer(answer, parse_mode=Mode.TEXT)

    return router


class Desk:
    """A part of the bot that keeps something of its own."""

    def __init__(self, name):
        self.name = name
        self.count = 0

    async def on_message(self, message: Message):
        self.count += 1
        await message.reply(f"{self.name}: {self.count}")


for answer in ("one", "two", "three"):
    dp.include_router(feature(answer))
for desk in (Desk("first"), Desk("second")):
    router = Router()
    router.message(F.text.startswith("count"), OnlyFrom("alice"))(desk.on_message)
    dp.include_router(router)

commands = Router(name="commands")
dp.include_router(commands)


@commands.message(Command("ping"))
async def on_ping(message):
    await message.answer("pong")


@commands.message(Command("lost"))
async def on_lost(message):
    try:
        await message.bot.remove_message("0" * 36)
    except ApiErrorException as error:
        await message.answer(f"refused with {error.code}, {message.content_type is MessageType.PLAIN_MESSAGE}")


@commands.message(F.text.contains("done"))
async def on_done(message):
    await message.answer("all heard")


bot = Bot.from_credentials("127.0.0.1", "robot", "robot", https=False, web_port=int(os.environ["PORT"]))
bot.dp = dp

if __name__ == "__main__":
    asyncio.run(bot.run())
