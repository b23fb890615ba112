"""The public names, fields, methods and positional order of the reference page of types, held against the code."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

import tcnb.types
from tcnb.types import BoundToBot

PAGE = """
AddedChatParticipant   (timestamp, chat_id, user_id, added_by)
ChangedParticipantRole (timestamp, role, chat_id, user_id)
CreatedChannel         (chat_id, title, chat_type, last_message, unread_messages)
CreatedGroupChat       (chat_id, title, chat_type, last_message, unread_messages)
CreatedPersonalChat    (chat_id, title, chat_type, last_message, unread_messages)
EditedMessage          (timestamp, content, chat_id)
InputFile              (filename, file_size, mimetype) clone read
BufferedInputFile      (file, filename, file_size, mimetype) data clone from_file read
FSInputFile            (path, filename, file_size, mimetype) clone read
URLInputFile           (url, headers, filename, file_size, mimetype, timeout) clone prepare read
Message                (timestamp, type, author, box, content, message_id, chat_id, is_edited, reply_message_id) \
from_user content_type text document photo video sticker \
answer answer_document answer_photo answer_sticker copy_to delete forward reply save_to_favorites
RemovedChat            (chat_id)
RemovedChatParticipant (timestamp, chat_id, user_id, removed_by)
RemovedMessage         (chat_id, message_id, removed_by)
Update                 (method, type, id, payload)
UploadingProgress      (file_id, progress)
"""

CALLS = {
    "answer": ["text", "parse_mode"],
    "answer_document": ["file_path"],
    "answer_photo": ["file_path", "preview_path"],
    "answer_sticker": ["file_path"],
    "copy_to": ["chat_id"],
    "delete": ["for_all"],
    "forward": ["chat_id"],
    "reply": ["text", "parse_mode"],
    "save_to_favorites": ["copy"],
}

CLASSES = {}
for line in PAGE.strip().splitlines():
    name, _, rest = line.partition("(")
    fields, _, members = rest.partition(")")
    CLASSES[name.strip()] = ([field.strip() for field in fields.split(",")], members.split())


def parameters(function):
    """Return the names of the parameters that can be given by position."""
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    ]


@pytest.mark.parametrize("name", CLASSES)
def test_constructor_takes_the_fields_of_the_page_in_its_order(name):
    """The constructor takes what the page lists first, in the page's order."""
    fields = CLASSES[name][0]
    assert parameters(getattr(tcnb.types, name))[: len(fields)] == fields


@pytest.mark.parametrize("name", CLASSES)
def test_class_has_the_members_of_the_page(name):
    """Every property and method of the page is there."""
    made = getattr(tcnb.types, name)
    attributes = set(dir(made)) | {"data"} if name == "BufferedInputFile" else set(dir(made))
    assert set(CLASSES[name][1]) <= attributes


@pytest.mark.parametrize("name", [name for name in CLASSES if not name.endswith("File")])
def test_objects_of_the_wire_are_dataclasses_bound_to_their_bot(name):
    """Everything the page calls a dataclass is one, and belongs to a bot."""
    made = getattr(tcnb.types, name)
    assert dataclasses.is_dataclass(made)
    assert issubclass(made, BoundToBot)


@pytest.mark.parametrize("name", CALLS)
def test_shortcut_takes_the_parameters_of_the_page(name):
    """Each shortcut of a message takes the page's parameters, in its order."""
    shortcut = getattr(tcnb.types.Message, name)
    assert inspect.iscoroutinefunction(shortcut)
    assert parameters(shortcut)[: len(CALLS[name])] == CALLS[name]


def test_star_import_gives_every_name_of_the_page():
    """`from tcnb.types import *` brings every class of the page."""
    brought = {}
    exec("from tcnb.types import *", brought)
    assert set(CLASSES) <= set(brought)


def test_all_names_exist_once_and_in_order():
    """`__all__` is sorted, without repetition, and tells no lie."""
    assert tcnb.types.__all__ == sorted(set(tcnb.types.__all__))
    assert all(hasattr(tcnb.types, name) for name in tcnb.types.__all__)


def test_enumerations_are_a_module_of_the_room():
    """`from tcnb.types import enums` gives the module of enumerations."""
    from tcnb.types import enums

    assert inspect.ismodule(enums)
    assert enums.ParseMode("html") is enums.ParseMode.HTML


@pytest.mark.parametrize("name", [name for name in tcnb.types.__all__ if inspect.isclass(getattr(tcnb.types, name))])
def test_public_class_says_what_it_is(name):
    """Every public class has a docstring of its own."""
    assert getattr(tcnb.types, name).__dict__.get("__doc__")
