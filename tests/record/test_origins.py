"""How each event came into the record: as it happened, again, from the past, from ourselves, or found out since."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from record_payloads import ME, RECEIVED, SENT_AT, encode, text

from tcnb.client.link import Batch
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.record.schema import ORIGINS
from tcnb.wire.frames import REQUEST, Frame

OWNER = ("video.example.com", ME)


class Silent:
    """Stands for a connection that was authorized one millisecond after the messages of these tests were written."""

    authorised = (SENT_AT + 1) * 1000

    def acknowledge(self, ids: Any) -> None:
        """Say nothing."""
        list(ids)


def batch(*payloads: bytes) -> Batch:
    """Return messages as a connection brings them."""
    requests = [Frame(REQUEST, number, "sendMessage", payload) for number, payload in enumerate(payloads)]
    return Batch(requests, RECEIVED, Silent())


async def session(record: Record, path: Path | None, *batches: Batch) -> Intake:
    """Let an intake take batches, something of ours, something from a chat's past, and an edit that was found out."""
    intake = Intake(
        record,
        loop=asyncio.get_running_loop(),
        journaled=path is not None,
        on_taken=lambda batch: None,
        on_grown=lambda: None,
        is_followed=lambda: False,
    )
    if path is not None:
        await intake.open(path, *OWNER)
    for one in batches:
        intake.take(one)
    request = {"chatId": "c", "content": {"text": "hi", "parseMode": "text"}}
    intake.take_sent("sendMessage", request, {"chatId": "c", "messageId": "s", "timestamp": SENT_AT}, {})
    await intake.take_past([{"messageId": "h", "chatId": "c", "timestamp": SENT_AT, "type": 200}])
    await intake.take_reconciled("editMessage", encode({"messageId": "m-1", "chatId": "c", "content": {"text": "x"}}))
    await intake.flush(30)
    await intake.close(30)
    return intake


MESSAGES = (
    text(message_id="m-1"),
    text(message_id="m-2", timestamp=SENT_AT + 1),
    text(message_id="m-3", timestamp=None),
)
EXPECTED = ["redelivered", "live", "live", "sent", "history", "found"]


@pytest.mark.parametrize("journaled", [True, False])
def test_every_way_has_its_name(tmp_path, journaled):
    """What was written before the connection was authorized is redelivered; what bears no time is taken as live."""
    record = Record(ME)
    intake = asyncio.run(session(record, tmp_path / "journal.sqlite" if journaled else None, batch(*MESSAGES)))
    assert record.origins().tolist() == EXPECTED
    origins = record.messages().set_index("message_id")["origin"]
    assert origins[["m-1", "m-2", "m-3", "s", "h"]].tolist() == EXPECTED[:-1]
    assert intake.redelivered == record.counts.redelivered == 1


def test_the_journal_remembers(tmp_path):
    """After a restart events have the origin that they had, and what came then is not counted as of now."""
    path = tmp_path / "journal.sqlite"
    asyncio.run(session(Record(ME), path, batch(*MESSAGES)))
    record = Record(ME)
    intake = asyncio.run(session(record, path))
    assert record.origins().tolist()[: len(EXPECTED)] == EXPECTED
    assert (intake.redelivered, record.counts.redelivered) == (0, 1)


def test_a_message_that_is_there_keeps_its_origin(tmp_path):
    """A message that comes again is a duplicate, and nothing is marked."""
    record = Record(ME)
    record.append("sendMessage", MESSAGES[0], RECEIVED)
    assert record.append("sendMessage", MESSAGES[0], RECEIVED, since=SENT_AT + 1) is None
    assert record.origins().tolist() == ["live"]
    assert record.counts.redelivered == 0


def test_origins_stand_beside_the_frame():
    """They are categories with all names that there are, in the order of the frame, whose columns they do not touch."""
    record = Record()
    for number in range(1500):
        record.append("removeChat", encode({"chatId": "c"}), RECEIVED, origin=ORIGINS[number % 5])
    origins = record.origins()
    assert origins.index.equals(record.frame().index)
    assert origins.tolist() == [ORIGINS[number % 5] for number in range(1500)]
    assert tuple(origins.cat.categories) == ORIGINS
    assert "origin" not in record.frame().columns
    assert "origin" not in record.rows(0, 1)[0]
