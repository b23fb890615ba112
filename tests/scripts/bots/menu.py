"""A menu of commands: names, arguments, patterns, expressions, and a router below for what is not one."""

import asyncio
import os
import re
import sys

from trueconf import Bot, Dispatcher, F, Message, Router
from trueconf.enums import MessageType, ParseMode
from trueconf.filters import Command, MessageFilter
from trueconf.filters.command import CommandObject
from trueconf.utils import safe_split_text
from trueconf.utils.formatting import Bold, Text

commands = Router(name="commands")
others = Router(name="others")
commands.include_router(others)
dp = Dispatcher()
dp.include_router(commands)

bot = Bot.from_credentials(
    "127.0.0.1", "robot", "robot", dispatcher=dp, https=False, web_port=int(os.environ["PORT"]), verify_ssl=False
)


@commands.message(Command("start", "help"))
async def on_start(message: Message, command: CommandObject):
    text = Text(Bold("Menu"), f" for {message.from_user.id}, by /{command.command}: /echo, /sum, /roll_6, /long")
    await message.answer(text.as_html())


@commands.message(Command("echo", magic=F.args))
async def on_echo(message: Message, command: CommandObject):
    await message.reply(command.args, parse_mode=ParseMode.TEXT)


@commands.message(Command("sum", ignore_case=True))
async def on_sum(message: Message, command: CommandObject):
    numbers = [int(word) for word in (command.args or "").split()]
    await bot.send_message(chat_id=message.chat.chat_id, text=f"{' + '.join(map(str, numbers))} = {sum(numbers)}")


@commands.message(Command(re.compile(r"roll_\d+")))
async def on_roll(message: Message, command: CommandObject):
    sides = command.command.removeprefix("roll_")
    await message.answer(f"a die with <i>{sides}</i> sides", parse_mode=ParseMode.HTML)


@commands.message(Command("long"))
async def on_long(message: Message):
    for part in safe_split_text("A sentence among many. " * 400):
        await message.answer(part, parse_mode=ParseMode.TEXT)
    await message.answer("that was long")


@commands.message(Command("fail"))
async def on_fail(message: Message):
    raise RuntimeError("this handler fails, and the bot goes on")


@others.message(MessageFilter(MessageType.LOCATION))
async def on_location(message: Message):
    await message.answer("a place", parse_mode="text")


@others.message(F.text.startswith("/"))
async def on_unknown(message: Message):
    await message.reply(f"There is no {message.text.split()[0]}", parse_mode=ParseMode.TEXT)


@others.message(MessageType.PLAIN_MESSAGE, lambda message: len(message.text) > 20)
async def on_talk(message: Message):
    await message.answer(f"{len(message.text)} characters of **talk**", parse_mode=ParseMode.MARKDOWN)


try:
    asyncio.run(bot.run())
except KeyboardInterrupt:
    sys.exit(0)
