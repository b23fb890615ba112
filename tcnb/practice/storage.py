"""Where uploaded files live: upload tasks, files waiting to be sent, their bytes in a temporary folder, addresses.

Source: `protocol` section 8.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from tcnb.practice.entities import (
    BAD_FILE_NAME,
    FILE_TOO_LARGE,
    NO_SPACE,
    NO_SUCH_FILE,
    UPLOAD_FORBIDDEN,
    UPLOAD_TASK_NOT_FOUND,
    Refusal,
    StoredFile,
    UploadTask,
    User,
)
from tcnb.practice.tokens import TokenOffice
from tcnb.practice.world import World
from tcnb.types.image_headers import read_header
from tcnb.types.images import MOST_PIXELS
from tcnb.wire import codes, paths

MOST_NAME: Final = 255
UNNAMED: Final = "file"
"""What a file is called that nobody named."""


class Storage:
    """The files of one practice server.

    Args:
        world: its limits and its clock are used.
        office: signs addresses.
        base_url: returns where the server is reached from outside, `scheme://host:port`.
    """

    def __init__(self, world: World, office: TokenOffice, base_url: Callable[[], str]) -> None:
        self._world = world
        self._office = office
        self._base_url = base_url
        self._folder: Path | None = None
        self._tasks: dict[str, UploadTask] = {}
        self._waiting: dict[str, tuple[StoredFile, str, int]] = {}

    @property
    def folder(self) -> Path:
        """The folder of the bytes; made at the first use."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tcnb-practice-"))
        return self._folder

    def close(self) -> None:
        """Delete everything that was uploaded."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def new_path(self) -> Path:
        """Return a place for the bytes of one file."""
        return self.folder / uuid.uuid4().hex

    def open_task(self, owner: User, name: str | None, size: int) -> UploadTask:
        """Permit one upload (`uploadFile`).

        Args:
            owner: who uploads.
            name: what the file is called; None where the part that brings it says so.
            size: its exact size in bytes.

        Raises:
            Refusal: 402 for a bad name, 406 or 403 where the limits forbid it, 401 where the disk is full.
        """
        if name is not None and not _is_good_name(name):
            raise Refusal(BAD_FILE_NAME)
        if size < 0:
            raise Refusal(codes.WRONG_PAYLOAD)
        self._check_limits(name, size)
        if size > shutil.disk_usage(self.folder).free:
            raise Refusal(NO_SPACE)
        task = UploadTask(str(uuid.uuid4()), owner.user_id, name, size, self._expiry())
        self._tasks[task.task_id] = task
        return task

    def task(self, task_id: str) -> UploadTask:
        """Return an upload task that is still good.

        Raises:
            Refusal: 407, it is unknown, used or too old.
        """
        task = self._tasks.get(task_id)
        if task is None or task.expires <= self._world.clock():
            self._tasks.pop(task_id, None)
            raise Refusal(UPLOAD_TASK_NOT_FOUND)
        return task

    def keep(
        self,
        task: UploadTask,
        body: Path,
        mime_type: str | None,
        preview: StoredFile | None,
        posted_name: str | None = None,
    ) -> str:
        """Take over an uploaded file and return the temporal id by which it can be sent once.

        Raises:
            Refusal: 402, nothing named the file before and its part has a bad name.
        """
        name = task.name or posted_name or UNNAMED
        if not _is_good_name(name):
            raise Refusal(BAD_FILE_NAME)
        self._tasks.pop(task.task_id, None)
        kind = mime_type or guess_type(name)[0] or "application/octet-stream"
        file = new_file(name, task.size, kind, body, [preview] if preview else [])
        file.posted_name = posted_name
        temporal_id = f"tf-{secrets.token_hex(16)}"
        self._waiting[temporal_id] = (file, task.owner, self._expiry())
        return temporal_id

    def uploaded(self, owner: User, temporal_id: str) -> StoredFile:
        """Return a file that waits to be sent by its owner.

        Raises:
            Refusal: 404, the temporal id is unknown, used, too old or somebody else's.
        """
        file, owner_id, expires = self._waiting.get(temporal_id, (None, "", 0))
        if file is None or owner_id != owner.user_id or expires <= self._world.clock():
            raise Refusal(NO_SUCH_FILE)
        return file

    def use(self, temporal_id: str) -> None:
        """Void a temporal id, since its file was sent."""
        self._waiting.pop(temporal_id, None)

    def address(self, file: StoredFile) -> str:
        """Return where a file can be downloaded for a while (`protocol` section 8.3)."""
        return self._signed(file, int(time.time()) + self._world.settings.ticket_lifetime)

    def lasting_address(self, file: StoredFile) -> str:
        """Return where a file can be downloaded for ever: pictures of chats are shown that way."""
        return self._signed(file, 0)

    def opened(self, file_id: str, token: str) -> StoredFile:
        """Return the file behind an address.

        Raises:
            Refusal: 404, there is no such file or the token does not open it.
        """
        file = self._world.files.get(file_id)
        if file is None or not self._office.opens_file(token, file_id):
            raise Refusal(NO_SUCH_FILE)
        return file

    def _signed(self, file: StoredFile, expires: int) -> str:
        return f"{self._base_url()}{paths.FILES}/{file.file_id}?token={self._office.sign_file(file.file_id, expires)}"

    def _expiry(self) -> int:
        return self._world.clock() + self._world.settings.ticket_lifetime * 1000

    def _check_limits(self, name: str | None, size: int) -> None:
        limits = self._world.limits
        if limits.max_size is not None and size > limits.max_size:
            raise Refusal(FILE_TOO_LARGE)
        if limits.extensions is None or name is None:
            return
        is_listed = Path(name).suffix.lower().lstrip(".") in limits.extensions
        if is_listed is not (limits.mode == "allow"):
            raise Refusal(UPLOAD_FORBIDDEN)


def _is_good_name(name: str) -> bool:
    return 0 < len(name) <= MOST_NAME and not set(name) & {"/", "\\", "\0"}


def new_file(
    name: str, size: int, mime_type: str, source: bytes | Path, previews: list[StoredFile] | None = None
) -> StoredFile:
    """Make a file with an id of its own that is there as a whole."""
    header = read_header(source)
    is_showable = header is not None and header.pixels <= MOST_PIXELS
    return StoredFile(
        secrets.token_hex(20),
        name,
        size,
        mime_type,
        source,
        previews or [],
        received=size,
        is_showable=is_showable,
    )
