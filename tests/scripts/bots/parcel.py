"""Tells what a message carries: a contact, something forwarded once or twice, a file."""

import asyncio
import os

from trueconf import Bot, Dispatcher, F, Router
from trueconf.types.content.forward_message import ForwardMessage
from trueconf.types.content.text import TextContent
from trueconf.types.message import Message

router = Router()
dp = Dispatcher()
dp.include_router(router)


@router.message(F.forwarded_message)
async def on_forward(message: Message):
    inner = message.forwarded_message
    kinds = isinstance(inner, ForwardMessage), isinstance(inner.content, TextContent)
    await message.answer(f"forwarded {inner.type.value}: {inner.text}, {kinds}", parse_mode="text")


@router.message(F.document)
async def on_document(message: Message):
    contact = await message.contact
    if contact is not None:
        await message.answer(f"card of {contact.first_name!r} {contact.last_name!r}", parse_mode="text")
    else:
        await message.answer(f"a file of {message.document.file_size} bytes", parse_mode="text")


@router.message(F.text)
async def on_text(message: Message):
    contact = await message.contact
    if contact is None:
        await message.answer(f"a text in {sorted(message.to_dict()['content'])}", parse_mode="text")
    else:
        await message.answer(f"{contact.user_id} is {contact.first_name}", parse_mode="text")


if __name__ == "__main__":
    bot = Bot.from_credentials(
        "127.0.0.1", "robot", "robot", https=False, web_port=int(os.environ["PORT"]), dispatcher=dp
    )
    asyncio.run(bot.run())
