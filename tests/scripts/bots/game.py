"""Tic-tac-toe on buttons that all look alike, told apart by what they say to the bot."""

import asyncio
import os

from trueconf import Bot, CallbackQuery, Dispatcher, InlineKeyboardButton, InlineKeyboardMarkup, Message, Router
from trueconf.filters import Command
from trueconf.methods.create_p2p_chat import CreateP2PChat
from trueconf.methods.send_message import SendMessage

router = Router()
dp = Dispatcher()
dp.include_router(router)
bot = Bot.from_credentials("127.0.0.1", "robot", "robot", https=False, web_port=int(os.environ["PORT"]), dispatcher=dp)

EMPTY = "."
cells = [EMPTY] * 9


def board():
    """Return the cells as buttons."""
    buttons = [InlineKeyboardButton(text=cell, command=f"cell:{number}") for number, cell in enumerate(cells)]
    return InlineKeyboardMarkup([buttons[start : start + 3] for start in (0, 3, 6)])


@router.message(Command("play"))
async def on_play(message: Message):
    cells[:] = [EMPTY] * 9
    await message.bot(SendMessage(message.chat.chat_id, "your turn", "text", buttons=board()))


@router.message(Command("invite"))
async def on_invite(message: Message):
    chat = await bot(CreateP2PChat(user_id=message.author.id))
    sent = await bot(SendMessage(chat_id=chat.chat_id, text="<b>come</b> & play", parse_mode="html"))
    await message.answer(f"{chat.chat_id == message.chat.chat_id}, {sorted(sent.to_dict())}")


@router.callback_query()
async def on_press(query: CallbackQuery):
    number = int(query.command.removeprefix("cell:"))
    cells[number] = "X"
    cells[cells.index(EMPTY)] = "O"
    await query.edit_message("".join(cells), buttons=board())


if __name__ == "__main__":
    asyncio.run(bot.run())
