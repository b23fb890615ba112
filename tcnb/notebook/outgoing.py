"""What every widget does with a message on its way to the page; what the messages say is theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec


def as_json(message: Mapping[str, Any]) -> bytes:
    """Return a message's body, to be sent as a buffer: ipykernel would otherwise walk every value of it in Python."""
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:
        # A name or text with half a surrogate pair: msgspec refuses it, the escapes of `json` carry it.
        return json.dumps(message).encode()


def let_requests_choose_their_thread(comm: Any) -> None:
    """Forget through which subshell this comm last sent.

    ipykernel 7.4 routes what the front end sends to the subshell of the comm's last message. Ours go out while a cell
    runs on the main thread, so every request would wait behind it, though JupyterLab addressed it to a free subshell.
    """
    if comm is not None:
        vars(comm).pop("_reply_subshell_id", None)
