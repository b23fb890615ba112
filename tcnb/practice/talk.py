"""What colleagues do next: conversations line by line, and what happens beside them; the clock is kept elsewhere.

All choices come from one random sequence, so the same seed gives the same authors, chats and contents.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from tcnb.practice import phrases, pictures
from tcnb.practice.entities import Chat, Message, Refusal, StoredFile, User
from tcnb.practice.world import World
from tcnb.types.enums import ChatParticipantRole, ChatType, FileReadyState, MessageType

STAYS_IN_CHAT: Final = 0.75
"""How likely the next line is said in the same chat as the last one."""
REMEMBERED: Final = 30
"""Messages of colleagues, a chat, that may still be edited, deleted or forwarded."""
ARRIVES_SLOWLY: Final = 0.3
"""How likely a document is posted before it has arrived as a whole."""
LEAST_MEMBERS: Final = 3


@dataclass(slots=True)
class Conversation:
    """A script being played in a chat: who speaks, which words are filled in, and how far it is."""

    script: phrases.Script
    cast: list[User]
    words: dict[str, Any]
    position: int = 0
    last: Message | None = None


@dataclass(slots=True)
class Place:
    """A chat in which colleagues talk."""

    chat: Chat
    kind: str
    language: str
    members: list[User]
    weight: float
    absent: list[User] = field(default_factory=list)
    conversation: Conversation | None = None
    recent: deque[Message] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def is_quiet(self) -> bool:
        """Whether no conversation is going on."""
        return self.conversation is None or self.conversation.position >= len(self.conversation.script.lines)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A personal chat that a colleague is going to open with an account."""

    person: User
    account: User
    chat_id: str


