"""The emoji that Slack writes as codes, such as `:tada:`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

_CODE: Final = re.compile(r"(?<!\d):(?!skin-tone-)([a-z0-9_+'-]+):(?::skin-tone-([2-6]):)?")
_TONES: Final = {str(number): chr(0x1F3FB + number - 2) for number in range(2, 7)}
_JOINER: Final = "\u200d"
_SELECTOR: Final = "\ufe0f"
_FAMILY: Final = {"man": "👨", "woman": "👩", "boy": "👦", "girl": "👧", "heart": "❤️", "kiss": "❤️\u200d💋"}
_REGIONAL_A: Final = 0x1F1E6

# Slack's own names, which neither Unicode nor the package has, or has for another emoji. Slack publishes no page of
# them; they are those of the open table `emoji-data` that its clients are made from.
_OF_SLACK: Final = {
    "simple_smile": "🙂",
    "face_palm": "🤦",
    "the_horns": "🤘",
    "spock-hand": "🖖",
    "satellite": "🛰️",
    "face_with_cowboy_hat": "🤠",
    "face_with_one_eyebrow_raised": "🤨",
    "grinning_face_with_star_eyes": "🤩",
    "grinning_face_with_one_large_and_one_small_eye": "🤪",
    "face_with_finger_covering_closed_lips": "🤫",
    "serious_face_with_symbols_covering_mouth": "🤬",
    "face_with_open_mouth_vomiting": "🤮",
    "smiling_face_with_smiling_eyes_and_hand_covering_mouth": "🤭",
    "smiling_face_with_3_hearts": "🥰",
    "shocked_face_with_exploding_head": "🤯",
    "hand_with_index_and_middle_fingers_crossed": "🤞",
    "i_love_you_hand_sign": "🤟",
    "mother_christmas": "🤶",
    "person_doing_cartwheel": "🤸",
    "juggling": "🤹",
    "fencer": "🤺",
    "wrestlers": "🤼",
    "woman-wrestling": "🤼‍♀️",
    "man-wrestling": "🤼‍♂️",
    "handball": "🤾",
    "man_and_woman_holding_hands": "👫",
    "male-doctor": "👨‍⚕️",
    "female-doctor": "👩‍⚕️",
    "bride_with_veil": "👰",
    "man_with_turban": "👳",
    "guardsman": "💂",
    "ok_woman": "🙆",
    "person_with_headscarf": "🧕",
    "woman_with_beard": "🧔‍♀️",
    "man_with_beard": "🧔‍♂️",
    "red_haired_person": "🧑‍🦰",
    "bald_person": "🧑‍🦲",
    "curly_haired_person": "🧑‍🦱",
    "white_haired_person": "🧑‍🦳",
    **dict.fromkeys(("women-with-bunny-ears-partying", "woman-with-bunny-ears-partying"), "👯‍♀️"),
    **dict.fromkeys(("men-with-bunny-ears-partying", "man-with-bunny-ears-partying"), "👯‍♂️"),
    "first_place_medal": "🥇",
    "second_place_medal": "🥈",
    "third_place_medal": "🥉",
    "medal": "🎖️",
    "knife_fork_plate": "🍽️",
    "kiwifruit": "🥝",
    "mate_drink": "🧉",
    "egg": "🥚",
    "turkey": "🦃",
    "drum_with_drumsticks": "🥁",
    "womans_flat_shoe": "🥿",
    "giraffe_face": "🦒",
    "zebra_face": "🦓",
    "ladybug": "🐞",
    "beetle": "🪲",
    "octagonal_sign": "🛑",
    "shopping_trolley": "🛒",
    "scooter": "🛴",
    "umbrella": "☂️",
    "snowman": "☃️",
    "email": "✉️",
    "eject": "⏏️",
    "staff_of_aesculapius": "⚕️",
    "keycap_star": "*️⃣",
    "mostly_sunny": "🌤️",
    "sun_small_cloud": "🌤️",
    "sun_behind_cloud": "🌥️",
    "barely_sunny": "🌥️",
    "partly_sunny_rain": "🌦️",
    "rain_cloud": "🌧️",
    "snow_cloud": "🌨️",
    "lightning": "🌩️",
    "lightning_cloud": "🌩️",
    "tornado_cloud": "🌪️",
}


def decoded(text: str, unknown: Callable[[str], None]) -> str:
    """Return a text with its codes of emoji written as emoji.

    Args:
        text: the text, as Slack writes it.
        unknown: is told each code that is no known one, such as an emoji of the workspace; it stays as it is.

    Raises:
        ImportError: the package with the names of the emoji is not installed.
    """

    def written(code: re.Match[str]) -> str:
        character = _character(code[1])
        if character is None:
            if not code[1].isdigit():
                unknown(code[1])
            return code[0]
        return _toned(character, _TONES[code[2]]) if code[2] else character

    return _CODE.sub(written, text) if ":" in text else text


def _toned(character: str, tone: str) -> str:
    """Return an emoji in a tone of skin, which stands behind the first person of a joined sequence."""
    first, joiner, rest = character.partition(_JOINER)
    return f"{first.removesuffix(_SELECTOR)}{tone}{joiner}{rest}"


@cache
def _character(name: str) -> str | None:
    if name in _OF_SLACK:
        return _OF_SLACK[name]
    known = _names()
    if name.startswith("flag-") and len(name) == 7 and name[5:].isascii() and name[5:].isalpha():
        return "".join(chr(_REGIONAL_A + ord(letter) - ord("a")) for letter in name[5:])
    spelled = name.replace("-", "_")
    for other in (
        name,
        spelled,
        re.sub(r"^(fe)?male_", lambda sex: "woman_" if sex[1] else "man_", spelled),
        spelled.removeprefix("large_"),
        spelled.removeprefix("flag_"),
    ):
        if other in known:
            return known[other]
    people = [_FAMILY.get(part) for part in name.split("-")]
    return _JOINER.join(filter(None, people)) if len(people) > 1 and None not in people else None


@cache
def _names() -> dict[str, str]:
    """Return the emoji by the names that chats give them; where one has none, by that of Unicode."""
    import emoji  # it reads a table of 5,000 emoji: only for exports that have codes

    names: dict[str, str] = {}
    whole = [
        (character, facts)
        for character, facts in emoji.EMOJI_DATA.items()
        if facts["status"] <= emoji.STATUS["fully_qualified"]
    ]
    for character, facts in whole:
        for alias in facts.get("alias", ()):
            names.setdefault(alias.strip(":").lower(), character)
    for character, facts in whole:
        names.setdefault(facts["en"].strip(":").lower(), character)
    return names
