"""The command `tcnb doctor`: its options, the order of the examinations, and how findings are shown."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tcnb.arguments import check_timeout
from tcnb.client.address import Address
from tcnb.client.credentials import Credentials, Question, look_up
from tcnb.commands.doctor import journals, proxies, server, software
from tcnb.commands.doctor.findings import Finding, Verdict, summary
from tcnb.network.http import SSLVerify
from tcnb.secret import Secret
from tcnb.threads import interruptible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m tcnb doctor` to a parser."""
    add_server_arguments(parser)
    parser.add_argument("--journal", type=Path, metavar="FILE", help="examine this journal, not those of this user")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which server is meant, and who logs in there."""
    parser.add_argument("server", nargs="?", metavar="SERVER", help="host name, also with :port or a scheme")
    parser.add_argument("--username", metavar="LOGIN", help="login without @server (or TRUECONF_USERNAME)")
    parser.add_argument("--client-id", metavar="ID", help="id of an OAuth application (or TRUECONF_CLIENT_ID)")
    parser.add_argument("--http", action="store_true", help="no TLS: the plain Bridge, port 4309")
    parser.add_argument("--port", type=int, metavar="N", help="another port")
    certificates = parser.add_mutually_exclusive_group()
    certificates.add_argument(
        "--ca", "--ca-file", dest="ca", type=Path, metavar="FILE", help="CA certificates (PEM) to trust besides"
    )
    certificates.add_argument("--no-verify", action="store_true", help="do not check the server's certificate")
    parser.add_argument(
        "--timeout", type=_timeout, default=10.0, metavar="SECONDS", help="for each step (default: %(default)g)"
    )


def run(options: argparse.Namespace) -> int:
    """Examine this machine and, where one is named, a server; print a line a finding.

    Returns:
        0 where nothing keeps tcnb from working, 1 otherwise.

    Raises:
        UsageError, CertificateError: the address or the CA file that was given is none.
    """
    return asyncio.run(_run(options))


def verify_ssl(options: argparse.Namespace) -> SSLVerify:
    """Return what the options say about certificates, as `tcnb.connect` takes it."""
    if options.no_verify:
        return False
    return True if options.ca is None else Path(options.ca)


def _timeout(text: str) -> float:
    try:
        return check_timeout(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of seconds, 0 or more, not {text!r}") from None


async def _run(options: argparse.Namespace) -> int:
    secrets: list[Secret] = []
    findings: list[Finding] = []
    async for finding in _examine(options, secrets):
        shown = _without(finding, secrets)
        findings.append(shown)
        if not options.json:
            sys.stdout.write(f"{shown}\n")
            sys.stdout.flush()
    problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
    if not options.json:
        sys.stdout.write(f"{summary(findings)}\n")
    else:
        said = {
            "ok": not problems,
            "findings": [{"check": one.check, "verdict": one.verdict, "text": one.text} for one in findings],
        }
        sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    return 1 if problems else 0


async def _examine(options: argparse.Namespace, secrets: list[Secret]) -> AsyncIterator[Finding]:
    """Yield all findings; secrets that were found on the way are put into `secrets` first."""
    if options.server is not None:

        async def credentials() -> Credentials:
            found = await interruptible(
                lambda: look_up(options.server, options.username, client_id=options.client_id, timeout=options.timeout),
                name="tcnb doctor",
            )
            if isinstance(found, Question):
                found = await found.aput()
            # A password is hidden where the server's words are read: see `client.tokens`.
            if found.token:
                secrets.append(found.token)
            return found

        target = server.Target(
            address=Address.parse(options.server, https=not options.http, web_port=options.port),
            verify_ssl=verify_ssl(options),
            timeout=options.timeout,
            credentials=credentials,
        )
        async for finding in server.examine(target):
            yield finding
    yield proxies.examine()
    for finding in (*journals.examine(options.journal), *software.examine()):
        yield finding


def _without(finding: Finding, secrets: list[Secret]) -> Finding:
    """Return a finding whose text holds no secret, whatever a server put into its answer."""
    text = finding.text
    for secret in secrets:
        text = secret.hidden_in(text)
    return Finding(finding.check, finding.verdict, " ".join(text.split()))
