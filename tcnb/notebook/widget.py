"""What every widget of a session is made of: its script, its way to the session's loop, its way to the page; what a
widget shows is told in its own file.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import msgspec

from tcnb.locks import fork_safe


def page_script(name: str, *more: str) -> str:
    """Return the page's side of a widget as one module, since a widget's module cannot import another file.

    Args:
        name: its main file; what all widgets share, in `page.js`, is put before it.
        more: further files of its own.
    """
    folder = Path(__file__).parent
    return "\n".join((folder / file).read_text("utf-8") for file in ("page.js", name, *more))


def page_style(name: str) -> str:
    """Return the look of a widget: what all widgets share, in `page.css`, and its own file."""
    folder = Path(__file__).parent
    return "\n".join((folder / file).read_text("utf-8") for file in ("page.css", name))


class SessionWidget(anywidget.AnyWidget):
    """A widget of a session, whose work is done on the session's own loop.

    The handler of front-end messages, which runs on a kernel thread, only hands work over, and messages to the page go
    out from the loop. A subclass sets its own state before it calls this constructor, since the page's first state is
    asked for in it.

    Args:
        session: the connected bot.
        traits: traits of the widget.

    Attributes:
        unsent: messages that the kernel's socket did not take.
    """

    kind: ClassVar[str]
    """What its messages to the page are called."""

    # As long as the constructor has not come so far; a widget is closed, too, when its constructor has failed.
    _closed = True
    _posting = fork_safe(threading.Lock())

    def __init__(self, session: Any, **traits: Any) -> None:
        self.session = session
        self.unsent = 0
        self._closed = False
        # Held while a message goes out, so that `close` on another thread never takes the comm away in the middle.
        self._posting = fork_safe(threading.Lock())
        super().__init__(_dom_classes=("tcnb-widget",), **traits)
        self.on_msg(self._front_end_said)

    def close(self) -> None:
        """Free everything: callbacks, timers, the view; any thread may call, and more than once."""
        with self._posting:
            already, self._closed = self._closed, True
        if not already:
            self._hand_over(self._stop)
        super().close()

    def _stop(self) -> None:
        """Free what the widget holds; called on the session's loop."""
        raise NotImplementedError

    def _hear(self, request: dict[str, Any], buffers: Sequence[Any]) -> None:
        """Take what the page says; called on the session's loop."""
        raise NotImplementedError

    def _after_the_end(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do what can be done of some work when the session is closed and its loop with it: nothing, usually."""

    def _hand_over(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have work done on the session's loop."""
        try:
            self.session.loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            self._after_the_end(work, *arguments)

    def _front_end_said(self, _widget: object, content: object, buffers: Any) -> None:
        if isinstance(content, Mapping):
            self._hand_over(self._hear, dict(content), list(buffers or ()))

    def _post(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message to the page; one that is lost leaves a gap that the page sees."""
        with self._posting:
            if self._closed or self.comm is None:
                return
            try:
                self.send({"type": self.kind}, buffers=[as_json(message), *buffers])
            except Exception:
                # The kernel is shutting down, or its socket is gone.
                self.unsent += 1
            finally:
                let_requests_choose_their_thread(self.comm)


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
