"""A saver of files: keeps what it is sent, tells what it was, sends a copy back, and knows pictures from documents."""

import asyncio
import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from trueconf import Bot, Dispatcher, F, Message, Router
from trueconf.exceptions import ApiErrorException, TrueConfChatBotError
from trueconf.types import BufferedInputFile, FSInputFile
from trueconf.utils import ChatActivitySender

router = Router()
dp = Dispatcher()
dp.include_router(router)
folder = TemporaryDirectory()
bot = Bot.from_credentials(
    server="127.0.0.1", username="robot", password="robot", dispatcher=dp, https=False, web_port=int(os.environ["PORT"])
)


@router.message(F.photo)
async def on_photo(message: Message):
    data = await bot.download_file_by_id(message.photo.file_id)
    await message.answer(f"picture {message.photo.file_name}: {len(data)} bytes", parse_mode="text")


@router.message(F.document.mime_type == "text/plain")
async def on_text(message: Message):
    path = Path(folder.name) / message.document.file_name
    async with ChatActivitySender.typing(bot=bot, chat_id=message.chat.chat_id):
        await bot.download_file_by_id(message.document.file_id, file_path=path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    await message.reply(f"{path.name}: {path.stat().st_size} bytes, {digest}", parse_mode="text")
    await message.answer_document(FSInputFile(path), caption="your file")


@router.message(F.document)
async def on_document(message: Message):
    await message.answer(f"no use for {message.document.mime_type}", parse_mode="text")
    note = BufferedInputFile(file=b"only text, please", file_name="note.txt")
    await bot.send_document(message.chat.chat_id, note)


@router.message(F.text == "/forget")
async def on_forget(message: Message):
    try:
        await bot.get_message_by_id("no-such-message")
    except ApiErrorException as error:
        await message.answer(f"code {error.code}, {isinstance(error, TrueConfChatBotError)}", parse_mode="text")


async def main():
    await bot.run()


if __name__ == "__main__":
    asyncio.run(main())
