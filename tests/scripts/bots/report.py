"""A report with buttons: a keyboard whose presses edit the message, a router for each open report, and its end."""

import asyncio
import os

from trueconf import (
    Bot,
    ButtonStyle,
    CallbackQuery,
    Dispatcher,
    F,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ParseMode,
    Router,
)
from trueconf.filters import Command

router = Router(name="reports")
dp = Dispatcher()
dp.include_router(router)
bot = Bot.from_credentials(
    server="127.0.0.1", username="robot", password="robot", dispatcher=dp, https=False, web_port=int(os.environ["PORT"])
)
open_reports: dict[str, Router] = {}
lines: dict[str, list[str]] = {}


def keyboard(*extra: InlineKeyboardButton) -> InlineKeyboardMarkup:
    send = InlineKeyboardButton(text="Send", command="report:send", style=ButtonStyle.SUCCESS, custom_data="r=1")
    drop = InlineKeyboardButton(text="Drop", command="report:drop", style=ButtonStyle.DANGER, button_id="drop")
    return InlineKeyboardMarkup(buttons=[[send, drop], list(extra)] if extra else [[send, drop]])


async def on_line(message: Message):
    lines[message.from_user.id].append(message.text)
    await message.answer(f"{len(lines[message.from_user.id])} lines", parse_mode=ParseMode.TEXT)


@router.message(Command("report"))
async def on_report(message: Message):
    own = Router(name=f"report of {message.from_user.id}")
    dp.include_router(own)
    own.message(F.from_user.id == message.from_user.id, ~F.text.startswith("/"))(on_line)
    open_reports[message.from_user.id] = own
    lines[message.from_user.id] = []
    docs = InlineKeyboardButton(text="Rules", url="https://example.com/rules")
    await message.answer("A <b>new</b> report", buttons=keyboard(docs))


def closed(user_id: str) -> list[str]:
    own = open_reports.pop(user_id)
    for other in dp.routers:
        if other.name == own.name:
            dp.routers.remove(other)
            break
    return lines.pop(user_id)


@router.callback_query(F.command == "report:send")
async def on_send(callback: CallbackQuery):
    people = list(open_reports)
    said = [line for user_id in people for line in closed(user_id)]
    await callback.edit_message(text=f"Sent ({callback.custom_data}): {'; '.join(said)}", parse_mode=ParseMode.TEXT)


@router.callback_query(F.command.startswith("report:"))
async def on_other(callback: CallbackQuery):
    what = callback.command.partition(":")[2]
    await callback.edit_message(text=f"Pressed {what}", buttons=None)
    await bot.send_message(callback.chat.chat_id, f"Really {what}?", buttons=keyboard())


@router.message(Command("list"))
async def on_list(message: Message):
    await message.answer(f"{len(open_reports)} open, {len(dp.routers)} routers", parse_mode=ParseMode.TEXT)


if __name__ == "__main__":
    asyncio.run(bot.run())
