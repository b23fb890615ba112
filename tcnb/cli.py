"""The command `tcnb`: which subcommands there are; what they do is told in the rooms they belong to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tcnb import demo
from tcnb._version import __version__
from tcnb.errors import TcnbError
from tcnb.practice import command as practice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; errors of tcnb are one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="tcnb", description="A Jupyter notebook as a client of a TrueConf chat server."
    )
    parser.add_argument("--version", action="version", version=f"tcnb {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module, summary in (
        ("practice", practice, "run a local TrueConf server to practise against"),
        ("demo", demo, "run the tour notebook against a practice server and show what it collected"),
    ):
        subparser = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except TcnbError as error:
        print(f"tcnb {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
