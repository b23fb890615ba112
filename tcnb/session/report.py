"""What a session says of itself: gathered from its parts into one status; nothing is counted here."""

from __future__ import annotations

import time

from tcnb.client.connection import Connection
from tcnb.client.directory.directory import Directory
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.routing.delivery import Delivery
from tcnb.routing.router import Router
from tcnb.session.backfill.progress import Progress
from tcnb.session.problems import Problems
from tcnb.status import Status


def report(
    name: str,
    account: str,
    *,
    connection: Connection,
    directory: Directory,
    record: Record,
    intake: Intake,
    router: Router,
    delivery: Delivery,
    progress: Progress,
    problems: Problems,
) -> Status:
    """Return what the parts of a session say at this moment.

    Args:
        name: name of the connection in this kernel.
        account: the bot's user id.
        connection, directory, record, intake, router, delivery: the parts.
        progress: what came of looking back.
        problems: what nobody expected to go wrong.
    """
    statistics, counts, journal = connection.statistics, record.counts, intake.journal
    breaks = list(statistics.breaks)
    return Status(
        name=name,
        server=str(connection.address),
        account=account,
        state=connection.state.state,
        reason=connection.state.reason,
        connected_since=statistics.connected_at,
        latency=connection.latency,
        reconnects=max(0, statistics.connects - 1),
        last_break=_told(*breaks[-1]) if breaks else None,
        healed=tuple(statistics.reconnects),
        chats_problem=directory.problem,
        sendings_recovered=statistics.recovered,
        sendings_repeated=statistics.repeated,
        sendings_unknown=statistics.unknown,
        events=len(record),
        received=intake.received,
        committed=intake.committed,
        acknowledged=statistics.acknowledged,
        uncommitted=intake.waiting,
        redelivered=intake.redelivered,
        duplicates=intake.duplicates,
        unknown=counts.unknown,
        undecodable=counts.undecodable,
        incomplete=counts.incomplete,
        malformed=intake.malformed,
        failures=intake.failures,
        catching_up=_how_far(progress),
        gaps_found=progress.found,
        gaps_filled=progress.filled,
        gaps_left=len(progress.left),
        gaps_reason=progress.problem or next(iter(progress.left.values()), None),
        messages_filled=progress.messages,
        edits_found=progress.edits,
        edits_unmatched=progress.unmatched,
        removals_found=progress.removals,
        handlers=len(router.handlers),
        handled=delivery.handled,
        waiting=delivery.waiting,
        handler_failures=delivery.failed,
        overflowed=delivery.overflowed,
        internal_errors=problems.count,
        last_internal_error=problems.last,
        journal=None if journal is None else str(journal.path),
        journal_size=None if journal is None else journal.size,
        journal_log_size=None if journal is None else journal.log_size,
        journal_problem=intake.journal_problem,
    )


def _told(at: float, reason: str) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(at))} {reason}"


def _how_far(progress: Progress) -> str | None:
    if not progress.is_under_way:
        return None
    return f"{progress.looked:,} of {progress.chats:,} chats, {progress.messages:,} messages so far"
