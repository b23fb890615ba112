"""Whether the server will take a file, told before a byte of it moves; the bot checks again before it uploads.

Source: `protocol` section 8.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from tcnb.errors import ApiErrorException, FileSizeTooLargeError, InvalidFileExtensionError, TcnbError
from tcnb.notebook.composer.outbox import Session


async def problems_of(session: Session, files: Iterable[Mapping[str, Any]]) -> list[str | None]:
    """Return for each file (`name`, `size` in bytes) why the server will not take it; None where it will.

    While the connection is away nothing is known, and nothing is said: the bot checks when it sends.
    """
    limits = None
    if session.state.get("state") == "connected":
        try:
            limits = await session.bot.get_file_info_upload_limits()
        except ApiErrorException:
            limits = None  # a server before 5.5.2 has no limits to tell
    return [_problem(str(file["name"]), int(file["size"]), limits) for file in files]


def _problem(name: str, size: int, limits: Any) -> str | None:
    try:
        _check(name, size, limits)
    except TcnbError as error:
        return str(error)
    return None


def _check(name: str, size: int, limits: Any) -> None:
    if limits is None:
        return
    if limits.max_size is not None and size > limits.max_size:
        raise FileSizeTooLargeError(size, limits.max_size)
    if limits.extensions is None:
        return
    extension = PurePath(name).suffix.lstrip(".").lower()
    listed = {one.lstrip(".").lower() for one in limits.extensions.list}
    if (extension in listed) != (limits.extensions.mode == "allow"):
        raise InvalidFileExtensionError(extension, listed, limits.extensions.mode)
