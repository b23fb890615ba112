"""The bot of a script: what scripts for the official client make, run and shut down; its methods are `client.bot`'s.

Unlike there, the connection has a thread of its own, so a handler that computes does not cost it. Handlers run on the
loop of the script, where its locks, queues and database pools belong.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Self

from tcnb.arguments import check_timeout
from tcnb.client.address import Address
from tcnb.client.bot import Bot as ConnectorBot
from tcnb.client.transfer import MOST_IN_MEMORY
from tcnb.compat.routes import Routes
from tcnb.compat.signals import ended_by_signals, failures_shown
from tcnb.compat.tokens import Login, fetched_token, validate_token
from tcnb.errors import (
    ApiErrorException,
    NotConnectedError,
    TcnbError,
    UsageError,
    WSConnectionError,
)
from tcnb.journal.journal import Place
from tcnb.network import http
from tcnb.routing.dispatcher import Dispatcher
from tcnb.routing.handlers import Failure
from tcnb.routing.router import Router
from tcnb.secret import Secret
from tcnb.session import Session
from tcnb.session.connecting import tell_notebook
from tcnb.threads import awaited, awake
from tcnb.types import Extensions, GetFileUploadLimitsResponse

logger = logging.getLogger("tcnb.bot")

GRACE: Final = 2.0
"""Seconds that handlers have to end when the script itself is cancelled."""

_FIXED: Final = frozenset({"receive_unread_messages", "receive_system_messages", "ssl_context"})
"""What a bot says or uses when it logs in, so that it is too late to set it afterwards."""

HealthCheckCallback = Callable[[dict[str, Any]], Awaitable[None]]
"""Told of every change of the connection, with what `health_check` returns and sometimes `error` or `user_id`."""

_WIRING: Final = frozenset({"loop", "_connection", "_transfers", "_on_sent", "_server_info", "_me_chat"})
"""What a connected bot has and one that was not started yet has not."""


class _EveryBot(type):
    """Lets `isinstance(tc.bot, tcnb.Bot)` hold: a session's bot has all the methods, and needs no running."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (cls is Bot and isinstance(instance, ConnectorBot))


