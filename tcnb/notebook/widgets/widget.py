"""What every widget of a session is made of: its script, its way to the session's loop, its way to the page; what a
widget shows is told in its own file.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import anywidget
import msgspec
import traitlets
from IPython.core.getipython import get_ipython

from tcnb.locks import fork_safe

SHARED_SCRIPTS: Final = ("widgets/page/page.js", "widgets/page/page_kernel.js")
"""What the pages of all widgets share."""

HEARTBEAT: Final = 15.0
"""Seconds after which the page hears from a widget that had nothing to say, so that silence means something."""

MOST_PAGES: Final = 16
"""Pages of which a widget remembers what it heard; the ones that spoke last stay."""


def page_script(name: str, *more: str) -> str:
    """Return the page's side of a widget as one module, since a widget's module cannot import another file.

    Args:
        name: its main file, as a path below `notebook`; what all widgets share (`SHARED_SCRIPTS`) is put before it.
        more: further files of its own.
    """
    folder = Path(__file__).parents[1]
    return "\n".join((folder / file).read_text("utf-8") for file in (*SHARED_SCRIPTS, name, *more))


def page_style(name: str) -> str:
    """Return the look of a widget: what all widgets share, in `page.css`, and its own file."""
    folder = Path(__file__).parents[1]
    return "\n".join((folder / file).read_text("utf-8") for file in ("widgets/page/page.css", name))


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

    page: ClassVar[str]
    """The page's side of the widget, see `page_script`."""

    _esm = (Path(__file__).parent / "page" / "page_loader.js").read_text("utf-8")

    script = traitlets.Unicode().tag(sync=True)
    """The same for the page, where all widgets of a kind share what is loaded of it."""

    key = traitlets.Unicode().tag(sync=True)
    """Names this widget, also to a page that is opened again."""

    kernel_session = traitlets.Unicode().tag(sync=True)
    """The session that all messages of this kernel name; empty where there is no kernel."""

    # Computed whenever the state is asked for, as everything is with which a page opens.
    heard = traitlets.Dict().tag(sync=True, to_json=lambda _value, widget: widget._heard)
    """Up to which change each page was heard, so that a reloaded page knows whether its last one arrived."""

    # As long as the constructor has not come so far; a widget is closed, too, when its constructor has failed.
    _closed = True
    _first_layout: Any = None
    _posting = fork_safe(threading.Lock())

    def __init__(self, session: Any, **traits: Any) -> None:
        self.session = session
        self.unsent = 0
        self._closed = False
        self._heard: dict[str, int] = {}
        self._spoke_at = 0.0
        self._heartbeat: asyncio.TimerHandle | None = None
        # Held while a message goes out, so that `close` on another thread never takes the comm away in the middle.
        self._posting = fork_safe(threading.Lock())
        names = {"key": secrets.token_hex(12), "kernel_session": _kernel_session(), "script": self.page}
        super().__init__(_dom_classes=("tcnb-widget",), **names, **traits)
        self._first_layout = self.layout
        self.on_msg(self._front_end_said)
        self._hand_over(self._beat)

    def close(self) -> None:
        """Free everything: callbacks, timers, the view; any thread may call, and more than once."""
        with self._posting:
            already, self._closed = self._closed, True
        if not already:
            self._hand_over(self._end)
        super().close()
        # A model of its own, in the kernel and in the page, which nobody else closes; one that somebody put in its
        # place may be shared with other widgets.
        if self._first_layout is not None:
            self._first_layout.close()

    def _end(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._stop()

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
            self._hand_over(self._take_request, dict(content), list(buffers or ()))

    def _take_request(self, request: dict[str, Any], buffers: Sequence[Any]) -> None:
        page, version = request.get("page"), request.get("version")
        if isinstance(page, str) and isinstance(version, int):
            others = [one for one in self._heard.items() if one[0] != page]
            # Another dict each time: it is read on the kernel's threads, too.
            self._heard = dict([*others[1 - MOST_PAGES :], (page, max(version, self._heard.get(page, 0)))])
        self._hear(request, buffers)

    def _beat(self) -> None:
        """Say that the kernel is there, unless it was shown by something else lately."""
        loop = self.session.loop
        if self._closed or loop.is_closed():
            return
        due = self._spoke_at + HEARTBEAT - loop.time()
        if due <= 0:
            self._post({})
            due = HEARTBEAT
        self._heartbeat = loop.call_later(due, self._beat)

    def _post(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message to the page; one that is lost leaves a gap that the page sees."""
        body = {"heard": self._heard, **message} if self._heard else message
        with self._posting:
            if self._closed or self.comm is None:
                return
            if not self.session.loop.is_closed():
                self._spoke_at = self.session.loop.time()
            try:
                self.send({"type": self.kind}, buffers=[as_json(body), *buffers])
            except Exception:
                # The kernel is shutting down, or its socket is gone.
                self.unsent += 1
            finally:
                let_requests_choose_their_thread(self.comm)


def _kernel_session() -> str:
    session = getattr(getattr(get_ipython(), "kernel", None), "session", None)
    return str(getattr(session, "session", ""))


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
