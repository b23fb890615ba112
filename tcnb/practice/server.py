"""The practice server: one port, its sessions, who is told what, and what goes wrong on order.

What may be done stands in `tcnb.practice.world` and `methods`; this module moves frames between them and the sockets.

Source: `protocol` sections 2, 3, 7 and 16.3.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self, Unpack

import msgspec
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler

from tcnb.errors import MalformedFrameError
from tcnb.practice import chatpage, envelopes, methods, pages
from tcnb.practice import requests as ask
from tcnb.practice.colleagues import Colleagues
from tcnb.practice.entities import DUPLICATE_REQUEST_ID, Notice, Refusal, Settings, UploadLimits, User
from tcnb.practice.faults import Faults, HttpFault, MethodFault
from tcnb.practice.options import Options, OptionValues, split_account
from tcnb.practice.replay import replay_to
from tcnb.practice.sessions import Session
from tcnb.practice.sockets import BotSocket
from tcnb.practice.storage import Storage
from tcnb.practice.tokens import TokenOffice
from tcnb.practice.world import World
from tcnb.types.enums import UpdateType
from tcnb.wire import codes, frames, paths

_encode = msgspec.json.Encoder().encode

MOST_FRAME: Final = 64 * 1024 * 1024
"""Bytes that one frame of a client may have."""
STOP_GRACE: Final = 1.0
"""Seconds that clients get to answer the close frame when the server stops."""
FLOOD_BATCH: Final = 500
"""Notifications written between two waits for the operating system."""

_OLDER_FILE_CODES: Final = {404: codes.FILE_NOT_FOUND, 405: codes.FILE_NOT_READY}


class PracticeServer:
    """A TrueConf server on this machine, in this process; use it with `async with`.

    All methods belong to the event loop that runs the server; `tcnb.practice.PracticeThread` calls them from elsewhere.

    Args:
        options: how it behaves; or give the options one by one.
        settings: the choices where the protocol is silent.
        ssl_options: a TLS setting, in place of certificate files.

    Attributes:
        world: users, chats and messages; call `deliver()` after changing it from outside.
        faults: what is to go wrong.
        sessions: the connections that are open now.
        malformed: how many frames were ignored since they are none.
        watchers: set whenever something happened, for chat pages that are open.
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        settings: Settings | None = None,
        ssl_options: ssl.SSLContext | None = None,
        **values: Unpack[OptionValues],
    ) -> None:
        self.options = options or Options(**values)
        self.log = logging.getLogger("tcnb.practice")
        self.world = World(self.options.domain, settings or Settings(generation=self.options.generation))
        self.office = TokenOffice()
        self.storage = Storage(self.world, self.office, lambda: self.public_url)
        self.faults = Faults(password_login_disabled=not self.options.password_login)
        self.applications: dict[str, tuple[str, ...]] = {}
        if self.options.oauth_application is not None:
            self.applications[self.options.oauth_application] = ("version:read",)
        self.sessions: list[Session] = []
        self.malformed = 0
        self.watchers: set[asyncio.Event] = set()
        self.port = self.options.port
        self._sessions_of: dict[str, list[Session]] = {}
        self._ssl_options = ssl_options or _tls(self.options)
        self._http: HTTPServer | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiters: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        for account in self.options.accounts:
            login, password, name = split_account(account)
            self.world.add_user(login, name, password)
        self.colleagues = Colleagues(self.world, self.options) if self.options.people else None

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, and let the colleagues begin.

        Raises:
            OSError: the port is taken.
        """
        sockets = bind_sockets(self.options.port, self.options.host)
        self.port = sockets[0].getsockname()[1]
        self._http = HTTPServer(
            Application(self._routes(), websocket_max_message_size=MOST_FRAME, log_function=self._log_page),
            ssl_options=self._ssl_options,
            chunk_size=256 * 1024,
        )
        self._http.add_sockets(sockets)
        if self.colleagues is not None:
            self.spawn(self.colleagues.work(self.deliver))

    async def stop(self) -> None:
        """Close every socket with 1001, stop listening and delete what was uploaded."""
        for task in self._tasks:
            task.cancel()
        if self._http is not None:
            self._http.stop()
        for session in list(self.sessions):
            session.transport.close(1001, "the practice server stops")
        try:
            await asyncio.wait_for(self.until(lambda: not self.sessions), STOP_GRACE)
        except TimeoutError:
            for session in list(self.sessions):
                session.transport.abort()
        if self._http is not None:
            await self._http.close_all_connections()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.until(lambda: not self.watchers), STOP_GRACE)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.storage.close()

    def _log_page(self, handler: RequestHandler) -> None:
        # Without the query, which holds the token of a download.
        request = handler.request
        self.log.info("%s %s: %d", request.method, request.path, handler.get_status())

    def spawn(self, work: Awaitable[Any]) -> None:
        """Let something run beside the server until it ends or the server stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.log.error("something beside the server failed", exc_info=task.exception())

    @property
    def url(self) -> str:
        """Where the server is reached from this machine, `scheme://host:port`."""
        host = "127.0.0.1" if self.options.host in ("", "0.0.0.0") else self.options.host
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"{'https' if self._ssl_options else 'http'}://{host}:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where the bot socket is, `ws://…` or `wss://…`."""
        return self.url.replace("http", "ws", 1) + paths.SOCKET

    @property
    def public_url(self) -> str:
        """Where the server says its files are."""
        return self.options.public_url or self.url

    @property
    def is_full(self) -> bool:
        """Whether one more socket would be too many."""
        return len(self.sessions) >= self.options.connection_limit

    def _routes(self) -> list[URLSpec]:
        this = {"server": self}
        routes = [
            URLSpec(paths.SOCKET + "?", BotSocket, this),
            URLSpec(paths.TOKEN, pages.TokenPage, this),
            URLSpec(paths.OAUTH_CODE, pages.CodePage, this),
            URLSpec(paths.OAUTH_TOKEN, pages.CodeTokenPage, this),
            URLSpec(paths.FILES, pages.UploadPage, this),
            URLSpec(paths.FILES + "/([0-9a-f]+)", pages.DownloadPage, this),
            URLSpec(paths.VSSTATUS, pages.StatusPage, this),
        ]
        if not self.options.bridge_only:
            routes += [
                URLSpec(paths.OAUTH_WEB_TOKEN, pages.WebTokenPage, this),
                URLSpec(paths.SERVER, pages.ServerPage, this),
                URLSpec(paths.CONNECTS, pages.ConnectsPage, this),
            ]
        if self.options.faults:
            routes.append(URLSpec("/practice/([a-z_]+)", pages.FaultsPage, this))
        return routes + chatpage.routes(this)

    # ── who is here ─────────────────────────────────────────────────────────────────────────────────────────────

    def admitted(self, login: str, password: str) -> User | None:
        """Return the account that login and password open; None where they open none."""
        user = self.world.account(login)
        is_right = user is not None and user.password == password and not self.faults.refuse_logins
        return user if is_right else None

    def connected(self, session: Session) -> None:
        """Take note of a new connection."""
        self.sessions.append(session)
        self._changed()

    def disconnected(self, session: Session) -> None:
        """Take note that a connection is gone."""
        if session in self.sessions:
            self.sessions.remove(session)
        if session.user is not None:
            self._sessions_of[session.user.user_id].remove(session)
        self._changed()

    def sessions_of(self, login: str) -> list[Session]:
        """Return the authorized connections of an account.

        Raises:
            LookupError: there is no such account.
        """
        user = self.world.account(login)
        if user is None:
            raise LookupError(f"there is no account {login!r}")
        return list(self._sessions_of.get(user.user_id, ()))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true; it is looked at whenever a frame came or a connection changed."""
        if condition():
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((condition, done))
        await done

    def _changed(self) -> None:
        if not self._waiters:
            return
        for waiter in list(self._waiters):
            condition, done = waiter
            if done.done() or condition():
                self._waiters.remove(waiter)
                if not done.done():
                    done.set_result(None)

    def unwatch(self, watcher: asyncio.Event) -> None:
        """Take note that a chat page is closed."""
        self.watchers.discard(watcher)
        self._changed()

    def _wake_watchers(self) -> None:
        for watcher in self.watchers:
            watcher.set()

    # ── frames in ───────────────────────────────────────────────────────────────────────────────────────────────

    def received(self, session: Session, text: str | bytes) -> None:
        """Handle a frame of a client; what is no frame is counted and ignored (`protocol` section 3.5)."""
        try:
            frame = frames.decode(text)
        except MalformedFrameError as error:
            self.malformed += 1
            self.log.info("ignored: %s", error)
            self._changed()
            return
        if frame.type == UpdateType.RESPONSE:
            message = session.outstanding.pop(frame.id, None)
            if message is not None and session.user is not None:
                self.world.mark_read(session.user.user_id, message)
                self._wake_watchers()
        else:
            self._requested(session, frame)
        self._changed()

    def _requested(self, session: Session, frame: frames.Frame) -> None:
        method = frame.method or ""
        self.log.debug("%s asks %s", session.user.user_id if session.user else "somebody", method)
        if session.is_duplicate(frame.id) and self.world.settings.refuse_duplicate_ids:
            session.refuse(frame.id, DUPLICATE_REQUEST_ID)
            return
        fault = self.faults.next_for(method)
        if fault is None:
            self._handle(session, frame)
        elif fault.delay:
            self.spawn(self._handle_later(session, frame, fault.delay))
        elif fault.code is not None:
            session.refuse(frame.id, fault.code)
        else:
            self._handle(session, frame, is_answered=not (fault.is_unanswered or fault.drops))
            if fault.drops:
                session.transport.abort()

    async def _handle_later(self, session: Session, frame: frames.Frame, delay: float) -> None:
        await asyncio.sleep(delay)
        self._handle(session, frame)
        self._changed()

    def _handle(self, session: Session, frame: frames.Frame, *, is_answered: bool = True) -> None:
        try:
            payload = self._answer(session, frame)
        except Refusal as refusal:
            if is_answered:
                session.refuse(frame.id, self.file_code(refusal.code))
        except methods.Silence:
            pass
        except Exception:
            # A server survives its own mistakes; the client learns of them as an internal error.
            self.log.exception("%s failed", frame.method)
            session.refuse(frame.id, codes.INTERNAL_ERROR)
        else:
            if is_answered:
                session.respond(frame.id, payload)
            if frame.method == "auth":
                self._welcome(session, frame)
        self.deliver(session)

    def _answer(self, session: Session, frame: frames.Frame) -> Any:
        if frame.method == "auth":
            return self._authorize(session, bytes(frame.payload))
        if session.user is None or session.pass_ is None:
            raise Refusal(codes.NOT_AUTHORIZED)
        if self.office.is_expired(session.pass_):
            raise Refusal(codes.CREDENTIALS_EXPIRED)
        call = methods.Call(self.world, self.storage, session, session.user)
        return methods.carry_out(call, frame.method or "", bytes(frame.payload))

    def file_code(self, code: int) -> int:
        """Return a code as this generation says it: the codes 400 to 408 came with 5.5.6 (`protocol` section 11.8)."""
        if not self.world.settings.is_flat or not 400 <= code <= 408:
            return code
        return _OLDER_FILE_CODES.get(code, codes.FILE_UPLOAD_FAILED)

    # ── auth ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _authorize(self, session: Session, payload: bytes) -> dict[str, Any]:
        try:
            request = msgspec.json.decode(payload or b"{}", type=ask.Auth)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Refusal(codes.WRONG_PAYLOAD) from None
        if request.token_type != paths.TOKEN_TYPE:
            raise Refusal(codes.UNSUPPORTED_CREDENTIALS)
        if self.faults.refuse_tokens:
            raise Refusal(codes.INVALID_CREDENTIALS)
        shown = self.office.verify(request.token)
        user = self.world.user(shown.user_id)
        if user.disabled:
            raise Refusal(codes.USER_DISABLED)
        if session.user is not None:
            self._sessions_of[session.user.user_id].remove(session)
        session.user, session.pass_ = user, shown
        session.receives_system = request.receive_system_message_envelopes and self.world.settings.has("5.5.3")
        self._sessions_of.setdefault(user.user_id, []).append(session)
        return {"userId": f"{user.user_id}/{session.resource}", "connectionId": session.resource}

    def _welcome(self, session: Session, frame: frames.Frame) -> None:
        user = session.user
        if user is None:
            return
        self.log.info("%s is here", user.user_id)
        if self.world.settings.push_limits and methods.is_notified(self.world.settings, "getFileUploadLimits"):
            session.notify("getFileUploadLimits", _encode(self.world.limits.as_wire()))
        if msgspec.json.decode(frame.payload, type=ask.Auth).receive_unread:
            if self.world.settings.backlog_delay > 0:
                self.spawn(self._deliver_backlog_later(session, user))
            else:
                self._deliver_backlog(session, user)
        if self.options.replay is not None:
            self.spawn(replay_to(session, Path(self.options.replay), self.options.rate))

    async def _deliver_backlog_later(self, session: Session, user: User) -> None:
        await asyncio.sleep(self.world.settings.backlog_delay)
        self._deliver_backlog(session, user)

    def _deliver_backlog(self, session: Session, user: User) -> None:
        delivered = set(session.outstanding.values())
        for message in self.world.unread(user.user_id):
            if message not in delivered:
                payload = _encode(envelopes.envelope(self.world, message, user.user_id))
                session.notify("sendMessage", payload, message)

    # ── notifications out ───────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, origin: Session | None = None) -> None:
        """Tell the sessions concerned what happened in the world since the last call.

        Args:
            origin: the session that caused it; it is told only where the protocol says so.
        """
        notices = self.world.take_notices()
        if notices:
            self._wake_watchers()
        if origin is not None and self.colleagues is not None:
            self.colleagues.heard(notices)
        for notice in notices:
            if notice.file_id is not None:
                self._deliver_progress(notice)
                continue
            payload: bytes | None = None
            for user_id in notice.audience:
                sessions = self._sessions_of.get(user_id)
                if not sessions:
                    continue
                if payload is None or envelopes.depends_on_viewer(notice):
                    payload = _encode(envelopes.notification(self.world, notice, user_id))
                for session in sessions:
                    if notice.to_origin or session is not origin:
                        self._tell(session, notice, payload)

    def _tell(self, session: Session, notice: Notice, payload: bytes) -> None:
        if notice.is_system and not session.receives_system:
            return
        if not methods.is_notified(self.world.settings, notice.method):
            return
        # Own messages echoed to another session are nothing that session could leave unread.
        message = notice.message_for(session.user.user_id if session.user else "")
        session.notify(notice.method, payload, message)
        if self.faults.deliver_twice:
            session.notify(notice.method, payload, message)

    def _deliver_progress(self, notice: Notice) -> None:
        for session in self.sessions:
            if notice.file_id in session.subscriptions:
                session.notify(notice.method, _encode(notice.about))

    # ── on order ────────────────────────────────────────────────────────────────────────────────────────────────

    def push(self, login: str, method: str, payload: Any) -> None:
        """Send a notification of any kind to every session of an account."""
        for session in self.sessions_of(login):
            session.notify(method, _encode(payload))

    def push_raw(self, login: str, text: str | bytes) -> None:
        """Send any text as a frame to every session of an account, well-formed or not."""
        for session in self.sessions_of(login):
            session.transport.send(text.encode() if isinstance(text, str) else text)

    async def flood(self, login: str, payloads: Iterable[bytes], method: str = "sendMessage") -> int:
        """Send notifications to one session of an account as fast as it takes them.

        Args:
            login: the account; its latest session is used.
            payloads: JSON of one payload each; the server numbers the frames.
            method: the wire method of all of them.

        Returns:
            How many were sent; `until(lambda: server.is_settled(login))` waits for their acknowledgement.
        """
        session = self.sessions_of(login)[-1]
        sent = 0
        for payload in payloads:
            session.notify(method, payload)
            sent += 1
            if sent % FLOOD_BATCH == 0:
                await session.transport.drain()
                if session not in self.sessions:
                    break
        await session.transport.drain()
        return sent

    def is_settled(self, login: str) -> bool:
        """Return whether an account has acknowledged every notification that its open sessions got."""
        return not any(session.outstanding for session in self.sessions_of(login))

    def drop_connections(self, login: str | None = None) -> int:
        """Break the connections of an account, or all, without a close frame; return how many."""
        broken = self.sessions_of(login) if login else list(self.sessions)
        for session in broken:
            session.transport.abort()
        return len(broken)

    def close_connections(self, code: int = 1001, reason: str = "") -> int:
        """Close all connections in order; return how many."""
        closed = list(self.sessions)
        for session in closed:
            session.transport.close(code, reason)
        return len(closed)

    def fail_next(self, method: str, code: int, times: int = 1) -> None:
        """Refuse the next requests of a method with a code, without handling them."""
        self.faults.add(method, MethodFault(code=code), times)

    def delay_next(self, method: str, seconds: float, times: int = 1) -> None:
        """Handle the next requests of a method late; others overtake them."""
        self.faults.add(method, MethodFault(delay=seconds), times)

    def ignore_next(self, method: str, times: int = 1) -> None:
        """Handle the next requests of a method and send no answer."""
        self.faults.add(method, MethodFault(is_unanswered=True), times)

    def drop_on_next(self, method: str, times: int = 1) -> None:
        """Handle the next requests of a method and break the connection instead of answering."""
        self.faults.add(method, MethodFault(drops=True), times)

    def fail_next_http(
        self, kind: str, status: int, body: str = "", times: int = 1, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the next HTTP requests of a kind (`token`, `socket`, `upload`, `download`, `server`) with a status."""
        self.faults.add_http(kind, HttpFault(status, body, headers or {}), times)

    def expire_tokens(self) -> None:
        """Let every token given so far be expired: `auth` and any request with it are answered with 203."""
        self.office.expire_all()

    def set_upload_limits(
        self, max_size: int | None = None, extensions: Iterable[str] | None = None, mode: str = "block"
    ) -> None:
        """Change what may be uploaded and tell every session; sizes in bytes, None for no limit."""
        listed = None if extensions is None else tuple(extensions)
        self.world.set_upload_limits(UploadLimits(max_size, mode, listed))
        self.deliver()


def _tls(options: Options) -> ssl.SSLContext | None:
    if options.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    return context
