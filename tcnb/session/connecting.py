"""How a session begins: what is needed is found out step by step, then it is opened, blocking or awaited."""

from __future__ import annotations

import difflib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from tcnb.arguments import check_timeout
from tcnb.client.address import Address
from tcnb.client.credentials import Credentials, Question, ask, look_up
from tcnb.errors import UsageError
from tcnb.journal.journal import AUTO, Place
from tcnb.network import http
from tcnb.routing.router import Router
from tcnb.secret import Secret
from tcnb.session.backfill.progress import CatchUp
from tcnb.session.session import Session
from tcnb.threads import interruptible

if TYPE_CHECKING:
    from tcnb.practice import PracticeProcess

P = ParamSpec("P")
T = TypeVar("T")

OTHER_NAMES: Final = {
    "ca": "verify_ssl",
    "ca_file": "verify_ssl",
    "host": "server",
    "login": "username",
    "port": "web_port",
    "user": "username",
}
"""What arguments of `connect` are called elsewhere."""

SECRETS: Final = frozenset({"password", "token"})
"""The arguments of `connect` that are secrets."""

PRACTICE_ACCOUNT: Final = "robot"
"""Login and password of the bot on a practice server."""


Step = Question | Callable[[], Any]
"""Something that may take long: to ask a person, or a function to be called."""


def _prepare(
    server: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    client_id: str | None = None,
    https: bool = True,
    web_port: int | None = None,
    verify_ssl: http.SSLVerify = True,
    timeout: float = 10.0,
    receive_unread_messages: bool = True,
    receive_system_messages: bool = True,
    journal: Place = AUTO,
    name: str = "default",
    practice: bool | dict[str, Any] = False,
    router: Router | None = None,
    catch_up: bool | CatchUp = True,
) -> Generator[Step, Any, Session]:
    """Find out everything that is needed to connect, and return a session that is not connected yet.

    What is not given is looked for in the environment (`TRUECONF_SERVER`, `TRUECONF_USERNAME`, `TRUECONF_PASSWORD`,
    `TRUECONF_TOKEN`, `TRUECONF_CLIENT_ID`), in a `.env` file, in the keyring, and asked for at a prompt. A secret goes
    only to a server that is given here or named by the same source; what is passed over is told in a warning.

    Args:
        server: host name, also with `:port`.
        username: login without `@server`.
        password: its password.
        token: a ready token instead of login and password.
        client_id: id of an OAuth application, for servers that take no passwords.
        https: TLS on port 443, or the plain Bridge on port 4309.
        web_port: another port.
        verify_ssl: True trusts what the system trusts; a path names a CA bundle; an `ssl.SSLContext` is used as it is;
            False checks nothing.
        timeout: seconds an answer may take as a whole; of an upload or download, seconds without progress.
        receive_unread_messages: whether messages that came while the bot was away are sent again.
        receive_system_messages: whether joins, leaves, roles and titles also come as system messages.
        journal: the file that keeps every event, from which the record continues when the kernel is started again.
            `AUTO` is one per server and account in the user's data folder (none for `practice=True`), a path is that
            file, None keeps events in memory alone.
        name: name of the connection in this kernel.
        practice: True starts a practice server with colleagues in a process of its own and connects to it; a dictionary
            sets its `people`, `rate` (events per second), `seed` and `history` (messages).
        router: handlers that are there from the first event on; more can be added to `tc.router` at any time.
        catch_up: whether the session reads by itself, in the background, what was said, edited and removed while it was
            away; a `CatchUp` says how far it looks back.

    Raises:
        UsageError: something needed is missing.
        AuthenticationError: the server does not let the account in.
        WSConnectionError, RequestTimeoutError: the server cannot be reached.
        JournalError: the journal cannot be used; it is left as it is, and its text says what to do.
    """
    process: PracticeProcess | None = None
    timeout = check_timeout(timeout)
    _refuse_unfit(journal, router, catch_up)
    if practice:
        _refuse_own_account(server=server, username=username, password=password, token=token, client_id=client_id)
        process = yield lambda: _start_practice(practice)
        assert process is not None
        address = Address(process.host, process.port, https=False)
        found = Credentials(process.url, PRACTICE_ACCOUNT, Secret(PRACTICE_ACCOUNT))
    else:
        found = yield lambda: look_up(
            server, username, Secret.of(password), Secret.of(token), client_id, timeout=timeout
        )
        for one in found.passed_over:
            warnings.warn(one, stacklevel=4)  # who called connect
        if isinstance(found, Question):
            found = yield found
        address = Address.parse(found.server, https=https, web_port=web_port)
    try:
        return Session(
            address,
            username=found.username,
            password=found.password,
            token=found.token,
            client_id=found.client_id,
            verify_ssl=verify_ssl,
            timeout=timeout,
            receive_unread_messages=receive_unread_messages,
            receive_system_messages=receive_system_messages,
            name=name,
            journal=None if practice and journal is AUTO else journal,
            practice=process,
            router=router,
            catch_up=(CatchUp() if catch_up else None) if isinstance(catch_up, bool) else catch_up,
        )
    except BaseException:
        if process is not None:
            process.stop()
        raise


