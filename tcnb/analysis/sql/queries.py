"""SQL over the live record and over archives, by DuckDB; what the tables of an archive are made of is written here."""

from __future__ import annotations

import difflib
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from tcnb import threads
from tcnb.analysis.sql.parameters import Parameters
from tcnb.analysis.sql.tables import LIVE, LiveTable, check_frames, own_table
from tcnb.archive.scan import scan_sources
from tcnb.errors import MissingPackageError, UsageError

if TYPE_CHECKING:
    import pandas as pd

TABLES: Final = tuple(LIVE)
"""The tables there are."""

_NO_TABLE: Final = re.compile(r"^Catalog Error: (\w+) is not an? table")
_UNKNOWN_TABLE: Final = re.compile(r"^Catalog Error: Table with name (\S+) does not exist")
_CANDIDATES: Final = 6
"""Lines of what DuckDB would have understood instead that an error shows; of a function it may name dozens."""

_ROWS: Final = 10_000
"""Rows of an answer that nobody wants at a time."""

_SETTINGS: Final = (
    # A query names tables, never the variables of the functions that run it.
    "SET python_enable_replacements = false",
    # What DuckDB lacks, it would fetch from the network and load by itself.
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    # Where a query does meet a zone (now(), AT TIME ZONE), its times without one are in UTC.
    "SET TimeZone = 'UTC'",
)


class Source(Protocol):
    """Where the live tables come from: a session."""

    @property
    def df(self) -> pd.DataFrame: ...
    @property
    def messages(self) -> pd.DataFrame: ...
    @property
    def chats(self) -> pd.DataFrame: ...
    @property
    def people(self) -> pd.DataFrame: ...


# Times lose their zone on the way in: what DuckDB does with zones is in an extension that it loads from the network.
# What came to two accounts that export into one archive counts once: a message by its id; an edit or a removal by what
# it says, and, where a source has several that say the same, by which of them it is.
_EVENTS: Final = """
WITH changes AS (
    SELECT *, row_number() OVER (PARTITION BY source, event, chat_id, message_id, text ORDER BY seq) AS nth
    FROM _sources WHERE event IN ('edited_message', 'removed_message')
), once AS (
    SELECT * EXCLUDE source FROM _sources WHERE event IS NULL OR event NOT IN ('edited_message', 'removed_message')
    QUALIFY event IS DISTINCT FROM 'message' OR message_id IS NULL
        OR row_number() OVER (PARTITION BY event, message_id ORDER BY received, seq) = 1
    UNION ALL BY NAME
    SELECT * EXCLUDE (source, nth) FROM changes
    QUALIFY row_number() OVER (PARTITION BY event, chat_id, message_id, text, nth ORDER BY received, seq) = 1
)
SELECT * REPLACE (make_timestamp(epoch_us(received)) AS received, make_timestamp(epoch_us(timestamp)) AS timestamp)
FROM once
"""

# The rules are those of `tcnb.record.views.messages`, which says why; here they are for archives larger than memory.
# Positions of several sources cannot be compared, so what came later is told by the time of reception first.
_MESSAGES: Final = """
WITH edits AS (
    SELECT message_id, count(*) AS edits, max(coalesce(timestamp, received)) AS edited_at,
        last(text ORDER BY received, seq) FILTER (text IS NOT NULL) AS text,
        max(row(received, seq)) FILTER (text IS NOT NULL) AS text_came
    FROM events WHERE event = 'edited_message' AND message_id IS NOT NULL GROUP BY message_id
), removals AS (
    SELECT message_id, min(coalesce(timestamp, received)) AS removed_at
    FROM events WHERE event = 'removed_message' AND message_id IS NOT NULL GROUP BY message_id
), replies AS (
    SELECT reply.reply_to AS message_id, reply.author_id, reply.received, reply.seq,
        epoch_us(coalesce(reply.timestamp, reply.received))
            - epoch_us(coalesce(original.timestamp, original.received)) AS wait,
        lower(reply.author_id) <> lower(original.author_id) AS by_another
    FROM events AS reply JOIN events AS original
        ON original.message_id = reply.reply_to AND original.chat_id IS NOT DISTINCT FROM reply.chat_id
    WHERE reply.event = 'message' AND original.event = 'message' AND reply.author_type IS DISTINCT FROM 'system'
        AND reply.message_id IS DISTINCT FROM reply.reply_to
        AND NOT EXISTS (SELECT 1 FROM removals WHERE removals.message_id = reply.message_id)
), answers AS (
    SELECT message_id, count(*) AS replies,
        min(wait) FILTER (by_another AND wait >= 0) AS first_wait,
        first(author_id ORDER BY wait, received, seq) FILTER (by_another AND wait >= 0) AS first_reply_by_id
    FROM replies GROUP BY message_id
), titles AS (
    SELECT chat_id, last(chat ORDER BY received, seq) FILTER (chat IS NOT NULL) AS chat FROM events GROUP BY chat_id
), names AS (
    SELECT lower(author_id) AS person, first(author_id ORDER BY received, seq) AS author_id,
        last(author ORDER BY received, seq) FILTER (author IS NOT NULL) AS author
    FROM events GROUP BY person
)
SELECT said.message_id, said.chat_id, titles.chat, names.author_id, names.author, said.author_type, said.timestamp,
    CASE WHEN edits.text_came > row(said.received, said.seq) THEN edits.text ELSE said.text END AS text,
    said.message_type, said.reply_to, said.forwarded_from,
    coalesce(edits.edits, 0) AS edits, edits.edited_at,
    removals.removed_at IS NOT NULL AS removed, removals.removed_at,
    said.file_id, said.file_name, said.file_size, said.mime_type, CAST(NULL AS VARCHAR) AS origin,
    coalesce(answers.replies, 0) AS replies, answers.first_wait / 1e6 AS first_reply_seconds,
    repliers.author_id AS first_reply_by_id, repliers.author AS first_reply_by
FROM events AS said
LEFT JOIN edits USING (message_id)
LEFT JOIN removals USING (message_id)
LEFT JOIN titles ON titles.chat_id = said.chat_id
LEFT JOIN names ON names.person = lower(said.author_id)
LEFT JOIN answers USING (message_id)
LEFT JOIN names AS repliers ON repliers.person = lower(answers.first_reply_by_id)
WHERE said.event = 'message'
"""

