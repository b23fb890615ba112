"""The command line of the practice server: its options, its ready line and its end; the server itself is elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from tcnb.practice.entities import GENERATIONS
from tcnb.practice.options import ACCOUNTS, DEFAULT_ACCOUNT, Options, accounts_of
from tcnb.practice.server import PracticeServer
from tcnb.threads import new_thread

PARENT_CHECK_INTERVAL = 1.0
"""Seconds between two looks at whether the parent process is still there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m tcnb practice` to a parser."""
    defaults = Options()
    listen = parser.add_argument_group("where it listens")
    listen.add_argument("--host", default=defaults.host, help="address to listen on (default: %(default)s)")
    listen.add_argument("--port", type=int, default=defaults.port, help="port to listen on; 0 picks one (default)")
    listen.add_argument("--domain", default=defaults.domain, help="name of the server (default: %(default)s)")
    listen.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate in PEM form: speak TLS")
    listen.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of the certificate")
    listen.add_argument("--public-url", metavar="URL", help="where the server says that its files are")
    _add_people(parser, defaults)
    _add_behaviour(parser, defaults)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log to standard error; twice for more")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input or the parent ends")


def _add_people(parser: argparse.ArgumentParser, defaults: Options) -> None:
    people = parser.add_argument_group("who is there")
    people.add_argument(
        "--account",
        action="append",
        dest="accounts",
        metavar="LOGIN:PASSWORD[:DISPLAY NAME]",
        help=f"an account for a bot; may be repeated (default: {DEFAULT_ACCOUNT}). The list of processes shows it to "
        "everybody on this machine: for a password that matters use --accounts-file",
    )
    people.add_argument(
        "--accounts-file",
        type=Path,
        metavar="FILE",
        help=f"accounts of that form, a line each; otherwise the environment variable {ACCOUNTS} may have them",
    )
    people.add_argument("--people", type=int, default=defaults.people, metavar="N", help="simulated colleagues (none)")
    people.add_argument("--rate", type=float, metavar="EVENTS_PER_SECOND", help="what colleagues do (1; 0: silent)")
    people.add_argument(
        "--replies", action=argparse.BooleanOptionalAction, help="whether colleagues answer bots (unless the rate is 0)"
    )
    people.add_argument("--seed", type=int, default=defaults.seed, metavar="N", help="what they say and do (1)")
    people.add_argument(
        "--history", type=int, default=defaults.history, metavar="N", help="messages already there (%(default)s)"
    )


def _add_behaviour(parser: argparse.ArgumentParser, defaults: Options) -> None:
    behaviour = parser.add_argument_group("how it behaves")
    behaviour.add_argument(
        "--generation", choices=GENERATIONS, default=defaults.generation, help="wire of which version (%(default)s)"
    )
    behaviour.add_argument("--replay", type=Path, metavar="FILE", help="JSON lines pushed to each session at --rate")
    behaviour.add_argument("--ping-interval", type=float, default=defaults.ping_interval, metavar="SECONDS")
    behaviour.add_argument("--ping-timeout", type=float, default=defaults.ping_timeout, metavar="SECONDS")
    behaviour.add_argument("--connection-limit", type=int, default=defaults.connection_limit, metavar="N")
    behaviour.add_argument("--oauth-application", metavar="ID", help="client id of an OAuth application")
    behaviour.add_argument(
        "--no-password-login", action="store_false", dest="password_login", help="take no passwords (403)"
    )
    behaviour.add_argument("--bridge-only", action="store_true", help="have no /api/v4, like a server without web")
    behaviour.add_argument("--faults", action="store_true", help="take orders of faults at POST /practice/…")


def options_of(args: argparse.Namespace) -> Options:
    """Return the options that a command line gave, with the accounts of its file or of the environment.

    Raises:
        OSError: the file of the accounts cannot be read.
        ValueError: one of them makes no sense.
    """
    values = {name: getattr(args, name) for name in Options.__slots__ if name != "accounts"}
    return Options(accounts=_accounts(args) or (DEFAULT_ACCOUNT,), **values)


def _accounts(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the accounts that were named; those of the environment where the command line names none."""
    if args.accounts is None and args.accounts_file is None:
        return accounts_of(os.environ.get(ACCOUNTS, ""))
    listed = () if args.accounts_file is None else accounts_of(args.accounts_file.read_text("utf-8"))
    return (*(args.accounts or ()), *listed)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal (or the end of the parent) comes; return the exit code.

    The first line on standard output is a JSON object, `{"event": "ready", "host", "port", "domain"}`; none follows it.
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(args.verbose, logging.DEBUG)
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    options: Options | None = None
    try:
        options = options_of(args)
        for file in (options.replay, options.tls_cert, options.tls_key):
            if file is not None:
                Path(file).open("rb").close()
        asyncio.run(_serve(options, with_parent=args.with_parent))
    except OSError as error:
        sys.stderr.write(f"tcnb practice: {_reason(error, options)}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"tcnb practice: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _reason(error: OSError, options: Options | None) -> str:
    """Say what could not be opened, and what to do."""
    if error.errno == errno.EADDRINUSE and options is not None:
        return (
            f"port {options.port} of {options.host} is taken: name another one with --port, or 0 for any that is free"
        )
    if error.filename is not None:
        return f"{error.filename} cannot be read: {error.strerror}"
    return str(error)


async def _serve(options: Options, *, with_parent: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM"):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(getattr(signal, name), stopped.set)
    if with_parent:
        _watch_parent(loop, stopped)
    async with PracticeServer(options) as server:
        ready = {"event": "ready", "host": options.host, "port": server.port, "domain": options.domain}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def _watch_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    parent = os.getppid()
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stopped.set)

    def wait_for_input() -> None:
        # The parent holds the other end; it closes when the parent ends, however it ends.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        end()

    def look_for_parent() -> None:
        # A child that the parent forked may hold that end open after the parent is gone.
        while not ended.wait(PARENT_CHECK_INTERVAL):
            if os.getppid() != parent:
                end()

    new_thread(wait_for_input, name="tcnb-practice-input").start()
    new_thread(look_for_parent, name="tcnb-practice-parent").start()
