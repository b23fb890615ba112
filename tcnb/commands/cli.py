"""The command `tcnb`: which subcommands there are; what they do is told in the rooms they belong to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from tcnb._version import __version__
from tcnb.console import replace_what_lacks
from tcnb.errors import TcnbError
from tcnb.files.paths import working_folder

COMMANDS: Final = {
    "practice": ("tcnb.practice.command", "run a local TrueConf server to practise against"),
    "demo": ("tcnb.commands.demo", "run the tour notebook against a practice server and show what it collected"),
    "export": ("tcnb.commands.export", "append what journals hold to an archive of Parquet files"),
    "login": ("tcnb.commands.login", "store a password in the keyring, once the server has accepted it"),
    "doctor": ("tcnb.commands.doctor.command", "say what keeps a notebook from its server, and what to do about it"),
}
"""By name: the module with `add_arguments(parser)` and `run(options) -> exit code`, and what it does in a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; errors of tcnb are one line on standard error."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    replace_what_lacks()
    parser = _parser(arguments)
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except TcnbError as error:
        print(f"tcnb {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough of it, as `head` does; what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"tcnb {options.command}: {_reason(error)}", file=sys.stderr)
        return 1


def _reason(error: OSError) -> str:
    """Say what this machine refused, and what to do."""
    if working_folder() is None:
        return "the working folder of this process was deleted: change to another folder and run it again"
    if error.filename is None:
        return str(error.strerror or error)
    return f"{error.filename}: {error.strerror}: check that it is there and this account may use it"


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser; only the modules of subcommands that are named are imported, since some take a second."""
    parser = argparse.ArgumentParser(
        prog="tcnb", description="A Jupyter notebook as a client of a TrueConf chat server."
    )
    parser.add_argument("--version", action="version", version=f"tcnb {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (path, summary) in COMMANDS.items():
        subparser = commands.add_parser(name, help=summary, description=summary)
        if name in arguments:
            module = import_module(path)
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser
