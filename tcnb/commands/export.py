"""The command `tcnb export`: journals into an archive, without a connection; the archive itself is in `record`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tcnb.archive import writing
from tcnb.errors import JournalError
from tcnb.journal.journal import default_path
from tcnb.record import replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m tcnb export` to a parser."""
    parser.add_argument("archive", metavar="ARCHIVE", help="a folder, or the address of one that fsspec understands")
    parser.add_argument(
        "--journal",
        metavar="FILE",
        type=Path,
        action="append",
        help="a journal; may be given several times (without it: all in the user's data folder)",
    )


def run(options: argparse.Namespace) -> int:
    """Export each journal, and say how much of it was new.

    Raises:
        JournalError: there is none, or one cannot be read.
        ArchiveError: the archive cannot be written.
    """
    for path in options.journal or _journals():
        record, source = replay.read(path)
        done = writing.export(record.frame(), options.archive, source=source)
        sys.stdout.write(f"{record.me}: {done.events:,} new events in {done.files} files of {done.path}\n")
    return 0


def _journals() -> list[Path]:
    folder = default_path("server", "account").parents[1]
    found = sorted(folder.glob("*/*.sqlite"))
    if not found:
        raise JournalError(f"there is no journal in {folder}: name one with --journal")
    return found
