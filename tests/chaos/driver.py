"""A chaos run: messages, sendings and faults from one seed, and what must hold afterwards; no fault is made here."""

from __future__ import annotations

import contextlib
import json
import queue
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tests.chaos.faults import FAULTS
from tests.chaos.oracle import Chats, frame_flaws, sending_flaws
from tests.chaos.town import Town

SETTLING: Final = 180.0
"""Seconds after the last fault within which everything must have come to rest."""

IN_FLIGHT: Final = 8
"""Sendings under way at the same time."""

OVERLAPPING: Final = 0.25
"""How likely a second fault strikes at the same time."""

STEPS: Final = 5
"""Portions in which people talk while a fault lasts."""


class ChaosError(AssertionError):
    """What must hold does not."""


@dataclass(frozen=True)
class Plan:
    """How large a run is.

    Attributes:
        seed: decides who says what, and which fault strikes when.
        messages: messages of people.
        chats: chats that they go into.
        faults: faults that strike one after another, every kind as often as any other; some have a second beside them.
        sendings: sendings of the kernel whose result is known.
        kinds: the kinds of faults; empty for all.
    """

    seed: int
    messages: int
    chats: int
    faults: int
    sendings: int
    kinds: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What runs it again."""
        numbers = f"--seed {self.seed} --messages {self.messages} --chats {self.chats}"
        kinds = "".join(f" '{kind}'" for kind in self.kinds)
        return f"python -m tests.chaos.long {numbers} --faults {self.faults} --sendings {self.sendings}" + (
            f" --kinds{kinds}" if kinds else ""
        )


@dataclass
class Sendings:
    """What became of the sendings, by number.

    Attributes:
        waiting: not answered yet, with the chat each goes to.
        sent: message ids of those that succeeded.
        unknown: those of which the kernel could not tell, or which died with it.
        refused: how often one was surely not carried out and was sent again.
    """

    waiting: dict[int, str] = field(default_factory=dict)
    sent: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    refused: int = 0
    next: int = 0


class Run:
    """One run.

    Attributes:
        town: the server and its network.
        kernel: the process that is connected to it.
        journal: the kernel's journal.
        struck: how often each kind of fault struck.
        notes: what the kernel said besides.
    """

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.town = Town(plan.chats, plan.seed)
        self.journal = folder / "journal.sqlite"
        self.struck: Counter[str] = Counter()
        self.sendings = Sendings()
        self.notes: list[str] = []
        self.kernel: subprocess.Popen[str]
        self._folder = folder
        self._say = say
        self._chance = random.Random(plan.seed)
        self._reports: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._connected = threading.Event()
        self._lock = threading.Lock()
        self._said = 0
        self._wanted = 0
        self._read = 0
        self._journaled: set[str] = set()

    def go(self) -> dict[str, Any]:
        """Run, check, and return numbers.

        Raises:
            ChaosError: a message is missing, doubled or out of order, or a sending doubled or vanished.
        """
        with self.town:
            self._start()
            try:
                self._await_connection()
                self._storm()
                self._calm()
                return self._check()
            finally:
                self._end_kernel()

    # -- what faults use -----------------------------------------------------------------------------------------------

    def order(self, what: str, **arguments: Any) -> None:
        """Have the kernel do something, if it lives."""
        try:
            assert self.kernel.stdin is not None
            self.kernel.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
            self.kernel.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def kill(self) -> None:
        """Kill the kernel and start another; nobody knows what became of its sendings.

        Raises:
            ChaosError: it had acknowledged a message that is not in its journal.
        """
        self._end_kernel()
        self._check_acknowledged()
        with self._lock:
            for number in self.sendings.waiting:
                self.sendings.unknown[number] = "killed"
            self.sendings.waiting.clear()
        self._start()

    def wait(self, seconds: float) -> None:
        """Let time pass for everybody else."""
        time.sleep(seconds)

    # -- the storm -----------------------------------------------------------------------------------------------------

    def _storm(self) -> None:
        """Let every fault strike while people talk and the kernel sends."""
        plan, chance = self.plan, self._chance
        kinds = list(plan.kinds or FAULTS)
        order: list[str] = []
        while len(order) < plan.faults:
            order += chance.sample(kinds, len(kinds))
        order = order[: max(plan.faults, len(kinds))]
        for number, kind in enumerate(order):
            share = plan.messages * (number + 1) // len(order) - self._said
            # Spread evenly, so that every kind of fault meets some.
            self._wanted = plan.sendings * (number + 1) // len(order)
            self._send_some()
            struck = [kind, *chance.sample(kinds, chance.random() < OVERLAPPING)]
            with contextlib.ExitStack() as faults:
                for one in dict.fromkeys(struck):
                    faults.enter_context(FAULTS[one](self, chance))
                    self.struck[one] += 1
                self._talk(share, chance.uniform(0.2, 1.2))
            self._talk(0, chance.uniform(0.1, 0.6))
            if "kernel killed" in struck:
                self._await_connection()
            if number % 20 == 19:
                self._say(f"{number + 1} faults, {self._said:,} messages, {len(self.sendings.sent)} sendings")

    def _talk(self, count: int, seconds: float) -> None:
        for step in range(STEPS):
            portion = count * (step + 1) // STEPS - count * step // STEPS
            self.town.say(self._chance, self._said, portion)
            self._said += portion
            self._check_alive()
            self._send_some()
            self.wait(seconds / STEPS)

    def _send_some(self) -> None:
        """Keep some sendings under way, until as many are done as are wanted by now."""
        sendings = self.sendings
        with self._lock:
            room = min(IN_FLIGHT, self._wanted - len(sendings.sent)) - len(sendings.waiting)
            if room <= 0 or not self._connected.is_set():
                return
            new = {sendings.next + step: self._chance.choice(self.town.chats) for step in range(min(room, 2))}
            sendings.next += len(new)
            sendings.waiting |= new
        for number, chat in new.items():
            self.order("send", number=number, chat=chat)

    def _calm(self) -> None:
        """Wait until what is under way is done, with no fault in force."""
        self.order("jump", seconds=0.0)
        self._wanted = self.plan.sendings
        deadline = time.monotonic() + SETTLING
        while len(self.sendings.sent) < self.plan.sendings or self.sendings.waiting:
            if time.monotonic() > deadline:
                raise ChaosError(f"sendings never ended: {self.sendings.waiting} {self.notes[-5:]}")
            self._check_alive()
            self._send_some()
            self.wait(0.1)
        # A last start, after which the record must be whole.
        self.kill()
        self._await_connection()

    # -- what must hold ------------------------------------------------------------------------------------------------

    def _check(self) -> dict[str, Any]:
        """Wait until the record agrees with the server, or say where it does not."""
        held = self.town.held()
        flaws = sending_flaws(held, self.sendings.sent, self.sendings.unknown)
        if flaws:
            raise ChaosError("\n".join(flaws))
        deadline = time.monotonic() + SETTLING
        while True:
            report = self._report()
            flaws = self._flaws(held)
            if not flaws and self.town.unread() == 0:
                break
            if time.monotonic() > deadline:
                raise ChaosError(
                    "\n".join([*flaws, f"unread: {self.town.unread()}", report["status"], *self.notes[-5:]])
                )
            self.wait(1.0)
        return {
            "messages": sum(map(len, held.values())),
            "faults": sum(self.struck.values()),
            "kinds": len(self.struck),
            "sendings": len(self.sendings.sent),
            "refused and repeated": self.sendings.refused,
            "killed under way": sum(why == "killed" for why in self.sendings.unknown.values()),
            "unknown to the sender": sum(why != "killed" for why in self.sendings.unknown.values()),
            "torn within a block": self.town.network.torn,
            "doubled blocks": self.town.network.doubled,
        }

    def _check_acknowledged(self) -> None:
        """See that whatever the kernel acknowledged was committed before, as the file shows that it left behind.

        The record at the end does not show it, since what is missing there is read from the history.
        """
        acknowledged = self.town.acknowledged()
        with contextlib.closing(sqlite3.connect(self.journal, timeout=10.0)) as connection:
            new = connection.execute(
                "SELECT seq, payload FROM frames WHERE seq > ? AND method = 'sendMessage' AND kind != 1", (self._read,)
            ).fetchall()
        for seq, payload in new:
            self._read = max(self._read, seq)
            self._journaled.add(json.loads(payload)["messageId"])
        lost = acknowledged - self._journaled
        if lost:
            raise ChaosError(f"{len(lost)} messages were acknowledged and are not in the journal: {sorted(lost)[:5]}")

    def _flaws(self, held: Chats) -> list[str]:
        """Return in what the last report differs from what the server holds."""
        flaws = frame_flaws(pd.read_parquet(self._folder / "report.events"), held)
        if pd.read_parquet(self._folder / "report.messages")["message_id"].duplicated().any():
            flaws.append("messages are twice in the view of messages")
        return flaws

    def _report(self) -> dict[str, Any]:
        self.order("report", path=str(self._folder / "report"))
        deadline = time.monotonic() + SETTLING
        while True:
            try:
                report = self._reports.get(timeout=1.0)
            except queue.Empty:
                report = {}
            if "report" in report:
                return report
            if time.monotonic() > deadline or self.kernel.poll() is not None:
                raise ChaosError(f"the kernel does not report any more: {self.notes[-5:]}")

    # -- the kernel ----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._connected.clear()
        errors = (self._folder / "kernel.log").open("a")
        self.kernel = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.kernel", str(self.town.network.port), str(self.journal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        errors.close()
        self._reader = threading.Thread(target=self._listen, args=(self.kernel,), daemon=True)
        self._reader.start()

    def _end_kernel(self) -> None:
        """Kill the kernel, and read what it had reported."""
        self.kernel.kill()
        self.kernel.wait()
        self._reader.join()
        for stream in (self.kernel.stdin, self.kernel.stdout):
            if stream is not None:
                # What it had not read of its orders cannot be written any more.
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _await_connection(self) -> None:
        deadline = time.monotonic() + SETTLING
        while not self._connected.wait(0.5):
            self._check_alive()
            if time.monotonic() > deadline:
                raise ChaosError(f"the kernel does not connect: {self.notes[-5:]}")

    def _check_alive(self) -> None:
        if self.kernel.poll() is not None:
            log = (self._folder / "kernel.log").read_text()[-2000:]
            raise ChaosError(f"the kernel ended by itself ({self.kernel.returncode}): {log}")

    def _listen(self, kernel: subprocess.Popen[str]) -> None:
        """Take note of what a kernel reports."""
        assert kernel.stdout is not None
        for line in kernel.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # the last line of one that was killed may have no end
            if "connected" in said:
                self._connected.set()
            elif "report" in said:
                self._reports.put(said)
            elif "number" in said:
                self._answered(said)
            else:
                self.notes.append(str(said))

    def _answered(self, said: dict[str, Any]) -> None:
        number = said["number"]
        with self._lock:
            chat = self.sendings.waiting.pop(number, None)
            if said["outcome"] == "sent":
                self.sendings.sent[number] = said["message_id"]
            elif said["outcome"] == "unknown":
                self.sendings.unknown[number] = said["why"]
                self.notes.append(said["why"])
            elif chat is not None:
                # It was surely not carried out, says the error; sent again it must be there once.
                self.sendings.refused += 1
                self.notes.append(said["why"])
                self.sendings.waiting[number] = chat
        if said["outcome"] == "refused" and chat is not None:
            self.order("send", number=number, chat=chat)
