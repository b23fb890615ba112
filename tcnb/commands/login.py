"""The command `tcnb login`: stores a password in the keyring once a server has accepted it; it is kept nowhere else."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tcnb.client.address import Address
from tcnb.client.credentials import ask, into_keyring
from tcnb.client.tokens import TokenSource
from tcnb.commands.doctor.command import add_server_arguments, verify_ssl
from tcnb.errors import UsageError
from tcnb.network import http
from tcnb.secret import Secret


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m tcnb login` to a parser."""
    add_server_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Ask for what is missing, try the password, and store it.

    Raises:
        UsageError: something is missing and nobody can be asked, or there is no keyring to store it in.
        AuthenticationError, WSConnectionError, RequestTimeoutError: it was not accepted, and is not stored.
    """
    server = options.server or _question("Server: ", "name the server: tcnb login video.example.com")
    username = options.username or _question("Login: ", "give the login with --username")
    address = Address.parse(server, https=not options.http, web_port=options.port)
    password = Secret(ask(f"Password of {username} on {server}: "))
    if not password:
        raise UsageError("no password was given; nothing was stored")
    asyncio.run(_try(address, username, password, options))
    into_keyring(server, username, password, options.timeout)
    sys.stdout.write(
        f"{address} accepts the password of {username}; it is in the keyring, where "
        f'tcnb.connect("{server}", username="{username}") finds it\n'
    )
    return 0


async def _try(address: Address, username: str, password: Secret, options: argparse.Namespace) -> None:
    """Fetch a token for the password, and forget it."""
    tokens = TokenSource(
        address,
        username=username,
        password=password,
        token=None,
        client_id=options.client_id,
        context=http.ssl_context(verify_ssl(options)) if address.https else None,
        timeout=options.timeout,
    )
    await tokens.get()


def _question(question: str, otherwise: str) -> str:
    """Ask whoever sits at the terminal.

    Raises:
        UsageError: nobody does, or nothing is answered.
    """
    answer = ""
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            answer = input(question).strip()
        except EOFError:
            answer = ""
    if not answer:
        raise UsageError(otherwise)
    return answer