_TALLY: Final = """
SELECT first({of} ORDER BY received, seq) AS {of},
    last({name} ORDER BY received, seq) FILTER ({name} IS NOT NULL) AS {name}, {more}
    count(*) FILTER ({counted}) AS messages, count(DISTINCT {other}) FILTER ({counted}) AS {others},
    min(coalesce(timestamp, received)) FILTER ({counted}) AS first,
    max(coalesce(timestamp, received)) FILTER ({counted}) AS last
FROM events WHERE {of} IS NOT NULL {only} GROUP BY {one}
"""
_COUNTED: Final = "event = 'message' AND author_type IS DISTINCT FROM 'system'"
_CHATS: Final = _TALLY.format(
    of="chat_id",
    name="chat",
    one="chat_id",
    more="last(chat_type ORDER BY received, seq) FILTER (chat_type IS NOT NULL) AS chat_type,",
    counted=_COUNTED,
    other="lower(author_id)",
    others="people",
    only="",
)
_PEOPLE: Final = _TALLY.format(
    of="author_id",
    name="author",
    one="lower(author_id)",
    more="",
    counted=_COUNTED,
    other="chat_id",
    others="chats",
    only="AND author_type IS DISTINCT FROM 'system'",
)


def query(
    sql: str,
    source: Source | None = None,
    *,
    archive: str | os.PathLike[str] | None = None,
    params: Mapping[str, Any] | Sequence[Any] | None = None,
    frames: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Run a query and return its result.

    Args:
        sql: what DuckDB understands, over the tables `events` (the columns of `tc.df`), `messages`, `chats` and
            `people` (those of the views of the same names). In a query times are in UTC and have no zone. Of several
            statements, the result of the last one that has one is returned.
        source: the session whose record is asked.
        archive: ask this archive instead, see `scan`; it may be larger than memory.
        params: values of the parameters in the query: by name for `$name`, in order for `?`. A value is never read as
            SQL.
        frames: DataFrames of pandas, Polars, PyArrow, DuckDB, Dask or PySpark that are tables in the query, by name.
            Variables are not looked up by themselves.

    Returns:
        A row a row; numbers, truths and texts as the types that know missing values, dates as midnights, intervals as
        lengths of time. Columns that are called like times of the tables (`received`, `timestamp`, `first`, `last`, …)
        are in UTC again. `docs/archives.md` has the types of all others.

    Raises:
        UsageError: DuckDB refuses the query; its reason and the place in the query are in the error.
        ArchiveError: there is no such archive.
        MissingPackageError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingPackageError("SQL needs DuckDB: pip install 'tcnb[analysis]'") from error
    if not isinstance(sql, str) or not sql.strip():
        raise UsageError("there is no query: write SQL over events, messages, chats, people")
    if source is not None and not all(_has(source, home) for home, _ in LIVE.values()):
        raise UsageError(f"SQL asks a session or an archive, not a {type(source).__name__}: query(sql, tc)")
    given, own = Parameters(params), check_frames(frames)
    live: list[LiveTable] = []
    with duckdb.connect() as connection:
        try:
            _set_up(connection)
            if archive is not None:
                _add_archive(connection, archive)
            elif source is not None:
                live = _add_live(connection, source)
            for name, frame in own.items():
                connection.register(name, own_table(name, frame))
            # On a thread of its own, since DuckDB hardly hears the interrupt button.
            return threads.call(lambda: _answer(connection, sql, given), name="tcnb query", stop=connection.interrupt)
        except duckdb.Error as error:
            for table in live:
                if table.failure is not None:
                    raise table.failure from None
            raise UsageError(f"DuckDB: {_readable(error, (*TABLES, *own))}") from None


def _has(source: object, name: str) -> bool:
    """Tell whether an object has an attribute, without reading it: a view may take a while."""
    return inspect.getattr_static(source, name, None) is not None


def _set_up(connection: Any) -> None:
    import duckdb

    for setting in _SETTINGS:
        # A build without zones has no setting for them, and knows UTC alone.
        try:
            connection.execute(setting)
        except duckdb.CatalogException:
            continue


def _answer(connection: Any, sql: str, given: Parameters) -> pd.DataFrame:
    """Run every statement, and return the result of the last that has one."""
    import pandas as pd

    from tcnb.analysis.sql import answers

    statements = connection.extract_statements(sql)
    values = given.by_statement([set(statement.named_parameters) for statement in statements])
    asking = [place for place, statement in enumerate(statements) if _is_question(statement)]
    wanted = asking[-1] if asking else len(statements) - 1
    answer = pd.DataFrame()
    for place, (statement, bound) in enumerate(zip(statements, values, strict=True)):
        with _place_told(connection, sql, statement, bound):
            if place != wanted:
                _run(connection, statement, bound)
                continue
            relation = connection.sql(statement, params=bound)
            if relation is not None and relation.columns != ["Success"]:
                answer = answers.to_pandas(answers.cast(relation).to_arrow_table())
    return answer


def _run(connection: Any, statement: Any, bound: Any) -> None:
    """Run a statement to its end; what it answers, if it does, is of no use to anybody."""
    connection.execute(statement, bound)
    while connection.fetchmany(_ROWS):
        pass


def _is_question(statement: Any) -> bool:
    """Tell whether a statement has rows for an answer, and not only the number of those that it changed."""
    kinds = [kind.name for kind in statement.expected_result_type]
    return kinds == ["QUERY_RESULT"] or statement.type.name == "MULTI"


@contextmanager
def _place_told(connection: Any, sql: str, statement: Any, bound: Any) -> Iterator[None]:
    """Have an error about a statement say where in the query its reason is.

    DuckDB says so only of a text that it runs as a whole. What it refused before it began it refuses again, so the
    statement's own text is run, on the lines on which it is in the query.
    """
    import duckdb

    try:
        yield
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        if "LINE " not in str(error):
            before, text, _ = sql.partition(statement.query)
            connection.execute("\n" * before.count("\n") + (text or statement.query), bound)
        raise


def _add_live(connection: Any, source: Source) -> list[LiveTable]:
    """Hand over all tables; what is made of a table that the query does not read costs nothing."""
    tables = []
    for name, (home, columns) in LIVE.items():
        table = LiveTable(_reader(source, home), columns)
        connection.register(name, table)
        tables.append(table)
    return tables


def _reader(source: Source, home: str) -> Callable[[], pd.DataFrame]:
    return lambda: getattr(source, home)


def _add_archive(connection: Any, archive: str | os.PathLike[str]) -> None:
    sources = scan_sources(archive, connection)
    for number, events in enumerate(sources):
        events.create_view(f"_source_{number}")
    union = " UNION ALL BY NAME ".join(
        f"SELECT {number} AS source, * FROM _source_{number}" for number in range(len(sources))
    )
    views = {"_sources": union, "events": _EVENTS, "messages": _MESSAGES, "chats": _CHATS, "people": _PEOPLE}
    for name, definition in views.items():
        connection.execute(f"CREATE VIEW {name} AS {definition}")


def _readable(error: Exception, tables: tuple[str, ...]) -> str:
    """Return what DuckDB says and where in the query it is; of a table, which ones there are.

    Those that DuckDB itself would name are of its own catalogue.
    """
    said, line, drawing = str(error).strip().partition("\n\nLINE ")
    unknown = _UNKNOWN_TABLE.search(said)
    if unknown is not None:
        said = _about_table(unknown[1].strip('"'), tables)
    elif (kept := _NO_TABLE.search(said)) is not None:
        said = f"{kept[1]} is there for reading alone"
    elif 'near "$' in said:
        said += "\nA parameter stands for a value, never for a table, a column or a keyword"
    lines = [part.strip() for part in said.splitlines() if part.strip()]
    if len(lines) > _CANDIDATES + 1:
        lines[_CANDIDATES + 1 :] = ["…"]
    return "\n".join(lines) + (f"\n\n{line.strip()} {drawing}" if line else "")


def _about_table(name: str, tables: tuple[str, ...]) -> str:
    if name.casefold() in TABLES:
        return f"{name} is there for reading alone, and only with a session or an archive"
    close = difflib.get_close_matches(name.casefold(), [table.casefold() for table in tables], n=1, cutoff=0.7)
    meant = f"; did you mean {close[0]}?" if close else ""
    own = "" if meant else f"; a DataFrame of yours becomes one with frames={{'{name}': {name}}}"
    return f"there is no table {name}: there are {', '.join(tables)}{meant or own}"
