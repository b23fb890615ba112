"""The way of what arrives and what was sent: journal, then acknowledgement, then record, then whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from tcnb.client.link import Batch, Link
from tcnb.client.thread import OnProblem, log_problem
from tcnb.errors import JournalError
from tcnb.journal.frame_cache import FrameCache
from tcnb.journal.journal import Entry, Journal, Kind, Stored
from tcnb.locks import fork_safe
from tcnb.record.columns.saved import WORTH_INTERRUPTING, WORTH_KEEPING, WORTH_WRITING, SavedColumns, Stamp
from tcnb.record.record import Record
from tcnb.record.replay import put, put_arrivals
from tcnb.record.write_batches import WriteBatch, stored
from tcnb.threads import new_thread, undisturbed
from tcnb.wire import notifications
from tcnb.wire.exchange import Malformed
from tcnb.wire.fast_path import Notified
from tcnb.wire.frames import Frame
from tcnb.wire.notifications import MESSAGE

logger = logging.getLogger("tcnb.record")

MOST_WAITING: Final = 120_000
"""Frames that may wait for the disk or the record before nothing more is read from the socket (some 1.5 kB each); twice
as many are the end."""

MOST_UNRECORDED: Final = 80_000
"""Frames among them that may wait for the record alone, while more come than can be recorded at once."""

RECORDING: Final = 0.25
"""Seconds after which some of them are recorded in any case: those who look on want to see something."""

LOOK_AGAIN: Final = 0.01
"""Seconds after which it is seen whether there is time for the record."""

MOST_AT_ONCE: Final = 10_000
"""Frames in one transaction: enough that its fixed cost (some milliseconds for the disk) does not count."""

SLICE: Final = 4_000
"""Frames that go into the record in one step of the loop, which takes some 30 milliseconds."""

FLOOD: Final = 1_000
"""Frames in one transaction after which the writer waits for the next as many, so that there are few transactions."""

GATHERING: Final = 0.05
"""Seconds that it waits for them, at most."""

LULL: Final = 0.005
"""Seconds in which nothing comes, after which it waits no longer."""

CHUNK: Final = 5_000
"""Frames read from the journal at a time."""

RESTING: Final = 1.0
"""Seconds with nothing to write after which the journal is tidied, and looked into for what other kernels wrote."""

FIRST_PAUSE: Final = 0.1
"""Seconds after which a failed commit is tried again; each further pause is twice as long."""

MOST_TRIES: Final = 5
"""Commits in a row that fail with an error nobody expected, after which it is not tried again."""

LONGEST_PAUSE: Final = 5.0
"""Seconds between two tries, at most."""

SETTLING: Final = 5.0
"""Seconds that a question waits at most for what came before it."""

LINGER: Final = 0.05
"""Seconds that what this account sent may wait for more: the thread that writes would get in the way of the sender."""

LOOK: Final = 0.1
"""Seconds between two looks whether a wait has become vain."""


class Intake:
    """Takes in what a connection brings, so that nothing is acknowledged before it is safe.

    With a journal, a thread of its own commits everything that waits as one group and gives it back to the loop. There
    it is acknowledged in one write, and then added to the record and told to whoever listens, while the next group is
    written. Without a journal all of that happens at once on the loop.

    Args:
        record: where it goes.
        loop: the bot's loop.
        journaled: whether there is a journal; what comes before `open` then waits for it.
        on_taken: called on the loop with each batch that is recorded and acknowledged.
        on_grown: called on the loop whenever the record has grown.
        is_followed: whether anybody wants to be told of what other kernels write; called on any thread.
        on_problem: told on the loop of an error that nobody expected, after which it goes on.
        on_broken: told on the loop of one after which the journal is closed, and nothing is taken any more.
        on_journal_problem: called on the loop whenever `journal_problem` has changed.

    Attributes:
        received: notifications that came.
        duplicates: messages and other events that were there already.
        malformed: texts that were no frames.
        failures: events that could not be recorded.
        committed: frames of this session that are in the journal.
        problem: why nothing can be committed just now.
        journal: the journal, once it is open.
        restored: the last position that was read from it then.
        kept: without a journal, what frames said beyond their columns.
    """

    def __init__(
        self,
        record: Record,
        *,
        loop: asyncio.AbstractEventLoop,
        journaled: bool,
        on_taken: Callable[[Batch], None],
        on_grown: Callable[[], None],
        is_followed: Callable[[], bool],
        on_problem: OnProblem = log_problem,
        on_broken: Callable[[BaseException], None] = lambda error: log_problem("the journal", error),
        on_journal_problem: Callable[[], None] = lambda: None,
    ) -> None:
        self.received = 0
        self.duplicates = 0
        self.malformed = 0
        self.failures = 0
        self.committed = 0
        self.problem: str | None = None
        self.journal: Journal | None = None
        self.restored = 0
        self.kept = None if journaled else FrameCache()
        self._record = record
        self._loop = loop
        self._journaled = journaled
        self._on_taken = on_taken
        self._on_grown = on_grown
        self._is_followed = is_followed
        self._on_problem = on_problem
        self._on_broken = on_broken
        self._on_journal_problem = on_journal_problem
        self._told_problem: str | None = None
        self._position = 0
        self._saved: SavedColumns | None = None
        self._redelivered_before = 0
        self._lingering: asyncio.TimerHandle | None = None
        # What follows is shared by the loop, the writer and whoever asks.
        self._changed = threading.Condition(fork_safe(threading.Lock()))
        self._queue: deque[WriteBatch] = deque()
        self._uncommitted = 0
        self._questions = 0
        self._is_gathering = False
        self._closing = False
        self._hurry = threading.Event()
        self._flooded_until = 0.0
        self._ended = False
        # What follows belongs to the loop.
        self._safe: deque[WriteBatch] = deque()
        self._unrecorded = 0
        self._recorded_at = 0.0
        self._paused: set[Link] = set()
        self._end_told: asyncio.Future[None] | None = None

    @property
    def redelivered(self) -> int:
        """Messages of this session that had come while this account was away, and were sent again."""
        return self._record.counts.redelivered - self._redelivered_before

    @property
    def journal_problem(self) -> str | None:
        """Why nothing can be committed just now, or what became of the journal's file while it was in use."""
        return self.problem or (None if self.journal is None else self.journal.notice)

    @property
    def waiting(self) -> int:
        """Frames that came and are not committed, recorded and acknowledged yet."""
        return self._uncommitted + self._unrecorded

    # -- on the bot's loop -------------------------------------------------------------------------------------------

    async def open(self, path: str | os.PathLike[str], server: str, account: str) -> None:
        """Open the journal and read it into the record; what has come meanwhile follows.

        Raises:
            JournalError: as `Journal.open` says.
        """
        opened: asyncio.Future[None] = self._loop.create_future()
        self._end_told = self._loop.create_future()
        new_thread(self._write, path, server, account, opened, name="tcnb journal").start()
        await opened

    def take(self, batch: Batch) -> None:
        """Take in what one read from the socket brought."""
        received, since = batch.received, _since(batch.link)
        entries = [
            Entry(MESSAGE, request.payload, received, Kind.LIVE, None, None, since, request.told)
            if type(request) is Notified
            else self._entry(request, received, since)
            for request in batch.requests
        ]
        self.received += len(entries)
        if self._journaled:
            self._put(WriteBatch(entries, batch))
            return
        try:
            seqs = self._record.extend(entries)
        except Exception:
            # What cannot be recorded is not acknowledged: the server sends what is unread another time.
            self.failures += len(entries)
            logger.exception("%d notifications could not be recorded", len(entries))
            return
        self.duplicates += seqs.count(None)
        self._keep(zip(seqs, entries, strict=True))
        batch.acknowledge()
        self._on_taken(batch)
        self._on_grown()

    def take_sent(
        self, method: str, request: Mapping[str, Any], answer: Mapping[str, Any], file: Mapping[str, Any]
    ) -> None:
        """Take in something that this account did; arguments as in `Record.append_sent`."""
        received = time.time_ns() // 1000
        try:
            if self._journaled:
                encode = msgspec.json.encode
                about = encode(file) if file else None
                entry = Entry(method, encode(request), received, Kind.SENT, encode(answer), about)
                self._put(WriteBatch([entry]), linger=True)
                return
            seq = self._record.append_sent(method, request, answer, received, file=file)
            if self.kept is not None:
                self.kept.keep(seq, msgspec.json.encode(request))
        except Exception:
            # The server has it: whoever sent it must not be told that it failed.
            self.failures += 1
            logger.exception("a %s that was sent could not be recorded", method)
        self._on_grown()

    async def take_past(self, envelopes: Sequence[Mapping[str, Any]]) -> None:
        """Take in messages of a chat's past, oldest first, and wait until they are in the record.

        Raises:
            JournalError: they cannot be committed just now; they are as soon as that is possible.
        """
        received = time.time_ns() // 1000
        entries = [
            Entry("sendMessage", msgspec.json.encode(envelope), received, Kind.HISTORY) for envelope in envelopes
        ]
        if not self._journaled:
            seqs = self._record.extend(entries)
            self.duplicates += seqs.count(None)
            self._keep(zip(seqs, entries, strict=True))
            self._on_grown()
            return
        starts = range(0, len(entries), SLICE)
        await self._put_and_wait(*(WriteBatch(entries[start : start + SLICE]) for start in starts))

    async def take_reconciled(self, method: str, payload: bytes) -> None:
        """Take in an edit or a removal that was found out, in the form of its notification; as `take_past`.

        Raises:
            JournalError: as `take_past` says.
        """
        received = time.time_ns() // 1000
        if not self._journaled:
            seq = self._record.append(method, payload, received, origin="found")
            self._keep([(seq, Entry(method, payload, received, Kind.FOUND))])
            self._on_grown()
            return
        await self._put_and_wait(WriteBatch([Entry(method, payload, received, Kind.FOUND)]))

    def note(self, deed: Callable[[Journal], object]) -> None:
        """Have something noted in the journal, after what came before this call and before what comes later."""
        self._put(WriteBatch(note=deed))

    async def flush(self, timeout: float) -> None:
        """Wait until everything that came is committed, recorded and acknowledged, at most `timeout` seconds."""
        if self.journal is None:
            return
        done: asyncio.Future[None] = self._loop.create_future()
        self._hurry.set()
        self._put(WriteBatch(done=done))
        await asyncio.wait([done], timeout=timeout)

    async def close(self, timeout: float) -> None:
        """Commit what is left and close the journal, within `timeout` seconds; the record can still be read."""
        self.stop()
        if self._end_told is not None:
            await asyncio.wait([self._end_told], timeout=timeout)

    def _keep(self, taken: Iterable[tuple[int | None, Entry]]) -> None:
        """Keep what frames said beyond their columns, where there is no journal that does."""
        if self.kept is not None:
            for seq, entry in taken:
                self.kept.keep(seq, bytes(entry.payload))

    def _entry(self, request: Frame | Malformed, received: int, since: int | None) -> Entry:
        if isinstance(request, Malformed):
            self.malformed += 1
            logger.warning("a malformed frame was kept as an unknown event: %s", request.reason)
            return Entry("", request.text, received)
        method, payload = request.method or "", request.payload
        # Here, and not by the writer: two threads that compute take the interpreter from each other at every step.
        told = notifications.decode(method, payload)
        return Entry(method, payload, received, Kind.LIVE, None, None, since, told)

    def _put(self, write: WriteBatch, *, linger: bool = False) -> None:
        """Have a write batch written: at once, or soon and with what comes meanwhile."""
        count = len(write.entries)
        with self._changed:
            refused = self._ended or self.waiting >= 2 * MOST_WAITING
            if not refused:
                self._queue.append(write)
                self._uncommitted += count
                self._questions += write.done is not None
                if not linger and not self._is_gathering:
                    self._changed.notify_all()
        if linger and self._lingering is None:
            self._lingering = self._loop.call_later(LINGER, self._linger_no_more)
        if refused:
            self._refuse(write)
        elif write.batch is not None and self.waiting > MOST_WAITING:
            self._pause(write.batch.link)

    async def _put_and_wait(self, *writes: WriteBatch) -> None:
        """Put writes into the queue and wait until they are in the record."""
        done: asyncio.Future[None] = self._loop.create_future()
        for write in (*writes, WriteBatch(done=done)):
            self._put(write)
        while not done.done():
            await asyncio.wait([done], timeout=SETTLING)
            if not done.done() and self.problem is not None:
                raise JournalError(self.problem)

    def _linger_no_more(self) -> None:
        self._lingering = None
        with self._changed:
            self._changed.notify_all()

    def _refuse(self, write: WriteBatch) -> None:
        """Leave frames to the server, which keeps what is unread, rather than fill the memory."""
        self.failures += 0 if self._ended else len(write.entries)
        _fulfil(write.done)
        if write.batch is not None:
            self._pause(write.batch.link)

    def _pause(self, link: Link) -> None:
        """Read nothing more from a connection, so that the server waits for the disk."""
        if link not in self._paused:
            self._paused.add(link)
            link.socket.pause_reading()

    def _hand_over(self, writes: list[WriteBatch]) -> None:
        """Acknowledge writes that are safe, and have them recorded after those that were handed over before."""
        batches = [write.batch for write in writes if write.batch is not None]
        for link, of_link in groupby(batches, key=lambda batch: batch.link):
            link.acknowledge(request.id for batch in of_link for request in batch.requests if request.id is not None)
        count = sum(len(write.entries) for write in writes)
        with self._changed:
            self._uncommitted -= count
        self._unrecorded += count
        if writes and not self._safe:
            self._loop.call_soon(self._proceed)
        self._safe.extend(writes)

    def _proceed(self) -> None:
        """Record some writes, and tell of them; come back for the rest.

        While more comes than can be done at once, reading and acknowledging go first, unless somebody asks.
        """
        now = self._loop.time()
        is_pressed = self._uncommitted > 0 and self._is_flooded() and not self._questions and not self._ended
        if is_pressed and self._unrecorded < MOST_UNRECORDED and now < self._recorded_at + RECORDING:
            self._loop.call_later(LOOK_AGAIN, self._proceed)
            return
        self._recorded_at = now
        done: list[WriteBatch] = []
        count = 0
        while self._safe and count < SLICE:
            write = self._safe.popleft()
            count += len(write.entries) + len(write.others)
            done.append(write)
        try:
            self._add(done)
        except Exception as error:
            self.failures += count
            self._on_problem("the record", error)
        if self._safe:
            self._loop.call_soon(self._proceed)
        self._unrecorded -= sum(len(write.entries) for write in done)
        with self._changed:
            self._questions -= sum(write.settled is not None or write.done is not None for write in done)
        self._let_in()
        for write in done:
            if write.settled is not None:
                write.settled.set()
            _fulfil(write.done)
        for write in done:
            if write.batch is not None:
                self._on_taken(write.batch)
        if count:
            self._on_grown()

    def _add(self, writes: list[WriteBatch]) -> None:
        """Add what writes hold to the record, as much of it together as can be."""
        new: list[Entry] = []
        for write in writes:
            if write.others:
                new = self._add_arrivals(new)
                self.failures += put(self._record, write.others)
            for entry, seq in zip(write.entries, write.seqs, strict=True):
                if seq is None:
                    self.duplicates += entry.kind is not Kind.SENT
                elif entry.kind is Kind.SENT:
                    new = self._add_arrivals(new)
                    self.failures += put(self._record, [stored(entry, seq)])
                else:
                    entry.seq = seq
                    new.append(entry)
        self._add_arrivals(new)

    def _add_arrivals(self, arrivals: list[Entry]) -> list[Entry]:
        """Add notifications to the record, and return an empty list for those that come."""
        doubled, failed = put_arrivals(self._record, arrivals)
        self.duplicates += doubled
        self.failures += failed
        return []

    def _let_in(self) -> None:
        """Read on when there is room again."""
        if self._paused and self.waiting < MOST_WAITING // 2:
            paused, self._paused = self._paused, set()
            for link in paused:
                link.socket.resume_reading()

    # -- on any thread -----------------------------------------------------------------------------------------------

    def settle(self, timeout: float = SETTLING) -> None:
        """Wait until everything that came before this call is in the record, at most `timeout` seconds.

        While nothing can be committed, and on the bot's loop, which must not wait, it returns at once.
        """
        if self.journal is None or self._is_on_loop():
            return
        settled = threading.Event()
        with undisturbed(), self._changed:
            if self._ended:
                return
            self._queue.append(WriteBatch(settled=settled))
            self._questions += 1
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        # In short steps, since waiting hides the interrupt button on some platforms.
        while not settled.wait(LOOK) and self.problem is None and time.monotonic() < deadline:
            pass

    def stop(self) -> None:
        """Have what is left committed and the journal closed, without waiting for it."""
        with undisturbed(), self._changed:
            self._closing = True
            self._changed.notify_all()
        self._hurry.set()

    def _is_on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    # -- on the writer's thread --------------------------------------------------------------------------------------

    def _write(self, path: str | os.PathLike[str], server: str, account: str, opened: asyncio.Future[None]) -> None:
        """Open the journal and write into it until the intake is closed; however that ends, whoever waits is told."""
        try:
            journal = Journal.open(path, server, account)
        except BaseException as error:
            self._tell(_fail, opened, _as_journal_error(error))
            self._end()
            return
        try:
            self._load(journal)
            self.journal = journal
            self._tell(_fulfil, opened)
            self._save(journal, WORTH_KEEPING)
            self._write_until_closed(journal)
        except JournalError as error:
            self._tell(_fail, opened, error)
        except BaseException as error:  # nothing expected: the session must not go on as if it were recorded
            self._tell(_fail, opened, _as_journal_error(error))
            self._tell(self._on_broken, error)
        finally:
            self._leave(journal)

    def _leave(self, journal: Journal) -> None:
        """Close the journal, whatever goes wrong meanwhile, and let nobody wait any more."""
        # A last time, since nobody can read a file without a name after this.
        for step in (journal.confirm, functools.partial(self._save_last, journal), journal.close):
            try:
                step()
            except JournalError as error:
                logger.warning("%s", error)
            except BaseException as error:
                self._tell(self._on_problem, "the closing of the journal", error)
        self._end()

    def _write_until_closed(self, journal: Journal) -> None:
        """Write what comes, and do what can wait in between."""
        while (group := self._next_group()) is not None:
            self._write_group(journal, group)
            # What can wait takes nothing from a flood, unless that does not end.
            is_flooded = self._is_flooded()
            self._save(journal, WORTH_INTERRUPTING if is_flooded else WORTH_WRITING)
            if not is_flooded and not self._queue:
                journal.rest(is_idle=not group)

    def _load(self, journal: Journal) -> None:
        """Put what is in the journal into the record; nothing else is put there before this is done.

        What was decoded in an earlier session is taken from the file of columns, and only what came behind it is read.
        """
        self._saved = SavedColumns(journal.path)
        stamp = self._saved.stamp()
        if stamp is not None and stamp == self._stamp(journal, stamp.seq) and self._saved.restore(self._record):
            self._position = stamp.seq
        for frames in self._written(journal, journal.last_seq):
            self.failures += put(self._record, frames)
            if self._closing:
                raise JournalError(f"the connection was closed while {journal.path} was read")
        self._redelivered_before = self._record.counts.redelivered
        self.restored = self._record.last_seq

    def _stamp(self, journal: Journal, seq: int) -> Stamp | None:
        """Return what tells whether columns were made of the frames of this journal up to one; None without that."""
        digest = journal.digest(seq)
        return None if digest is None else Stamp(journal.id, seq, digest)

    def _save(self, journal: Journal, least: int) -> None:
        """Have the columns written beside the journal if at least so many rows are new; without them it is slower."""
        saved = self._saved
        if saved is None or saved.is_writing or not saved.is_due(len(self._record), least) or not journal.is_as_told:
            return
        try:
            state = self._record.state()
            stamp = self._stamp(journal, state.seq)
            if stamp is not None:
                saved.save_in_background(stamp, state)
        except JournalError:
            pass
        except Exception as error:  # without them the journal is only slower to open
            self._tell(self._on_problem, "the columns beside the journal", error)

    def _save_last(self, journal: Journal) -> None:
        """Have the columns written once more and wait: a thread that is at it when the interpreter ends breaks it."""
        if self._saved is not None:
            self._saved.wait()
            self._save(journal, WORTH_KEEPING)
            self._saved.wait()

    def _next_group(self) -> list[WriteBatch] | None:
        """Return what waits, at most about `MOST_AT_ONCE` frames of it; None once the intake is closed and empty.

        An empty group is returned from time to time while nothing waits: then it is time for what may wait itself.
        """
        with self._changed:
            while not self._queue:
                if self._closing:
                    return None
                if not self._changed.wait(RESTING):
                    return []
            if self._is_flooded():
                self._gather()
            group: list[WriteBatch] = []
            count = 0
            while self._queue and count < MOST_AT_ONCE:
                group.append(self._queue.popleft())
                count += len(group[-1].entries)
            if count >= FLOOD:
                self._flooded_until = time.monotonic() + RESTING
            return group

    def _is_flooded(self) -> bool:
        return time.monotonic() < self._flooded_until

    def _gather(self) -> None:
        """Let some frames come together while they come; called with the lock that is given up meanwhile."""
        self._is_gathering, seen = True, -1
        deadline = time.monotonic() + GATHERING
        while seen < self._uncommitted < SLICE and not self._closing and time.monotonic() < deadline:
            seen = self._uncommitted
            self._changed.wait(LULL)
        self._is_gathering = False

    def _write_group(self, journal: Journal, group: list[WriteBatch]) -> None:
        """Write a group and hand it over to the loop, after what others wrote before it.

        What cannot be written is tried again with growing pauses until the intake is closed; what comes meanwhile
        waits behind it. What was written into a file that another program has taken away meanwhile is carried over into
        a new one before it is acknowledged.

        Raises:
            JournalError: it was closed before the group could be written.
            Exception: something that nobody expected, which does not pass.
        """
        is_written = False
        pause = FIRST_PAUSE
        tries = 0
        while True:
            try:
                if self.problem is not None and not is_written:
                    self._confirm(journal)  # that nothing can be written may come of it
                if not is_written:
                    self._append(journal, group)
                    is_written = True
                self._confirm(journal)
                self._follow(journal, group)
                break
            except JournalError as error:
                if self.problem is None:
                    logger.warning("%s", error)
                self.problem = str(error)
                self._tell_problem()
                if self._closing:
                    self._give_up(group)
                    raise
            except Exception as error:
                tries += 1
                self.problem = f"the journal's thread failed: {error!r}"
                self._tell(self._on_problem, "the journal", error)
                if self._closing or tries == MOST_TRIES:
                    self._give_up(group)
                    raise
            self._hurry.wait(pause)
            self._hurry.clear()
            pause = min(LONGEST_PAUSE, 2 * pause)
        self.problem = None
        self._tell_problem()
        self._position = journal.last_seq
        self._tell(self._hand_over, group)

    def _tell_problem(self) -> None:
        if self.journal_problem != self._told_problem:
            self._told_problem = self.journal_problem
            self._tell(self._on_journal_problem)

    def _append(self, journal: Journal, group: list[WriteBatch]) -> None:
        """Write a group in one transaction; with nothing to write, look what others wrote."""
        for write in group:
            if write.note is not None:
                write.note(journal)
        entries = [entry for write in group for entry in write.entries]
        if not entries:
            if group or self._is_followed():
                journal.look()
            return
        seqs = journal.append(entries)
        self.committed += len(seqs) - seqs.count(None)
        start = 0
        for write in group:
            write.seqs = seqs[start : start + len(write.entries)]
            start += len(write.entries)

    def _confirm(self, journal: Journal) -> None:
        """See that the file is still there; where it is another's now, what it had before is not for our record."""
        was_as_told = journal.is_as_told
        journal.confirm()
        if was_as_told and not journal.is_as_told:
            self._position = journal.last_seq

    def _follow(self, journal: Journal, group: list[WriteBatch]) -> None:
        """Hand over what others wrote before a group."""
        first = next((seq for write in group for seq in write.seqs if seq is not None), journal.last_seq + 1)
        for others in self._written(journal, first - 1):
            for start in range(0, len(others), SLICE):
                self._tell(self._hand_over, [WriteBatch(others=others[start : start + SLICE])])

    def _written(self, journal: Journal, until: int) -> Iterator[list[Stored]]:
        """Yield what stands in the journal behind our place, up to a position."""
        while self._position < until:
            frames = journal.read(self._position, min(CHUNK, until - self._position))
            self._position = min(frames[-1][0], until) if frames else until
            yield [frame for frame in frames if frame[0] <= until]

    def _end(self) -> None:
        """Take nothing more, and let nobody wait for what will not be written."""
        with self._changed:
            self._ended = True
            left = list(self._queue)
            self._queue.clear()
        self._give_up(left)
        self._tell(self._hand_over, [WriteBatch(done=self._end_told)])

    def _give_up(self, writes: list[WriteBatch]) -> None:
        """Leave what is neither written nor acknowledged to the server, which sends it again."""
        for write in writes:
            if write.settled is not None:
                write.settled.set()
        self._tell(self._hand_over, [WriteBatch(done=write.done) for write in writes if write.done is not None])

    def _tell(self, callback: Callable[..., None], *args: Any) -> None:
        # Without the loop the session has ended, and what is not acknowledged comes again.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)


def _as_journal_error(error: BaseException) -> JournalError:
    """Return what whoever opens the journal is told of an error, expected or not."""
    if isinstance(error, JournalError):
        return error
    told = JournalError(f"the journal cannot be opened: {error!r}")
    told.__cause__ = error
    return told


def _since(link: Link) -> int | None:
    """Return when a connection was authorized, in the server's milliseconds since 1970; None where that is not known.

    `Link.authorised` is that in microseconds. Messages that were written before were told to nobody on this connection
    when they came: they are sent again because they had not been read (`protocol` section 2.6).
    """
    authorised: int | None = getattr(link, "authorised", None)
    return None if authorised is None else authorised // 1000


def _fulfil(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
