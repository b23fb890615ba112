"""States of conversations: their names, whose they are, what handlers do with them, and the filters they are."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tcnb.errors import UsageError
from tcnb.fsm import (
    DefaultKeyBuilder,
    FSMContext,
    FSMManager,
    FSMStrategy,
    MemoryStorage,
    State,
    StateFilter,
    StatesGroup,
    StorageKey,
    any_state,
    default_state,
)
from tcnb.routing import Command, Dispatcher, Router

ALICE, BOB = "alice@practice.local", "bob@practice.local"


class Form(StatesGroup):
    """Steps, and steps inside."""

    name = State()
    age = State()

    class Address(StatesGroup):
        """Steps inside."""

        city = State()


def test_names_of_states():
    """A state is called by its group and its attribute, inside groups by all of them."""
    assert [str(state) for state in Form] == ["Form:name", "Form:age", "Form.Address:city"]
    assert (str(State("mine")), any_state.state, default_state.state) == ("mine", "*", None)
    assert Form.Address.city in Form and "Form:age" in Form and Form.Address in Form and "Form:city" not in Form
    assert Form.Address.get_root() is Form


def test_states_of_one_name_are_equal():
    """A group that is defined again, as by running a cell again, has the same states."""
    again = type("Form", (StatesGroup,), {"name": State()})
    assert again.name == Form.name == "Form:name" and hash(again.name) == hash(Form.name)
    assert again.name != Form.age and StateFilter(again.name) == StateFilter("Form:name")


def test_states_without_a_name():
    """A state outside of a group needs a name, and one state belongs to one group."""
    with pytest.raises(UsageError, match="needs a name"):
        _ = State().state
    with pytest.raises(UsageError, match="belongs to Form"):
        type("Other", (StatesGroup,), {"name": Form.name})


@pytest.fixture
def context() -> FSMContext:
    """The state of one person in one chat."""
    return FSMContext(MemoryStorage(), StorageKey("robot", "c1", ALICE))


async def test_context(context):
    """State and data are read, changed, added to and forgotten; what is returned is a copy."""
    await context.set_state(Form.name)
    assert await context.get_state() == "Form:name"
    assert await context.update_data({"a": 1}, b=2) == {"a": 1, "b": 2}
    (await context.get_data())["a"] = 9
    assert (await context.get_value("a"), await context.get_value("c", 3)) == (1, 3)
    await context.set_state(None)
    assert (await context.get_state(), await context.get_data()) == (None, {"a": 1, "b": 2})
    await context.set_data({"c": 3})
    await context.clear()
    assert (await context.get_state(), await context.get_data()) == (None, {})


async def test_memory_forgets_who_has_no_state(context):
    """Somebody who is at no step and has no data leaves nothing in memory."""
    await context.set_state(Form.name)
    await context.set_state(None)
    await context.set_data({"a": 1})
    await context.set_data({})
    assert context.storage._kept == {}


@pytest.mark.parametrize(
    ("strategy", "shared"),
    [
        (FSMStrategy.USER_IN_CHAT, [True, False, False]),
        (FSMStrategy.CHAT, [True, True, False]),
        (FSMStrategy.GLOBAL_USER, [True, False, True]),
    ],
)
def test_whose_state_it_is(strategy, shared):
    """By the strategy a person in a chat, a chat, or a person shares one state."""

    def event(chat_id: str, user_id: str) -> SimpleNamespace:
        return SimpleNamespace(chat_id=chat_id, author=SimpleNamespace(id=user_id))

    manager = FSMManager(strategy=strategy)
    keys = [
        manager.get_context(SimpleNamespace(me_id="robot"), event(*one)).key
        for one in (("c1", ALICE), ("c1", ALICE), ("c1", BOB), ("c2", ALICE))
    ]
    assert [key == keys[0] for key in keys[1:]] == shared


def test_event_without_a_person():
    """Who cannot be told apart has no state, and it is said what to do."""
    with pytest.raises(UsageError, match="key_builder"):
        DefaultKeyBuilder().build(None, SimpleNamespace(chat_id="c1"))


def form(router: Router, seen) -> None:
    """Put a small form into a router."""

    @router.message(Command("go"))
    async def on_go(message, state):
        await state.set_state(Form.name)
        seen.note("go")

    @router.message(Form.name, Form.age, Command("skip"))
    async def on_skip(message, state):
        await state.set_state(Form.Address.city)
        seen.note("skip")

    @router.message(Form.name)
    async def on_name(message, state, raw_state):
        await state.update_data(name=message.text)
        await state.set_state(Form.age)
        seen.note(raw_state)

    @router.message(Form.Address.city)
    async def on_city(message, state):
        seen.note(await state.get_data())
        await state.clear()

    @router.message(default_state)
    async def on_nothing(message):
        seen.note("nothing")

    @router.message(any_state)
    async def on_rest(message, raw_state):
        seen.note(f"any {raw_state}")


@pytest.mark.parametrize("kind", [Dispatcher, Router])
def test_handlers_go_by_states(post, seen, kind):
    """States are filters, several of them mean one of them, and each person in each chat has one."""
    if kind is Dispatcher:
        above = Dispatcher(storage=MemoryStorage())
    else:
        above = Router("above")
        above.setup_fsm()
    router = Router()
    form(router, seen)
    above.include_router(router)
    post.router.include_router(above)
    for text in ("hello", "/go", "Ann", "42", "/skip", "Riga", "hello"):
        post.say(text)
    post.say("hello", sender=BOB)
    post.settle()
    assert seen.take(8) == ["nothing", "go", "Form:name", "any Form:age", "skip", {"name": "Ann"}, "nothing", "nothing"]
    assert not post.failures


def test_states_that_nobody_keeps(post, seen):
    """A state as a filter where no states are kept is a failure that says what to do."""
    form(post.router, seen)
    post.say("Ann")
    post.settle()
    assert "storage=MemoryStorage()" in post.failures[0].error


def test_event_of_nobody_has_no_state(post, seen):
    """What no person did reaches handlers with no state, and states as filters pass nothing of it."""
    post.router.setup_fsm()

    @post.router.removed_chat(any_state)
    async def never(event):
        seen.note("never")

    @post.router.removed_chat()
    async def on_removed(event, state):
        seen.note(state)

    post.send("removeChat", {"chatId": "c1"})
    post.settle()
    assert seen.next() is None and seen.is_empty and not post.failures


def test_states_begin_anew(post):
    """Setting up states again replaces them, as running a cell again does; two ways at once are refused."""
    storage = MemoryStorage()
    post.router.setup_fsm()
    post.router.setup_fsm(storage=storage)
    assert post.router.fsm.storage is storage and len(list(post.router._outer)) == 1
    with pytest.raises(UsageError, match="not both"):
        post.router.setup_fsm(fsm_manager=FSMManager(), storage=storage)


def test_states_alone_do_not_make_every_event_wanted(post):
    """Notifications that no handler is for are not even read, with states as without."""
    post.router.setup_fsm()
    post.router.message()(lambda message: None)
    assert post.router.wanted() == {"sendMessage"}


def test_handlers_of_states_are_replaced(post, seen):
    """A cell with a handler for a state can be run again."""
    source = "@router.message(Form.name)\nasync def on_name(message): ...\n"
    for number in (1, 2):
        form_again = type("Form", (StatesGroup,), {"name": State()})
        exec(compile(source, f"cell {number}", "exec"), {"router": post.router, "Form": form_again})
    assert [handler.name for handler in post.router.handlers] == ["on_name"]


def test_routers_of_a_dispatcher_are_a_list(post, seen):
    """Scripts take routers out of `dispatcher.routers` and put others in; events follow."""
    dispatcher = Dispatcher()
    post.router.include_router(dispatcher)
    routers = {name: Router(name) for name in ("a", "b", "c")}
    for name, router in routers.items():
        router.message()(lambda message, name=name: seen.note(name))
    dispatcher.routers.extend([routers["a"], routers["b"]])
    dispatcher.routers.insert(0, routers["c"])
    dispatcher.routers.remove(routers["a"])
    assert [router.name for router in dispatcher.routers] == ["c", "b"]
    assert dispatcher.routers[-1] is routers["b"] and dispatcher.routers[:1] == [routers["c"]]
    post.say("hello")
    post.settle()
    assert seen.take(2) == ["c", "b"]
    with pytest.raises(UsageError, match="routers in this list"):
        dispatcher.routers.append("router")
    dispatcher.routers[0] = routers["a"]
    del dispatcher.routers[1]
    assert list(dispatcher.routers) == [routers["a"]]


def test_handler_asks_back(tc, alice, seen):
    """A handler may wait for the next message of its chat, which handlers get as well when it has ended."""
    chat_id = alice.group("Crew", "robot")

    @tc.router.message(command="deploy")
    async def on_deploy(message, tc):
        answers = tc.await_for(chat=message.chat_id, sender=message.author.id)
        waiting = asyncio.create_task(answers)
        await message.answer("Which version?")
        seen.note("asked")
        seen.note((await waiting).text)

    @tc.router.message()
    async def on_rest(message):
        seen.note(f"rest: {message.text}")

    alice.say(chat_id, "/deploy")
    assert seen.next() == "asked"
    alice.say(chat_id, "1.2.3")
    assert seen.take(2) == ["1.2.3", "rest: 1.2.3"]


def test_manager_of_states_can_be_set(post):
    """A manager that a script sets is used, None takes it away, and anything else is refused."""
    storage = MemoryStorage()
    post.router.fsm = FSMManager(storage)
    assert post.router.fsm.storage is storage
    assert len(list(post.router._outer)) == 1
    post.router.fsm = None
    assert not list(post.router._outer)
    with pytest.raises(UsageError, match="call setup_fsm"):
        post.router.fsm = storage