class Talk:
    """The one who decides what is said next.

    Args:
        world: where it is said.
        seed: decides everything.

    Attributes:
        places: where colleagues talk; with the first, they begin.
        strangers: colleagues who have no personal chat with an account yet, and may open one.
        arriving: files posted before they had arrived, for somebody to complete.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.places: list[Place] = []
        self.strangers: list[Meeting] = []
        self.arriving: list[StoredFile] = []
        self._world = world
        self._rng = random.Random(f"talk-{seed}")
        self._place: Place | None = None
        self._unused: dict[str, list[phrases.Script]] = defaultdict(list)
        self._beside: tuple[tuple[float, Callable[[Place], bool]], ...] = (
            (0.030, self._edit),
            (0.015, self._delete),
            (0.020, self._forward),
            (0.020, self._post_picture),
            (0.025, self._post_sticker),
            (0.015, self._post_document),
            (0.010, self._post_location),
            (0.008, self._post_voice),
            (0.004, self._post_survey),
            (0.010, self._come_or_go),
            (0.003, self._change_role),
            (0.003, self._meet_somebody),
        )

    @property
    def is_between(self) -> bool:
        """Whether the conversation that was going on has come to its end."""
        return self._place is None or self._place.is_quiet

    def act(self, *, hops: bool = True) -> None:
        """Let one thing happen; without hops it stays in one chat until the conversation there has ended."""
        if self.is_between if not hops else self._rng.random() >= STAYS_IN_CHAT:
            self._place = None
        place = self._next_place()
        if place.kind != "channel":
            chance = self._rng.random()
            for share, happen in self._beside:
                if chance < share:
                    if happen(place):
                        return
                    break
                chance -= share
        self._next_line(place)

    def meet(self, meeting: Meeting) -> Place:
        """Let a colleague open a personal chat with an account, and talk there from now on."""
        chat = self._world.create_p2p(meeting.person, meeting.account, meeting.chat_id)
        language = phrases.language_of(meeting.person.display_name)
        place = Place(chat, f"personal-{language}", language, [meeting.person], 0.4)
        self.places.append(place)
        return place

    # ── conversations ───────────────────────────────────────────────────────────────────────────────────────────

    def _next_place(self) -> Place:
        if self._place is None:
            self._place = self._rng.choices(self.places, [place.weight for place in self.places])[0]
        return self._place

    def _next_line(self, place: Place) -> None:
        conversation = place.conversation
        if conversation is None or place.is_quiet:
            conversation = place.conversation = self._begin(place)
        line = conversation.script.lines[conversation.position]
        conversation.position += 1
        speaker = conversation.cast[line.speaker % len(conversation.cast)]
        if speaker.user_id not in place.chat.participants:
            speaker = place.members[0]
        answered = conversation.last
        reply_to = answered.message_id if line.is_reply and answered and not answered.is_removed else None
        if line.file is not None:
            self._post_named(place, speaker, line.file)
            return
        text = (line.text or "").format_map(conversation.words)
        conversation.last = self._say(place, speaker, text, reply_to)

    def _begin(self, place: Place) -> Conversation:
        waiting = self._unused[place.kind]
        if not waiting:
            waiting.extend(phrases.scripts_for(place.kind))
            self._rng.shuffle(waiting)
        script = waiting.pop()
        cast = self._rng.sample(place.members, min(len(place.members), 3))
        if place.kind == "channel":
            cast = place.members[:1] + [user for user in cast if user is not place.members[0]]
        return Conversation(script, cast, self._words(place, cast))

    def _words(self, place: Place, cast: list[User]) -> dict[str, Any]:
        rng = self._rng
        words: dict[str, Any] = {name: rng.choice(choices) for name, choices in phrases.SLOTS.items()}
        words["build"] = rng.randint(4000, 4999)
        words["version"] = f"5.{rng.randint(5, 6)}.{rng.randint(0, 19)}"
        words["ticket"] = f"TC-{rng.randint(100, 2999)}"
        words["minutes"] = rng.randint(3, 40)
        words["percent"] = rng.randint(5, 95)
        words["domain"] = self._world.domain
        words["bot"] = self._bot_name(place)
        for letter, user in zip("abc", (cast * 3)[:3], strict=True):
            words[f"name_{letter}"] = escape(user.display_name.split()[0])
            words[f"at_{letter}"] = mention(user)
        return words

    def _bot_name(self, place: Place) -> str:
        accounts = self._world.audience(place.chat)
        return escape(self._world.user(accounts[0]).display_name) if accounts else ""

    def _say(self, place: Place, speaker: User, text: str, reply_to: str | None = None) -> Message:
        message = self._world.say(speaker, place.chat.chat_id, text, "html", reply_to=reply_to)
        place.recent.append(message)
        return message

    # ── files and the like ──────────────────────────────────────────────────────────────────────────────────────

    def _post_named(self, place: Place, speaker: User, kind: str) -> None:
        if kind == "document":
            self._attach_document(place, speaker)
        elif kind == "location":
            self._send_location(place, speaker)
        else:
            self._attach(place, speaker, pictures.KINDS[kind](self._rng.randrange(pictures.VARIETY)))

    def _attach(self, place: Place, speaker: User, file: StoredFile) -> None:
        for preview in file.previews:
            self._world.files[preview.file_id] = preview
        place.recent.append(self._world.attach(speaker, place.chat.chat_id, file))

    def _attach_document(self, place: Place, speaker: User) -> None:
        file = pictures.document(self._rng)
        if self._rng.random() < ARRIVES_SLOWLY:
            file.state, file.received = FileReadyState.UPLOADING, 0
            self.arriving.append(file)
        self._attach(place, speaker, file)

    def _send_location(self, place: Place, speaker: User) -> None:
        latitude, longitude, title = self._rng.choice(phrases.PLACES)
        content = {"latitude": latitude, "longitude": longitude, "title": title}
        self._world.post(speaker, place.chat.chat_id, MessageType.LOCATION, content)

    def _post_picture(self, place: Place) -> bool:
        # A file with text comes as two messages from client applications, the text first (`protocol` section 5.2).
        speaker = self._speaker(place)
        if self._rng.random() < 0.5:
            self._say(place, speaker, "Вот, смотрите" if place.language == "ru" else "Look at this")
        self._attach(place, speaker, pictures.picture(self._rng.randrange(pictures.VARIETY)))
        return True

    def _post_sticker(self, place: Place) -> bool:
        self._attach(place, self._speaker(place), pictures.sticker(self._rng.randrange(pictures.VARIETY)))
        return True

    def _post_document(self, place: Place) -> bool:
        self._attach_document(place, self._speaker(place))
        return True

    def _post_location(self, place: Place) -> bool:
        self._send_location(place, self._speaker(place))
        return True

    def _post_voice(self, place: Place) -> bool:
        file, seconds = pictures.voice(self._rng.randrange(pictures.VARIETY))
        speaker = self._speaker(place)
        if self._world.settings.is_flat:
            self._attach(place, speaker, file)
        else:
            self._world.attach_voice(speaker, place.chat.chat_id, file, seconds)
        return True

    def _post_survey(self, place: Place) -> bool:
        title = "Куда идём обедать?" if place.language == "ru" else "Lunch choice"
        path = f"{self._rng.getrandbits(40):010x}"
        address = f"https://{self._world.domain}/webtools/survey"
        content = {
            "url": address,
            "appVersion": 1,
            "path": path,
            "title": title,
            "description": "{{Survey}}",
            "buttonText": "{{Go to survey}}",
            "secret": f"{self._rng.getrandbits(160):040x}",
            "alt": f"📊 <a href='{address}?id={path}&error=autologin_not_supported'>{title}</a>",
        }
        self._world.post(self._speaker(place), place.chat.chat_id, MessageType.SURVEY, content)
        return True

    # ── what happens to what was said ───────────────────────────────────────────────────────────────────────────

    def _edit(self, place: Place) -> bool:
        said = [message for message in place.recent if self._is_there(message, MessageType.PLAIN_MESSAGE)]
        if not said:
            return False
        message = self._rng.choice(said[-6:])
        text = message.content["text"] + self._rng.choice(phrases.AFTERTHOUGHTS[place.language])
        author = self._world.user(message.author_id)
        content = self._world.text_content(text, "html")
        self._world.edit(author, message.message_id, MessageType.PLAIN_MESSAGE, content)
        return True

    def _delete(self, place: Place) -> bool:
        said = [message for message in place.recent if self._is_there(message)]
        if not said:
            return False
        message = self._rng.choice(said[-6:])
        self._world.remove_message(self._world.user(message.author_id), message.message_id, for_all=True)
        return True

    def _forward(self, place: Place) -> bool:
        said = [message for message in place.recent if self._is_there(message)]
        others = [other for other in self.places if other.kind in ("en", "ru")]
        if not said or not others:
            return False
        target = self._rng.choice(others)
        speaker = self._rng.choice(target.members)
        try:
            self._world.forward(speaker, self._rng.choice(said).message_id, target.chat.chat_id)
        except Refusal:
            return False
        return True

    def _come_or_go(self, place: Place) -> bool:
        if place.chat.type != ChatType.GROUP:
            return False
        world, chat_id = self._world, place.chat.chat_id
        if place.absent and self._rng.random() < 0.6:
            user = place.absent.pop(0)
            place.members.append(user)
            world.add_participant(place.members[0], chat_id, user, display_history=True)
        elif len(place.members) > LEAST_MEMBERS:
            user = place.members.pop(self._rng.randrange(1, len(place.members)))
            place.absent.append(user)
            world.remove_participant(user, chat_id, user, clear_history=False)
        else:
            return False
        return True

    def _change_role(self, place: Place) -> bool:
        if place.chat.type != ChatType.GROUP or len(place.members) < 2:
            return False
        user = self._rng.choice(place.members[1:])
        is_admin = place.chat.participants[user.user_id].role == ChatParticipantRole.ADMIN
        role = ChatParticipantRole.USER if is_admin else ChatParticipantRole.ADMIN
        self._world.change_role(place.members[0], place.chat.chat_id, user, role.value)
        return True

    def _meet_somebody(self, place: Place) -> bool:
        if not self.strangers:
            return False
        self._place = self.meet(self.strangers.pop(0))
        self._next_line(self._place)
        return True

    def _speaker(self, place: Place) -> User:
        return self._rng.choice(place.members)

    def _is_there(self, message: Message, message_type: MessageType | None = None) -> bool:
        return (
            not message.is_removed
            and message.author_id in message.chat.participants
            and (message_type is None or message.type == message_type)
        )


def mention(user: User) -> str:
    """Return the link that mentions a user (`protocol` section 10.2)."""
    return f'<a href="trueconf:{user.user_id}">{escape(user.display_name)}</a>'
