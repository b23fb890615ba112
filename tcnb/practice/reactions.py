"""How colleagues react to bots: who answers, with what, and when; what they say among themselves is in `talk`."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from html import escape
from typing import Final

from tcnb.practice import phrases, pictures
from tcnb.practice.entities import Chat, Message, Refusal, User
from tcnb.practice.talk import mention
from tcnb.practice.world import World
from tcnb.types.enums import ButtonType, MessageType
from tcnb.wire import paths

SOONEST: Final = 0.4
LATEST: Final = 1.6
"""Seconds between what a bot says and the answer."""

_MENTION: Final = re.compile(r"trueconf:([^\"'\s&?)]+)")
_KINDS: Final = {
    MessageType.LOCATION: "location",
    MessageType.SURVEY: "survey",
    MessageType.FORWARDED_MESSAGE: "any",
    MessageType.VOICE_MESSAGE: "any",
}


@dataclass(slots=True)
class Reaction:
    """An answer that somebody is about to give; `due` is in seconds of the event loop's clock."""

    due: float
    user: User
    message: Message


class Reactions:
    """What colleagues still want to say to bots: at most one answer a chat at a time.

    Args:
        world: where they say it.
        seed: decides who and what; apart from the seed of the talk, which bots do not disturb.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._rng = random.Random(f"reactions-{seed}")
        self._waiting: dict[str, Reaction] = {}

    def heard(self, message: Message, now: float) -> None:
        """Take note of what a bot said, and plan an answer."""
        chat = message.chat
        if chat.chat_id in self._waiting:
            return
        user = self._who_answers(message)
        if user is not None:
            due = now + self._rng.uniform(SOONEST, LATEST)
            self._waiting[chat.chat_id] = Reaction(due, user, message)

    @property
    def next_due(self) -> float | None:
        """When the next answer is due; None where none is planned."""
        return min((reaction.due for reaction in self._waiting.values()), default=None)

    def act(self, now: float) -> int:
        """Give the answers that are due and return how many there were."""
        due = [reaction for reaction in self._waiting.values() if reaction.due <= now]
        for reaction in due:
            del self._waiting[reaction.message.chat.chat_id]
            try:
                self._answer(reaction.user, reaction.message)
            except Refusal:
                # The chat, or the colleague's place in it, may be gone by now; then there is nothing to answer.
                continue
        return len(due)

    def _who_answers(self, message: Message) -> User | None:
        people = [user for user in self._people(message.chat) if user.user_id != message.author_id]
        if not people or not self._may_speak(message.chat, people):
            return None
        addressed = {paths.bare_id(found) for found in _MENTION.findall(str(message.content.get("text", "")))}
        answered = self._world.messages.get(message.reply_to) if message.reply_to else None
        if answered is not None:
            addressed.add(answered.author_id)
        named = [user for user in people if user.user_id in addressed]
        return self._rng.choice(named or people)

    def _people(self, chat: Chat) -> list[User]:
        users = (self._world.user(user_id) for user_id in chat.participants)
        return [user for user in users if not user.is_account]

    def _may_speak(self, chat: Chat, people: list[User]) -> bool:
        try:
            self._world.check_may_post(people[0], chat.chat_id, None)
        except Refusal:
            return False
        return True

    def _answer(self, user: User, message: Message) -> None:
        if self._presses(user, message):
            return
        chat_id = message.chat.chat_id
        kind = self._kind(message)
        if kind == "sticker" and self._rng.random() < 0.5:
            self._world.attach(user, chat_id, pictures.sticker(self._rng.randrange(pictures.VARIETY)))
            return
        language = phrases.language_of(str(message.content.get("text", user.display_name)))
        text = self._rng.choice(phrases.ANSWERS[language][kind]).format_map(self._words(user, message))
        if self._rng.random() < 0.2:
            text = f"{mention(self._world.user(message.author_id))}, {text}"
        reply_to = message.message_id if not message.is_removed and self._rng.random() < 0.6 else None
        self._world.say(user, chat_id, text, "html", reply_to=reply_to)

    def _presses(self, user: User, message: Message) -> bool:
        rows = message.content.get("buttons", [])
        pressed = (ButtonType.COMMAND.value, ButtonType.MESSAGE.value)
        places = [
            (row, column)
            for row, buttons in enumerate(rows)
            for column, button in enumerate(buttons)
            if button["type"] in pressed
        ]
        if not places or message.is_removed:
            return False
        self._world.press(user, message.message_id, self._rng.choice(places))
        return True

    def _kind(self, message: Message) -> str:
        file = message.file
        if file is not None and message.type == MessageType.ATTACHMENT:
            if file.mime_type == "sticker/webp":
                return "sticker"
            return "picture" if file.mime_type.startswith("image/") else "file"
        if message.type in _KINDS:
            return _KINDS[message.type]
        text = str(message.content.get("text", ""))
        return next((kind for kind, cue in phrases.CUES if cue.search(text)), "any")

    def _words(self, user: User, message: Message) -> dict[str, object]:
        others = [other for other in self._people(message.chat) if other is not user] or [user]
        return {
            "bot": escape(self._world.user(message.author_id).display_name),
            "other": mention(self._rng.choice(others)),
            "minutes": self._rng.randint(2, 30),
            "percent": self._rng.randint(3, 40),
            "file": escape(message.file.name) if message.file else "",
        }
