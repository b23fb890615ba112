"""Modules that scripts for the official client import from and that are none here: one table, and a finder that makes
them when they are imported; each gives the names of the module that it stands for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from tcnb.errors import MissingPackageError

ROOT: Final = __name__.partition(".")[0]

_STANDING_FOR: Final[dict[str, str]] = {
    "": "dispatcher dispatcher.dispatcher dispatcher.router router",
    "compat.tokens": "utils.token",
    "enums": """enums.aouth_error enums.button enums.chat_activity enums.chat_participant_role enums.chat_type
        enums.command enums.envelope_author_type enums.file_ready_state enums.incoming_update_method
        enums.message_type enums.parse_mode enums.survey_type enums.update_type""",
    "exceptions": "types.responses.api_error",
    "filters": "filters.base filters.instance_of filters.message",
    "formatting": "utils.formatting.decorations utils.formatting.text utils.split_text",
    "fsm": "fsm.manager fsm.strategy",
    "methods": """methods.add_participant_to_chat methods.answer_command methods.auth methods.base
        methods.change_participant_role methods.clear_chat_history methods.create_channel
        methods.create_favorites_chat methods.create_group_chat methods.create_p2p_chat methods.edit_chat_avatar
        methods.edit_chat_title methods.edit_message methods.edit_survey methods.forward_message
        methods.get_chat_by_id methods.get_chat_history methods.get_chat_participant methods.get_chat_participants
        methods.get_chats methods.get_file_info methods.get_file_upload_limits methods.get_message_by_id
        methods.get_user_display_name methods.has_chat_participant methods.remove_chat methods.remove_message
        methods.remove_participant_from_chat methods.send_chat_activity methods.send_file methods.send_message
        methods.send_survey methods.subscribe_file_progress methods.unsubscribe_file_progress methods.upload_file""",
    "types": """types.author_box types.callback_query types.chat types.chat_participant types.input_file
        types.last_message types.message types.system_message types.update types.content.attachment
        types.content.base types.content.chat_created types.content.clear_chat_history types.content.document
        types.content.edit_chat_avatar types.content.edit_chat_title types.content.forward_message
        types.content.location types.content.photo types.content.remove_participant types.content.sticker
        types.content.survey types.content.text types.content.video types.content.voice""",
    "types.events": """types.requests.added_chat_participant types.requests.changed_file_upload_limits
        types.requests.changed_participant_role types.requests.cleared_chat_history types.requests.created_channel
        types.requests.created_favorites_chat types.requests.created_group_chat types.requests.created_personal_chat
        types.requests.edited_chat_avatar types.requests.edited_chat_title types.requests.edited_message
        types.requests.removed_chat types.requests.removed_chat_participant types.requests.removed_message
        types.requests.uploading_progress""",
    "types.responses": """types.responses.add_chat_participant_response types.responses.answer_command_response
        types.responses.auth_response_payload types.responses.change_participant_role_response
        types.responses.clear_chat_history_response types.responses.create_channel_response
        types.responses.create_favorites_chat_response types.responses.create_group_chat_response
        types.responses.create_p2p_chat_response types.responses.edit_chat_avatar_response
        types.responses.edit_chat_title_response types.responses.edit_message_response
        types.responses.edit_survey_response types.responses.forward_message_response
        types.responses.get_chat_by_id_response types.responses.get_chat_history_response
        types.responses.get_chat_participant_response types.responses.get_chat_participants_response
        types.responses.get_chats_response types.responses.get_file_info_response
        types.responses.get_file_upload_limits_response types.responses.get_message_by_id_response
        types.responses.get_user_display_name_response types.responses.has_chat_participant_response
        types.responses.remove_chat_participant_response types.responses.remove_chat_response
        types.responses.remove_message_response types.responses.send_chat_activity_response
        types.responses.send_file_response types.responses.send_message_response
        types.responses.send_survey_response types.responses.subscribe_file_progress_response
        types.responses.unsubscribe_file_progress_response types.responses.upload_file_response""",
    "utils": "utils.chat_activity",
}
"""Module of this package → the modules of the official client that it stands for, all without the package's name."""


_MAGIC: Final = (f"{ROOT}.F", f"{ROOT}.routing.F")


def stand_ins() -> dict[str, str]:
    """Return the full names of the modules that are made here, with the module that each stands for."""
    return {
        f"{ROOT}.{name}": f"{ROOT}.{home}".rstrip(".")
        for home, names in _STANDING_FOR.items()
        for name in names.split()
    }


class StandIns(MetaPathFinder, Loader):
    """Finds the modules of the table where no file of that name is; it never gets in the way of one."""

    def __init__(self) -> None:
        self._homes = stand_ins()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module of the table is made; None for every other."""
        if fullname in _MAGIC:
            # `from tcnb import F` looks here when the package has no F, and would say no more than that.
            raise missing_magic_filter()
        if fullname not in self._homes:
            return None
        return ModuleSpec(fullname, self, is_package=any(name.startswith(f"{fullname}.") for name in self._homes))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that looks its names up where they live."""
        return _StandIn(spec.name, self._homes[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


class _StandIn(ModuleType):
    """A module with the names of another one."""

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name, f"What is in {home}, under the name that scripts for the official client import it by.")
        self.__dict__["_home"] = home

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        try:
            value = getattr(import_module(self.__dict__["_home"]), name)
        except AttributeError:
            raise AttributeError(
                f"there is no {name} here: docs/differences.md says what stands for it", name=name, obj=self
            ) from None
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(import_module(self.__dict__["_home"]))


def missing_magic_filter() -> MissingPackageError:
    """Return what is said where `F` is asked for and cannot be had."""
    return MissingPackageError(
        "F is of the package magic-filter, which is not installed: pip install magic-filter (text=… needs none)"
    )


def install() -> None:
    """Have the modules of the table found; once is enough."""
    if not any(isinstance(finder, StandIns) for finder in sys.meta_path):
        sys.meta_path.append(StandIns())
