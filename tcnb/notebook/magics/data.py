"""The magics for what was collected: its past, SQL over it, its way into an archive; all others are in `magics`."""

from __future__ import annotations

import keyword
import re
from typing import Any

from IPython.core.magic import line_cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand

from tcnb.errors import UsageError
from tcnb.notebook import messages
from tcnb.notebook.connections import connections
from tcnb.notebook.magics import verbs
from tcnb.notebook.magics.base import VerbMagics, one_line_errors
from tcnb.notebook.magics.progress import shown_progress

_ASSIGNMENT = re.compile(r"\s*(?P<name>\S+)\s*<<(?P<rest>.*)", re.DOTALL)

USUAL = 100
"""Messages that %tc_history goes back where nothing is said."""


@magics_class
class DataMagics(VerbMagics):
    """The verbs of the record as magics: `%%tc_sql`, `%tc_history`, `%tc_export`."""

    @line_cell_magic
    @needs_local_scope
    @no_var_expand
    def tc_sql(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Ask what was collected, in SQL, and return the answer as a DataFrame.

        Usage: %tc_sql [name <<] [options] query
               %%tc_sql [name <<] [options]     and the query below

            %%tc_sql
            SELECT chat, messages, people FROM chats ORDER BY messages DESC

            %%tc_sql busiest <<
            SELECT author, count(*) AS n FROM messages WHERE author_type = 'user' GROUP BY ALL ORDER BY n DESC LIMIT 10

            %%tc_sql --param since={start}
            SELECT team, count(*) AS n FROM messages JOIN teams USING (author_id) WHERE timestamp >= $since GROUP BY ALL

        name <<               assign the answer to a variable instead of returning it
        --archive PATH        ask an archive (see %tc_export) instead of the live record, however large it is
        --param NAME={value}  the value of $NAME in the query; may be repeated. Without braces it is a text
        --as NAME             use another connection
        -f                    in the cell form: {expression} and $name in the body are values of the query

        The tables are events (as in tc.df), messages, chats and people, and the DataFrames of the notebook by the
        names of their variables; the SQL is DuckDB's. Times are in UTC. Of several statements the last answer counts.
        On a line, and with -f, {expression} and $name are values: they are bound, and never read as SQL.
        """
        name, line = _assigned(line)
        given = self._given(verbs.SQL, line, local_ns, cell)
        archive = given.value("archive")
        source = None if archive is not None else connections.get(given.connection)
        written, values = given.query()
        with one_line_errors():
            from tcnb.analysis.sql.queries import query
            from tcnb.analysis.sql.tables import frames_named

            answer = query(
                written,
                source,
                archive=None if archive is None else str(archive),
                params=values,
                frames=frames_named(written, given.names),
            )
        if name is None:
            return answer
        self._shell.push({name: answer})
        return None

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_history(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Read the past of a chat into the record and return its messages as a DataFrame.

        Usage: %tc_history chat [-n N] [--since WHEN] [--all] [--as NAME]

            %tc_history "Release crew"                    the last 100 messages
            %tc_history "Release crew" -n 5000
            %tc_history "Release crew" --since 2026-01-01
            %tc_history "Release crew" --all              back to the beginning

        -n N           messages to go back, at most
        --since WHEN   go back to this moment: a date, a time, or a length of time: 2h, "90 days"
        --all          go back to the beginning
        --as NAME      use another connection

        What the record already has is not doubled. The interrupt button loses nothing: what was read until then is in
        the record, and the same line goes on.
        """
        given = self._given(verbs.HISTORY, line, local_ns)
        session = connections.get(given.connection)
        asked, since = given.number("n", int), given.value("since")
        if given.has("all") and (given.has("n") or given.has("since")):
            raise UsageError(messages.options_exclude("--all", "-n" if given.has("n") else "--since"))
        most = None if asked is None else int(asked)
        if asked is None and since is None and not given.has("all"):
            most = USUAL
        with one_line_errors(session), shown_progress(self._shell, most) as progress:
            return session.history(given.chat, most, since=since, progress=progress)

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_export(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Append to an archive of Parquet files what it does not hold yet.

        Usage: %tc_export path [--as NAME]

            %tc_export archive
            %tc_export s3://company-chats/archive

        The path is a folder, or the address of one that fsspec understands. Repeating it adds only what is new.
        Open archives with tcnb.scan(path, engine=…) or %%tc_sql --archive PATH.

        Returns what was written.
        """
        given = self._given(verbs.EXPORT, line, local_ns)
        session = connections.get(given.connection)
        with one_line_errors():
            return session.export(given.path)


def _assigned(line: str) -> tuple[str | None, str]:
    """Split `name << options` into its parts.

    Raises:
        UsageError: what stands before `<<` cannot be the name of a variable.
    """
    found = _ASSIGNMENT.fullmatch(line)
    if found is None:
        return None, line
    name = found["name"]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(messages.not_a_variable(name))
    return name, found["rest"].strip()
