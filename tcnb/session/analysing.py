"""The verbs that look back: files, edits, the latest events, SQL, and the way into an archive."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcnb.archive import writing
from tcnb.arguments import check_int
from tcnb.record import derived, replay
from tcnb.session.reading import ReadingVerbs

if TYPE_CHECKING:
    import pandas as pd

    from tcnb.journal.frame_cache import FrameCache


class AnalysingVerbs(ReadingVerbs):
    """What can be said about the record as it stands; the network is never asked."""

    @property
    def files(self) -> pd.DataFrame:
        """One row a file that was sent, with the columns of `tcnb.record.schema.FILES`."""
        return self._settled().files()

    @property
    def edits(self) -> pd.DataFrame:
        """One row an edit, with what the message said before and then: `tcnb.record.schema.EDITS`."""
        return self._settled().edits()

    def since(self, when: derived.When) -> pd.DataFrame:
        """Return the events from a moment on.

        Args:
            when: a moment, a length of time back from now, or either in words: `"09:00"`, `"today"`, `"2h"`.

        Returns:
            Rows of `df`.

        Raises:
            UsageError: it is no moment.
        """
        return derived.since(self.df, when)

    def tail(self, n: int = 10) -> pd.DataFrame:
        """Return the last `n` rows of `df`."""
        return self.df.tail(check_int(n, "n is the number of rows", 0))

    def sql(
        self,
        query: str,
        params: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        frames: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Ask the record in SQL; see `tcnb.analysis.sql.queries.query`.

        Args:
            query: what DuckDB understands, over the tables `events`, `messages`, `chats` and `people`.
            params: values of its parameters: by name for `$name`, in order for `?`.
            frames: DataFrames that are tables in the query, by name.

        Returns:
            A row a row.

        Raises:
            UsageError: DuckDB refuses the query; its reason and the place in the query are in the error.
            MissingPackageError: DuckDB is not installed.
        """
        from tcnb.analysis.sql import queries

        return queries.query(query, self, params=params, frames=frames)

    def export(self, path: str | os.PathLike[str]) -> writing.Exported:
        """Append to an archive of Parquet files what it does not hold yet; see `tcnb.archive.writing.export`.

        Args:
            path: a folder, or the URL of one that fsspec understands.

        Returns:
            What was written; repeating it adds only what is new.

        Raises:
            ArchiveError: the place cannot be written, or holds something else.
        """
        return writing.export(self.df, path, source=self._source)

    @property
    def journal_path(self) -> Path | None:
        """Where the frames of the rows are; None where there is no journal, or another one in its place."""
        journal = self._intake.journal
        return journal.path if journal is not None and journal.is_as_told else None

    @property
    def kept_frames(self) -> FrameCache | None:
        """Without a journal, the latest frames that said more than their columns; None with one."""
        return self._intake.kept

    @property
    def restored_seq(self) -> int:
        """The `seq` up to which events were recorded before this session began; 0 without a journal."""
        return self._intake.restored

    @cached_property
    def _source(self) -> str:
        journal = self._intake.journal
        return replay.source(self._connection.me_id, secrets.token_hex(8) if journal is None else journal.id)


def offer_analyses() -> None:
    """Give every pandas frame the analyses, as `df.tc`; they themselves are imported when one is used."""
    from tcnb.analysis.accessor import register

    register()
