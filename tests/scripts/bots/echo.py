"""An echo: the bot of the official client's read-me, with the server from the environment."""

import asyncio
from os import environ

from trueconf import Bot, Dispatcher, F, Message, ParseMode, Router

router = Router()
dp = Dispatcher()
dp.include_router(router)

bot = Bot.from_credentials(
    server="127.0.0.1",
    username="robot",
    password="robot",
    dispatcher=dp,
    https=False,
    web_port=int(environ["PORT"]),
)


@router.message(F.text)
async def echo(msg: Message):
    await msg.answer(f"You says: **{msg.text}**", parse_mode=ParseMode.MARKDOWN)


async def main():
    await bot.run()


if __name__ == "__main__":
    asyncio.run(main())
