"""Running a practice server in a thread of this process, for callers that are busy or not asynchronous."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar, Unpack

from tcnb.practice.entities import Settings
from tcnb.practice.options import Options, OptionValues
from tcnb.practice.server import PracticeServer
from tcnb.threads import new_thread

Result = TypeVar("Result")


class PracticeThread:
    """A practice server with a thread and an event loop of its own; use it with `with`.

    Args:
        settings: the choices where the protocol is silent.
        ssl_options: a TLS setting, in place of certificate files.
        values: the options of `tcnb.practice.options.Options`.

    Attributes:
        server: the server; touch it only through `call` and `run`.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        ssl_options: ssl.SSLContext | None = None,
        **values: Unpack[OptionValues],
    ) -> None:
        self.server: PracticeServer
        self._options = Options(**values)
        self._settings = settings
        self._ssl_options = ssl_options
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.port

    @property
    def url(self) -> str:
        """Where it is reached, `scheme://host:port`."""
        return self.server.url

    def start(self) -> None:
        """Start the thread and wait until the server listens.

        Raises:
            OSError: the port is taken.
        """
        is_ready = threading.Event()
        self._thread = new_thread(self._serve, is_ready, name="tcnb-practice")
        self._thread.start()
        is_ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop the server and end the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def call(self, function: Callable[[PracticeServer], Result]) -> Result:
        """Call a function with the server, in the server's thread, and return its result."""

        async def in_loop() -> Result:
            return function(self.server)

        return self.run(in_loop())

    def run(self, work: Coroutine[Any, Any, Result], timeout: float | None = 60.0) -> Result:
        """Run a coroutine in the server's loop and return its result; `timeout` is in seconds."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def _serve(self, is_ready: threading.Event) -> None:
        try:
            asyncio.run(self._run(is_ready))
        except BaseException as error:
            self._failure = error
            is_ready.set()

    async def _run(self, is_ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        async with PracticeServer(self._options, settings=self._settings, ssl_options=self._ssl_options) as server:
            self.server = server
            is_ready.set()
            await self._stopped.wait()
