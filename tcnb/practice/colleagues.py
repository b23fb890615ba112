"""Simulated colleagues: who they are, which chats they share with every account, and the clock they live by.

What they say is in `talk`, how they answer bots in `reactions`.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha1
from typing import Final

from tcnb.practice import phrases
from tcnb.practice.entities import Message, Notice, StoredFile, User
from tcnb.practice.options import Options
from tcnb.practice.reactions import Reactions
from tcnb.practice.talk import Meeting, Place, Talk
from tcnb.practice.world import World
from tcnb.types.enums import FileReadyState

HISTORY_DAYS: Final = 14
MOST_A_DAY: Final = 2000
"""Messages of the history on one day; a longer history reaches further back."""
MEAN_PAUSE_MS: Final = 70_000
"""Milliseconds between two lines of a conversation, on average."""
LEFT_UNREAD: Final = 3
"""Messages of the history that accounts have not read yet."""
PERSONAL_CHATS: Final = 5
"""Colleagues who have a personal chat with every account from the beginning."""
SHORTEST_TICK: Final = 0.02
LONGEST_TICK: Final = 0.25
"""Seconds between two looks at the clock; all that is due by then is done at once."""
MOST_BEHIND: Final = 1.0
"""Seconds of work that are made up for when the server was too busy; what is older is left out."""
ARRIVAL_STEPS: Final = 4
ARRIVAL_TIME: Final = 1.5
READY_LAG: Final = 0.3
"""Seconds between the last byte of a file and its readiness (`protocol` section 8.3)."""
MOST_ARRIVING: Final = 50

_HOUR_WEIGHTS: Final = (0, 0, 0, 0, 0, 0, 0, 1, 3, 8, 10, 10, 7, 5, 8, 10, 9, 7, 4, 2, 1, 1, 0, 0)
_WEEKDAY_WEIGHTS: Final = (1.0, 1.0, 1.0, 1.0, 0.9, 0.08, 0.05)


class Colleagues:
    """The people of a practice server.

    Args:
        world: where they live; they move in at once, with their chats and their history.
        options: how many they are and how they behave.
    """

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._rate = options.talk_rate
        self._replies = options.colleagues_reply
        self._time = random.Random(f"time-{options.seed}")
        self._talk = Talk(world, options.seed)
        self._reactions = Reactions(world, options.seed)
        self._arrivals: list[tuple[float, StoredFile, int]] = []
        self._people = [world.add_user(*person) for person in _newcomers(world, options.people)]
        self._move_in(random.Random(f"chats-{options.seed}"), options.seed)
        self._live_through(options.history)

    @property
    def is_about_to_answer(self) -> bool:
        """Whether somebody is going to answer a bot."""
        return self._reactions.next_due is not None

    def heard(self, notices: Iterable[Notice]) -> None:
        """Take note of what bots did."""
        if not self._replies:
            return
        now = asyncio.get_running_loop().time()
        for notice in notices:
            about = notice.about
            if isinstance(about, Message) and not about.is_system and self._world.user(about.author_id).is_account:
                self._reactions.heard(about, now)

    async def work(self, deliver: Callable[[], None]) -> None:
        """Talk until cancelled.

        Args:
            deliver: tells the sessions what happened; called after each batch.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self._pause()
        while True:
            now = loop.time()
            due = max(due, now - MOST_BEHIND)
            happened = self._reactions.act(now) + self._receive_files(now)
            while due <= now:
                self._talk.act()
                due += self._pause()
                happened += 1
            if happened:
                deliver()
            reaction = self._reactions.next_due
            wake = due if reaction is None else min(due, reaction)
            await asyncio.sleep(min(max(wake - loop.time(), SHORTEST_TICK), LONGEST_TICK))

    def _pause(self) -> float:
        return self._time.expovariate(self._rate) if self._rate > 0 else float("inf")

    # ── moving in ───────────────────────────────────────────────────────────────────────────────────────────────

    def _move_in(self, rng: random.Random, seed: int) -> None:
        accounts = [user for user in self._world.users.values() if user.is_account]
        long_ago = self._world.clock() - (HISTORY_DAYS + 1) * 86_400_000
        with self._world.at(long_ago):
            for number, (title, language) in enumerate(phrases.GROUPS):
                members = self._people if number < 2 else self._some(rng)
                if len(members) < 2 and number > 1:
                    continue
                chat_id = _chat_id(self._world, seed, title)
                chat = self._world.create_group(members[0], title, chat_id)
                self._fill(chat_id, members[0], [*members[1:], *accounts])
                self._talk.places.append(Place(chat, language, language, list(members), 3.0 if number < 2 else 2.0))
            self._open_channel(seed, accounts)
            for account in accounts:
                for number, person in enumerate(self._people):
                    meeting = Meeting(
                        person, account, _chat_id(self._world, seed, f"{account.user_id} {person.user_id}")
                    )
                    if number < PERSONAL_CHATS:
                        self._talk.meet(meeting)
                    else:
                        self._talk.strangers.append(meeting)
        self._world.take_notices()

    def _some(self, rng: random.Random) -> list[User]:
        count = max(2, len(self._people) * 2 // 3)
        return rng.sample(self._people, min(count, len(self._people)))

    def _fill(self, chat_id: str, owner: User, users: list[User]) -> None:
        for user in users:
            self._world.add_participant(owner, chat_id, user, display_history=True)

    def _open_channel(self, seed: int, accounts: list[User]) -> None:
        title, language = phrases.CHANNEL
        owner = self._people[0]
        chat_id = _chat_id(self._world, seed, title)
        chat = self._world.create_channel(owner, title, chat_id)
        self._fill(chat_id, owner, [*self._people[1:], *accounts])
        self._talk.places.append(Place(chat, "channel", language, [owner], 0.3))

    # ── the past ────────────────────────────────────────────────────────────────────────────────────────────────

    def _live_through(self, count: int) -> None:
        bursts: list[list[Message]] = []
        for _ in range(count):
            if self._talk.is_between:
                bursts.append([])
            self._talk.act(hops=False)
            bursts[-1] += [notice.about for notice in self._world.take_notices() if isinstance(notice.about, Message)]
        self._date(bursts, max(HISTORY_DAYS, count // MOST_A_DAY))
        for file in self._talk.arriving:
            self._world.finish_file(file)
        self._talk.arriving.clear()
        for user in self._world.users.values():
            if user.is_account:
                for message in self._world.unread(user.user_id)[:-LEFT_UNREAD]:
                    self._world.mark_read(user.user_id, message)

    def _date(self, bursts: list[list[Message]], days: int) -> None:
        """Spread conversations over the last days, in working hours.

        Only afterwards, so that what is said does not depend on the day on which the server is started.
        """
        now = self._world.clock()
        starts = sorted(self._working_moment(now, days) for _ in bursts)
        ends: dict[str, int] = {}
        for start, burst in zip(starts, bursts, strict=True):
            moment = start
            for message in burst:
                chat = message.chat
                moment = min(max(moment, ends.get(chat.chat_id, 0)), now - 1000)
                message.timestamp = chat.active_at = ends[chat.chat_id] = moment
                moment += int(self._time.expovariate(1 / MEAN_PAUSE_MS)) + 2_000

    def _working_moment(self, now: int, days: int) -> int:
        while True:
            moment = now - int(self._time.uniform(0, days * 86_400_000))
            if self._time.random() * max(_HOUR_WEIGHTS) < _busy(moment):
                return moment

    # ── files on their way ──────────────────────────────────────────────────────────────────────────────────────

    def _receive_files(self, now: float) -> int:
        self._plan_arrivals(now)
        due = [arrival for arrival in self._arrivals if arrival[0] <= now]
        if not due:
            return 0
        self._arrivals = [arrival for arrival in self._arrivals if arrival[0] > now]
        for _, file, received in due:
            if file.state == FileReadyState.UPLOADING and received <= file.size:
                self._world.report_progress(file, received)
            else:
                self._world.finish_file(file)
        return len(due)

    def _plan_arrivals(self, now: float) -> None:
        for file in self._talk.arriving:
            if len(self._arrivals) > MOST_ARRIVING * ARRIVAL_STEPS:
                self._world.finish_file(file)
                continue
            for step in range(1, ARRIVAL_STEPS + 1):
                moment = now + ARRIVAL_TIME * step / ARRIVAL_STEPS
                self._arrivals.append((moment, file, file.size * step // ARRIVAL_STEPS))
            self._arrivals.append((now + ARRIVAL_TIME + READY_LAG, file, file.size + 1))
        self._talk.arriving.clear()


def _newcomers(world: World, count: int) -> Iterator[tuple[str, str]]:
    """Return login and display name of so many people; logins that accounts have already are passed over."""
    everybody = map(_person, itertools.count())
    return itertools.islice((one for one in everybody if not world.has_login(one[0])), count)


def _person(number: int) -> tuple[str, str]:
    login, name = phrases.PEOPLE[number % len(phrases.PEOPLE)]
    turn = number // len(phrases.PEOPLE)
    return (f"{login}{turn + 1}", f"{name} {turn + 1}") if turn else (login, name)


def _chat_id(world: World, seed: int, title: str) -> str:
    # The same chats have the same ids after a restart, so a notebook can name them; messages have new ones every time.
    return sha1(f"{world.domain} {seed} {title}".encode()).hexdigest()


def _busy(moment: int) -> float:
    local = time.localtime(moment / 1000)
    return _HOUR_WEIGHTS[local.tm_hour] * _WEEKDAY_WEIGHTS[local.tm_wday]
