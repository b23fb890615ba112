"""A survey in steps: states of a conversation, answers that do not fit, cancelling, and the data at the end."""

import asyncio
import os

from trueconf import Bot, Dispatcher, Message, Router
from trueconf.filters import Command
from trueconf.fsm import FSMContext, State, StateFilter, StatesGroup
from trueconf.fsm.storage.memory import MemoryStorage

dp = Dispatcher(storage=MemoryStorage())
router = Router()
dp.include_router(router)


class Form(StatesGroup):
    name = State()
    age = State()

    class Address(StatesGroup):
        city = State()


@router.message(Command("survey"))
async def on_survey(message: Message, state: FSMContext):
    await state.set_state(Form.name)
    await message.answer("What is your name?")


@router.message(Command("cancel"))
async def on_cancel(message: Message, state: FSMContext):
    await state.clear()
    await message.answer("Cancelled.")


@router.message(Command("where"))
async def on_where(message: Message, state: FSMContext, raw_state: str | None):
    await message.answer(f"at {raw_state}, {await state.get_state() == raw_state}, with {await state.get_data()}")


@router.message(Form.name, Command("skip"))
async def on_skip(message: Message, state: FSMContext):
    await state.update_data(name="nobody")
    await state.set_state(Form.age)
    await message.answer("Then how old?")


@router.message(Form.name)
async def on_name(message: Message, state: FSMContext):
    await state.update_data(name=message.text)
    await state.set_state(Form.age)
    await message.answer("How old are you?")


@router.message(StateFilter(Form.age))
async def on_age(message: Message, state: FSMContext):
    if not message.text.isdigit():
        await message.answer("A number, please.")
        return
    await state.update_data({"age": int(message.text)})
    await state.set_state(Form.Address.city)
    await message.answer("In which city?")


@router.message(Form.Address.city)
async def on_city(message: Message, state: FSMContext):
    name, age = await state.get_value("name"), await state.get_value("age", 0)
    await state.clear()
    await message.answer(f"{name}, {age}, of {message.text}. Thank you!")
    await message.bot.send_survey(message.chat.chat_id, "How was it?", "k7Qm2xZ0pd")


@router.message(StateFilter(None))
async def on_idle(message: Message):
    await message.answer("Send /survey.")


bot = Bot.from_credentials("127.0.0.1", "robot", "robot", dispatcher=dp, https=False, web_port=int(os.environ["PORT"]))

if __name__ == "__main__":
    asyncio.run(bot.run())