class Bot(ConnectorBot, metaclass=_EveryBot):
    """A bot for scripts, under the official client's names: made once, then run.

    ```python
    router = Router()
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    bot = Bot.from_credentials("video.example.com", "robot", password, dispatcher=dispatcher)

    @router.message(F.text)
    async def echo(message: Message):
        await message.answer(message.text)

    asyncio.run(bot.run())         # in a notebook: await bot.run(), ended by the interrupt button
    ```

    All methods of `tc.bot` can be awaited once it is started.

    Args:
        server: host name, also with `:port`.
        token: a ready token.
        dispatcher: the handlers.
        receive_unread_messages: whether messages that came while the bot was away are sent again.
        receive_system_messages: whether joins, leaves, roles and titles also come as system messages.
        skip_self_messages: whether messages that this account wrote itself reach no handler.
        verify_ssl: True trusts what the system trusts; a path names a CA bundle; an `ssl.SSLContext` is used as it is;
            False checks nothing.
        web_port: another port than 443 (4309 without TLS).
        https: TLS, or the plain Bridge.
        ws_max_retries: attempts to connect again after which `run` ends with `WSConnectionError`.
        ws_max_delay: taken for compatibility; the longest pause between two attempts is a minute.
        debug: kept for the script's own use.
        on_health_check: awaited with every change of the connection.
        timeout: seconds an answer may take.
        max_in_memory_download_size: bytes up to which a download is returned instead of written to a file.
        journal: a file that keeps every event, as for `tcnb.connect`; None keeps none.

    Attributes:
        connected_event: set while the socket is open.
        authorized_event: set while the bot is logged in.
        stopped_event: set once it has been shut down.
        max_in_memory_download_size: bytes up to which a download is returned instead of written to a file.

    Raises:
        TokenValidationError: there is no token.
        UsageError: a number makes no sense, or the server's address does not.
    """

    def __init__(
        self,
        server: str,
        token: str,
        *,
        dispatcher: Router | None = None,
        receive_unread_messages: bool = False,
        receive_system_messages: bool = False,
        skip_self_messages: bool = True,
        verify_ssl: http.SSLVerify = True,
        web_port: int | None = None,
        https: bool = True,
        ws_max_retries: int = 5,
        ws_max_delay: int = 60,
        debug: bool = False,
        on_health_check: HealthCheckCallback | None = None,
        timeout: float | int = 10.0,
        max_in_memory_download_size: int = MOST_IN_MEMORY,
        journal: Place = None,
    ) -> None:
        validate_token(token)
        self.__token = Secret(token)
        del token  # a traceback would show it
        for name, value in (
            ("ws_max_retries", ws_max_retries),
            ("ws_max_delay", ws_max_delay),
            ("max_in_memory_download_size", max_in_memory_download_size),
        ):
            if value <= 0:
                raise UsageError(f"{name} is more than 0, not {value}")
        self._session: Session | None = None
        self._opening: asyncio.Task[None] | None = None
        self.receive_unread_messages = receive_unread_messages
        self.receive_system_messages = receive_system_messages
        self.debug = debug
        self.timeout = timeout
        self.max_in_memory_download_size = max_in_memory_download_size
        self.connected_event = asyncio.Event()
        self.authorized_event = asyncio.Event()
        self.stopped_event = asyncio.Event()
        self.ssl_context: ssl.SSLContext | None = http.ssl_context(verify_ssl) if https else None
        self._address = Address.parse(server, https=https, web_port=web_port)
        self._login = Login()
        self._limits = None
        self._journal = journal
        self._max_retries = ws_max_retries
        self._on_health_check = on_health_check
        # Beside the cells of a notebook nothing prints: it would land in whatever cell is running.
        self._routes = Routes(self, skip_self_messages, prints=not _is_kernel())
        self.dp = Dispatcher() if dispatcher is None else dispatcher
        self._home: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._attempts = 0
        self._error: Exception | None = None

    @classmethod
    def from_credentials(
        cls,
        server: str,
        username: str,
        password: str,
        *,
        dispatcher: Router | None = None,
        receive_unread_messages: bool = False,
        receive_system_messages: bool = False,
        skip_self_messages: bool = True,
        verify_ssl: http.SSLVerify = True,
        web_port: int | None = None,
        https: bool = True,
        ws_max_retries: int = 5,
        ws_max_delay: int = 60,
        debug: bool = False,
        on_health_check: HealthCheckCallback | None = None,
        timeout: float | int = 10.0,
        max_in_memory_download_size: int = MOST_IN_MEMORY,
        journal: Place = None,
    ) -> Self:
        """Log in with a password and return a bot; further arguments as for the class.

        Raises:
            AuthenticationError: the server does not let the account in.
            WSConnectionError, RequestTimeoutError: the server cannot be reached.
        """
        login = Login(username, Secret.of(password))
        del password  # a traceback would show it
        given = locals()  # all of them go on to the class as they are
        return cls._logged_in(server, login, {name: given[name] for name in _OPTIONS})

    @classmethod
    def from_oauth(
        cls,
        server: str,
        username: str,
        password: str,
        client_id: str,
        *,
        dispatcher: Router | None = None,
        receive_unread_messages: bool = False,
        receive_system_messages: bool = False,
        skip_self_messages: bool = True,
        verify_ssl: http.SSLVerify = True,
        web_port: int | None = None,
        https: bool = True,
        ws_max_retries: int = 5,
        ws_max_delay: int = 60,
        debug: bool = False,
        on_health_check: HealthCheckCallback | None = None,
        timeout: float | int = 10.0,
        max_in_memory_download_size: int = MOST_IN_MEMORY,
        journal: Place = None,
    ) -> Self:
        """Log in through an OAuth application, for servers that take no passwords; arguments as `from_credentials`.

        Raises:
            AuthenticationError: the server does not let the account in, or the application has no scope.
            WSConnectionError, RequestTimeoutError: the server cannot be reached.
        """
        login = Login(username, Secret.of(password), client_id)
        del password  # a traceback would show it
        given = locals()
        return cls._logged_in(server, login, {name: given[name] for name in _OPTIONS})

    def __repr__(self) -> str:
        if "_address" not in vars(self):
            return "<Bot not made yet>"  # a traceback of the constructor asks for it
        who = (self._session and self._session.me_id) or "not started"
        return f"<Bot {who} at {self._address}>"

    def __getattr__(self, name: str) -> Any:
        if name in _WIRING:
            raise NotConnectedError("this bot is not connected yet: await bot.start(), or bot.run() until it is to end")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # -- who and how -----------------------------------------------------------------------------------------------

    @property
    def dp(self) -> Router:
        """The dispatcher, whose handlers get the events; another one can be set at any time."""
        return self._dispatcher

    @dp.setter
    def dp(self, dispatcher: Router) -> None:
        if not isinstance(dispatcher, Router):
            raise UsageError(f"a bot has one dispatcher, a Dispatcher(…) or a Router(…), not {dispatcher!r}")
        self._routes._put_routers([dispatcher])
        self._dispatcher = dispatcher

    @property
    def server(self) -> str:
        """Host name of the server; like port and TLS it can be set until the bot is started."""
        return self._address.host

    @server.setter
    def server(self, server: str) -> None:
        self._move("server", Address.parse(server, https=self.https, web_port=self.port))

    @property
    def port(self) -> int:
        """Port of the server."""
        return self._address.port

    @port.setter
    def port(self, port: int) -> None:
        self._move("port", Address.parse(self.server, https=self.https, web_port=port))

    @property
    def https(self) -> bool:
        """Whether the connection has TLS."""
        return self._address.https

    @https.setter
    def https(self, https: bool) -> None:
        self._move("https", Address.parse(self.server, https=https, web_port=self.port))

    def _move(self, name: str, address: Address) -> None:
        self._refuse_while_running(name)
        self._address = address

    def _refuse_while_running(self, name: str) -> None:
        if self._session is not None or self._opening is not None:
            raise UsageError(f"{name} is set before the bot is started: await bot.shutdown() first")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED:
            self._refuse_while_running(name)
        super().__setattr__(name, value)

    @property
    def timeout(self) -> float:
        """Seconds an answer may take; it can be set at any time."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: float) -> None:
        self._timeout = check_timeout(timeout)
        if self._session is not None:
            self._connection.timeout = self._timeout

    @property
    def token(self) -> str:
        """The token it was made with: a secret, so do not show it."""
        return self.__token.reveal()

    @property
    def session(self) -> Session:
        """The session behind it, with everything that a notebook can do: `bot.session.df`, `bot.session.feed()`.

        Raises:
            NotConnectedError: it is not started.
        """
        if self._session is None:
            raise NotConnectedError("this bot is not connected: await bot.start() first")
        return self._session

    @property
    def max_file_size(self) -> int | None:
        """The largest file that may be uploaded, in bytes; None where there is no limit, or none is known yet.

        What a script sets here and below holds until the server announces something else.
        """
        return None if self._limits is None else self._limits.max_size

    @max_file_size.setter
    def max_file_size(self, size: int | None) -> None:
        self._limits = GetFileUploadLimitsResponse(self._extensions, size)

    @property
    def file_extension_filter_mode(self) -> str | None:
        """`allow` or `block`; None where every extension may be uploaded, or nothing is known yet."""
        return None if self._extensions is None else self._extensions.mode

    @file_extension_filter_mode.setter
    def file_extension_filter_mode(self, mode: str | None) -> None:
        if mode not in (None, "allow", "block"):
            raise UsageError(f"file_extension_filter_mode is 'allow', 'block' or None, not {mode!r}")
        listed = sorted(self.file_extensions_list or ())
        self._limits = GetFileUploadLimitsResponse(
            None if mode is None else Extensions(mode, listed), self.max_file_size
        )

    @property
    def file_extensions_list(self) -> set[str] | None:
        """The extensions that `file_extension_filter_mode` is about."""
        return None if self._extensions is None else set(self._extensions.list)

    @file_extensions_list.setter
    def file_extensions_list(self, extensions: Iterable[str] | None) -> None:
        mode = self.file_extension_filter_mode or "block"
        rule = None if extensions is None else Extensions(mode, sorted(extensions))
        self._limits = GetFileUploadLimitsResponse(rule, self.max_file_size)

    @property
    def _extensions(self) -> Extensions | None:
        return None if self._limits is None else self._limits.extensions

    def health_check(self) -> dict[str, Any]:
        """Return how the connection is.

        Returns:
            `status` (`authorized`, `connected`, `disconnected`), `websocket_connected`, `authorized`, `server`,
            `port`, `protocol` and `timestamp` (UTC, ISO 8601).
        """
        connected, authorized = self.connected_event.is_set(), self.authorized_event.is_set()
        return {
            "status": "authorized" if authorized else "connected" if connected else "disconnected",
            "websocket_connected": connected,
            "authorized": authorized,
            "server": self.server,
            "port": self.port,
            "protocol": "https" if self.https else "http",
            "timestamp": datetime.now(UTC).isoformat(),
        }

    # -- running ---------------------------------------------------------------------------------------------------

    async def run(self, handle_signals: bool = True) -> None:
        """Connect and stay connected until `shutdown`, the interrupt (Ctrl+C or the button), or the end of the process.

        While it runs, exceptions of handlers are written to standard error unless logging is set up.

        Args:
            handle_signals: whether an interrupt ends it quietly; otherwise it is raised here as it comes.

        Raises:
            ApiErrorException, AuthenticationError: the server does not let the account in, now or after a break.
            WSConnectionError, RequestTimeoutError: the server cannot be reached, or not any more.
        """
        with ended_by_signals(self.shutdown) if handle_signals else contextlib.nullcontext(), failures_shown():
            try:
                self._routes.prints = True
                await self.start()
                if self._stopped is not None:
                    await asyncio.shield(self._stopped)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._closing is None or (task is not None and task.cancelling()):
                    await self.shutdown(GRACE)
                    raise
                await asyncio.shield(self._closing)
            finally:
                self._routes.prints = not _is_kernel()
        if self._error is not None:
            raise self._error

    async def start(self) -> None:
        """Connect, and return once the bot is logged in; from then on events reach its handlers.

        Nothing happens where it is started already. Errors as for `run`.
        """
        if self._opening is not None:
            await asyncio.shield(self._opening)
        if self._session is not None:
            return
        if self._closing is not None:
            await asyncio.shield(self._closing)
        self._home = self._routes.home = asyncio.get_running_loop()
        self._error, self._closing, self._attempts = None, None, 0
        # An event belongs to the first loop that waits for it, and a bot may be run in one loop after another.
        self._stopped = self._home.create_future()
        self.stopped_event.clear()
        self._opening = self._home.create_task(self._open())
        try:
            await self._opening
        finally:
            self._opening = None

    async def shutdown(self, timeout: float | None = None) -> None:
        """Take no more events, let handlers end, and close the connection; `start` may follow.

        Args:
            timeout: seconds to wait for handlers; None waits until they have ended. What has not is left to itself.
        """
        if self._home is None or self._home.is_closed():
            self._home = asyncio.get_running_loop()
        home = self._home
        if asyncio.get_running_loop() is not home:
            await awaited(asyncio.run_coroutine_threadsafe(self.shutdown(timeout), home))
            return
        caller = asyncio.current_task()
        if self._closing is None:
            self._closing = home.create_task(self._shut(timeout, caller))
        elif caller in self._routes.working:
            return  # the closing waits for this very handler
        with awake():
            await asyncio.shield(self._closing)

    # -- inside: opening and closing ---------------------------------------------------------------------------------

    @classmethod
    def _logged_in(cls, server: str, login: Login, options: dict[str, Any]) -> Self:
        """Fetch a token, so that a wrong password is an error here, and make a bot that can fetch another one."""
        address = Address.parse(server, https=options["https"], web_port=options["web_port"])
        token = fetched_token(address, login, options["verify_ssl"], options["timeout"])
        bot = cls(server, token.reveal(), **options)
        bot._login = login
        return bot

    async def _open(self) -> None:
        session = self._new_session()
        try:
            self._wire(session)
            session.on_state(lambda said: self._at_home(self._hear, said))
            session.on_failure(lambda failure: self._at_home(_log, failure))
            await session._over(session._open())
        except BaseException as error:
            await session.aclose()
            if (refusal := _refusal(error)) is not None:
                raise refusal from None
            raise
        self._session = session
        tell_notebook(session)

    def _new_session(self) -> Session:
        return Session(
            self._address,
            **self._login._asdict(),
            token=self.__token,
            verify_ssl=True if self.ssl_context is None else self.ssl_context,
            timeout=self.timeout,
            receive_unread_messages=self.receive_unread_messages,
            receive_system_messages=self.receive_system_messages,
            name="bot",
            journal=self._journal,
            router=self._routes,
        )

    def _wire(self, session: Session) -> None:
        """Take the place of the session's own bot, so that handlers get this one, with what a script keeps in it."""
        own, limits = session.bot, self._limits
        super().__init__(
            own._connection,
            own._transfers,
            loop=own.loop,
            on_sent=own._on_sent,
            server_info=own._server_info,
            max_in_memory_download_size=self.max_in_memory_download_size,
        )
        self._limits = limits
        session.bot = self

    async def _shut(self, timeout: float | None, caller: asyncio.Task[Any] | None) -> None:
        self._routes.closed = True
        try:
            if self._opening is not None:
                self._opening.cancel()
                await asyncio.wait([self._opening])
            if under_way := {task for task in self._routes.working if task is not caller}:
                _, late = await asyncio.wait(under_way, timeout=timeout)
                if late:
                    logger.warning("%d handlers have not ended and are left to themselves", len(late))
        finally:
            session, self._session = self._session, None
            if session is not None:
                await session.aclose()
            self._routes.closed = False
            self._lost(None)
            self.stopped_event.set()
            if self._stopped is not None and not self._stopped.done():
                self._stopped.set_result(None)

    # -- inside: how the connection is -------------------------------------------------------------------------------

    def _at_home(self, function: Callable[..., None], *args: Any) -> None:
        """Call something on the script's loop; after that loop nobody listens any more."""
        with contextlib.suppress(RuntimeError):
            if self._home is not None:
                self._home.call_soon_threadsafe(function, *args)

    def _hear(self, said: dict[str, Any]) -> None:
        """Take note of a new state of the connection."""
        if said["state"] == "connected":
            self._attempts = 0
            self.connected_event.set()
            self._tell()
            self.authorized_event.set()
            self._tell(user_id=self.me_id)
        elif said["state"] == "reconnecting":
            self._lost(said["reason"])
            self._attempts += 1
            logger.warning("%s: %s; attempt %d of %d", self, said["reason"], self._attempts, self._max_retries)
            if self._attempts > self._max_retries:
                tried = f"{self._address} cannot be reached after {self._max_retries} attempts: {said['reason']}"
                self._give_up(WSConnectionError(tried))
        elif said["state"] == "closed" and self._closing is None and self._session is not None:
            self._lost(said["reason"])
            self._closing = asyncio.get_running_loop().create_task(self._end_of_connection(said["reason"]))

    def _lost(self, reason: str | None) -> None:
        if self.connected_event.is_set():
            self.connected_event.clear()
            self.authorized_event.clear()
            self._tell(**({} if reason is None else {"error": reason}))

    def _tell(self, **more: Any) -> None:
        if self._on_health_check is not None:
            task = asyncio.get_running_loop().create_task(self._health({**self.health_check(), **more}))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _health(self, status: dict[str, Any]) -> None:
        assert self._on_health_check is not None
        try:
            await self._on_health_check(status)
        except Exception:
            logger.exception("on_health_check failed")

    async def _end_of_connection(self, reason: str | None) -> None:
        """Find out with which error the connection gave up, since a state has only words, and end with that."""
        try:
            await self.get_chats(1)
        except TcnbError as error:
            self._error = _refusal(error) or error
        else:
            self._error = NotConnectedError(reason or "the connection has ended")
        await self._shut(GRACE, None)

    def _give_up(self, error: Exception) -> None:
        if self._closing is None:
            self._error = error
            self._closing = asyncio.get_running_loop().create_task(self._shut(GRACE, None))


_OPTIONS: Final = tuple(name for name in Bot.__init__.__annotations__ if name not in ("server", "token", "return"))
"""The arguments that all ways of making a bot have."""


def _log(failure: Failure) -> None:
    logger.error("%s failed:\n%s", failure.handler or failure.event, failure.traceback.rstrip())


def _is_kernel() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


def _refusal(error: BaseException) -> ApiErrorException | None:
    """Return the server's refusal behind an error: scripts look at its code, for instance to get another token."""
    return error.__cause__ if isinstance(error.__cause__, ApiErrorException) else None