def _refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse names of arguments that there are not, in one line that suggests what was meant."""
    names = list(known)
    for name in given:
        if name not in names:
            close = [OTHER_NAMES.get(name, ""), *difflib.get_close_matches(name, names, n=1, cutoff=0.6)]
            meant = next((other for other in close if other in names), None)
            hint = f"did you mean {meant}=?" if meant else f"there are {', '.join(names)}"
            raise UsageError(f"{what} has no {name}=: {hint}")


def _described_by(source: Callable[P, object]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Give a function that hands its arguments on the parameters of `source` and, below its own sentence, its text."""

    def describe(function: Callable[..., T]) -> Callable[P, T]:
        _, _, details = (inspect.getdoc(source) or "").partition("\n")
        function.__doc__ = f"{inspect.getdoc(function)}\n{details}"
        returned = inspect.signature(function).return_annotation
        function.__signature__ = inspect.signature(source).replace(return_annotation=returned)  # type: ignore[attr-defined]
        return function

    return describe


def _hidden(given: dict[str, Any]) -> dict[str, Any]:
    """Return the same arguments with what must not stand in a traceback as secrets."""
    return {name: Secret.of(value) if name in SECRETS else value for name, value in given.items()}


def _refuse_unnamed(count: int, what: str) -> None:
    """Refuse arguments without their names, of which one may be a password: none is repeated."""
    if count > 1:
        raise UsageError(f"of {what} only the server goes without a name: {what}(server, username=…, password=…)")


@_described_by(_prepare)
def connect(*args: Any, **kwargs: Any) -> Session:
    """Connect a bot and return its session."""
    count, args, kwargs = len(args), args[:1], _hidden(kwargs)
    _refuse_unnamed(count, "connect")
    _refuse_unknown(kwargs, inspect.signature(_prepare).parameters, "connect")
    session = _done(_prepare(*args, **kwargs))
    try:
        session._wait(session._open())
    except BaseException:
        session.close()
        raise
    tell_notebook(session)
    return session


@_described_by(_prepare)
async def aconnect(*args: Any, **kwargs: Any) -> Session:
    """Connect a bot and return its session; awaited twin of `connect`."""
    count, args, kwargs = len(args), args[:1], _hidden(kwargs)
    _refuse_unnamed(count, "aconnect")
    _refuse_unknown(kwargs, inspect.signature(_prepare).parameters, "aconnect")
    session = await _adone(_prepare(*args, **kwargs))
    try:
        await session._over(session._open())
    except BaseException:
        await session.aclose()
        raise
    tell_notebook(session)
    return session


def _refuse_unfit(journal: object, router: object, catch_up: object) -> None:
    """Refuse what is no journal, no router, or says nothing of how far to look back."""
    if not (journal is None or journal is AUTO or isinstance(journal, str | os.PathLike)):
        raise UsageError(f"journal is a path, AUTO or None, not {journal!r}")
    if not (router is None or isinstance(router, Router)):
        raise UsageError(f"router is a Router, not {router!r}")
    if not isinstance(catch_up, bool | CatchUp):
        raise UsageError(f"catch_up is True, False or a CatchUp(…), not {catch_up!r}")


def _refuse_own_account(**own: str | None) -> None:
    """Refuse a server or an account beside the practice server, which has its own."""
    if given := [f"{name}=" for name, value in own.items() if value is not None]:
        raise UsageError(f"the practice server has an address and an account of its own: leave out {', '.join(given)}")


def _done(steps: Generator[Step, Any, Session]) -> Session:
    """Take the steps towards a session, one after the other."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            session: Session = end.value
            return session
        answer = step.put(ask) if isinstance(step, Question) else step()


async def _adone(steps: Generator[Step, Any, Session]) -> Session:
    """Take the steps towards a session beside the loop, in such a way that the interrupt button ends them."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            session: Session = end.value
            return session
        answer = await (step.aput() if isinstance(step, Question) else interruptible(step, name="tcnb connect"))


def tell_notebook(session: Session) -> None:
    """Let the notebook, if this is one, look after the session when cells have run."""
    if "IPython" in sys.modules:
        from tcnb.notebook.cell_hooks import look_after  # it stands above, and is reached only where it is in use

        look_after(session)


def _start_practice(options: bool | dict[str, Any]) -> PracticeProcess:
    if not isinstance(options, bool | dict):
        raise UsageError(f"practice is True, or a dictionary such as {{'people': 6, 'rate': 1.0}}, not {options!r}")
    options = {} if isinstance(options, bool) else options
    from tcnb.practice import start_process  # tornado and the pictures are only needed here
    from tcnb.practice.options import OptionValues

    _refuse_unknown(options, OptionValues.__annotations__, "practice")
    try:
        return start_process(**{"people": 6, "rate": 1.0, **options})
    except ValueError as error:
        raise UsageError(f"practice: {error}") from None
