"""SQL over the live record and over archives, by DuckDB; what the tables of an archive are made of is written here."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from tcnb import threads
from tcnb.errors import MissingPackageError, UsageError
from tcnb.record.scan import scan_sources
from tcnb.record.schema import CHATS, COLUMNS, MESSAGES, PEOPLE, Kind

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TABLES: Final = ("events", "messages", "chats", "people")
"""The tables there are."""

_UNKNOWN_TABLE: Final = re.compile(r"^Catalog Error: Table with name (\S+) does not exist")

_TIMES: Final = frozenset(column.name for column in (*COLUMNS, *MESSAGES, *CHATS, *PEOPLE) if column.kind is Kind.TIME)


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


def query(sql: str, source: Source | None = None, *, archive: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Run a query and return its result.

    Args:
        sql: what DuckDB understands, over the tables `events` (the columns of `tc.df`), `messages`, `chats` and
            `people` (those of the views of the same names). In a query times are in UTC and have no zone.
        source: the session whose record is asked.
        archive: ask this archive instead, see `scan`; it may be larger than memory.

    Returns:
        A row a row; numbers, truths and texts as the types that know missing values, dates as midnights. Columns that
        are called like times of the tables (`received`, `timestamp`, `first`, `last`, …) are in UTC again.

    Raises:
        UsageError: DuckDB refuses the query; its reason is in the error.
        ArchiveError: there is no such archive.
        MissingPackageError: DuckDB is not installed.
    """
    import pandas as pd

    try:
        import duckdb
    except ImportError as error:
        raise MissingPackageError("SQL needs DuckDB: pip install 'tcnb[analysis]'") from error
    if not isinstance(sql, str) or not sql.strip():
        raise UsageError("there is no query: write SQL over events, messages, chats, people")
    if source is not None and not all(hasattr(source, name) for name in ("df", "messages")):
        raise UsageError(f"SQL asks a session or an archive, not a {type(source).__name__}: query(sql, tc)")
    with duckdb.connect() as connection:
        try:
            if archive is not None:
                _add_archive(connection, archive)
            elif source is not None:
                _add_live(connection, source, sql)
            table = threads.call(lambda: _answer(connection, sql), name="tcnb query", stop=connection.interrupt)
        except duckdb.Error as error:
            raise UsageError(f"DuckDB: {_in_brief(error)}") from None
    if table is None:
        return pd.DataFrame()
    plain = _plain_numbers(_in_utc(table))
    answer: pd.DataFrame = plain.to_pandas(types_mapper=_types().get, date_as_object=False)
    return answer


def _answer(connection: Any, sql: str) -> pa.Table | None:
    """Run a query; on a thread of its own, since DuckDB hardly hears the interrupt button."""
    result = connection.sql(sql)
    return None if result is None else result.to_arrow_table()


def _add_live(connection: Any, source: Source, sql: str) -> None:
    """Hand over those tables that the query names, or all if it asks which there are; the others cost nothing."""
    import pyarrow as pa

    homes = {"events": "df"}
    is_listing, names = sql.split()[0].casefold() == "show", connection.get_table_names(sql)
    for name in TABLES:
        if is_listing or name in {asked.casefold() for asked in names}:
            frame = getattr(source, homes.get(name, name))
            connection.register(name, _without_zones(pa.Table.from_pandas(frame, preserve_index=False)))


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


def _without_zones(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    plain = [pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, plain, strict=True))))


def _in_utc(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    fields = [
        field.with_type(pa.timestamp("us", "UTC"))
        if field.name in _TIMES and pa.types.is_timestamp(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _plain_numbers(table: pa.Table) -> pa.Table:
    """Return a table without decimals, which pandas would take for objects: DuckDB's sums of whole numbers are such."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            column = table.column(place)
            try:
                column = column.cast(pa.int64() if field.type.scale == 0 else pa.float64())
            except pa.ArrowInvalid:
                column = column.cast(pa.float64())  # a whole number of more than 64 bits
            table = table.set_column(place, field.name, column)
    return table


def _types() -> dict[Any, Any]:
    import pandas as pd
    import pyarrow as pa

    numbers = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
    known = {getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in numbers}
    text = {pa.string(): pd.StringDtype(), pa.large_string(): pd.StringDtype()}
    return {**known, **text, pa.bool_(): pd.BooleanDtype()}


def _in_brief(error: Exception) -> str:
    """Return what DuckDB says without the drawing of where in the query it is; of a table, which ones there are.

    Those that DuckDB itself would name are of its own catalogue.
    """
    unknown = _UNKNOWN_TABLE.search(str(error))
    if unknown is not None and unknown[1].casefold() in TABLES:
        return f"{unknown[1]} is there for reading alone, and only with a session or an archive"
    if unknown is not None:
        return f"there is no table {unknown[1]}: there are {', '.join(TABLES)}"
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("LINE ")]
    return " ".join(line.strip() for line in lines if set(line.strip()) != {"^"})
