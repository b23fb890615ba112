"""A help desk: a worker and handlers share a queue, a handler asks and waits, middlewares count, the bot is a class."""

import asyncio
import os

from trueconf import BaseMiddleware, Bot, Dispatcher, F, Message, Router
from trueconf.filters import Command
from trueconf.types import CreatedGroupChat, Update
from trueconf.types.requests import EditedMessage, RemovedMessage


class Counting(BaseMiddleware):
    def __init__(self):
        self.seen = 0

    async def __call__(self, handler, event, data):
        if isinstance(event, Message):
            self.seen += 1
            if event.text == "spam":
                return
        data["seen"] = self.seen
        await handler(event, data)


router = Router()
router.outer_middleware(Counting())
dp = Dispatcher()
dp.include_router(router)
orders: asyncio.Queue[Message] = asyncio.Queue()
answers: dict[str, asyncio.Future[str]] = {}


class Desk(Bot):
    """A bot with something of its own, which handlers find in it."""

    name = "the desk"


bot = Desk.from_credentials(
    "127.0.0.1", "robot", "robot", dispatcher=dp, https=False, web_port=int(os.environ["PORT"]), timeout=15
)


@router.message(Command("order"))
async def on_order(message: Message):
    await orders.put(message)


@router.message(Command("ask"))
async def on_ask(message: Message, bot: Desk):
    answers[message.from_user.id] = asyncio.get_running_loop().create_future()
    await message.answer(f"{bot.name} asks: which colour?", parse_mode="text")
    colour = await answers[message.from_user.id]
    del answers[message.from_user.id]
    await message.answer(f"so {colour}", parse_mode="text")


@router.message(lambda message: message.from_user.id in answers)
async def on_answer(message: Message):
    answers[message.from_user.id].set_result(message.text)


@router.message(F.text == "how many?")
async def on_how_many(message: Message, seen: int):
    await message.answer(f"{seen} messages", parse_mode="text")


@router.edited_message()
async def on_edited(event: EditedMessage):
    await bot.send_message(event.chat_id, f"edited: {event.content.text}")


@router.removed_message()
async def on_removed(event: RemovedMessage):
    await bot.send_message(event.chat_id, "removed")


@router.event("addChatParticipant")
async def on_added(event: Update):
    await bot.send_message(event.payload["chatId"], f"hello from {event.method}")


@router.created_group_chat()
async def on_group(event: CreatedGroupChat):
    await bot.send_message(event.chat_id, f"{event.title} is open")


@router.message(Command("room"))
async def on_room(message: Message):
    room = await bot.create_group_chat("Room")
    await bot.add_participant_to_chat(room.chat_id, message.from_user.id)
    await message.answer(f"in it: {(await bot.has_chat_participant(room.chat_id, 'alice')).result}", parse_mode="text")


@router.message(Command("stop"))
async def on_stop(message: Message):
    await message.answer("good bye", parse_mode="text")
    await bot.shutdown()


async def work():
    while True:
        message = await orders.get()
        await message.answer(f"ordered by {bot.me_id == (await bot.me_chat and bot.me_id)}", parse_mode="text")


async def main():
    await bot.start()
    await bot.authorized_event.wait()
    worker = asyncio.create_task(work())
    print(bot.health_check()["status"], flush=True)
    await bot.stopped_event.wait()
    worker.cancel()
    print(bot.health_check()["status"], flush=True)


if __name__ == "__main__":
    asyncio.run(main())
