"""Exports of Telegram Desktop in the forms that real ones have: old and new versions, damaged, zipped, several."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tcnb.archive.readers import read_telegram
from tcnb.errors import ArchiveError, UsageError

NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"


def message(number: int, **said: Any) -> dict[str, Any]:
    stamp = str(1767000000 + 60 * number)
    first = {"id": number, "type": "message", "date_unixtime": stamp, "from": "Dana", "from_id": "user11", "text": "hi"}
    return {**first, **said}


def service(number: int, action: str, **said: Any) -> dict[str, Any]:
    acted = {"type": "service", "action": action, "actor": "Dana", "actor_id": "user11", "text": ""}
    return {"id": number, "date_unixtime": str(1767000000 + 60 * number), **acted, **said}


def exported(folder: Path, *messages: dict[str, Any], name: str = "result.json", **chat: Any) -> Path:
    said = {"name": "Workshop", "type": "private_supergroup", "id": 77, **chat, "messages": list(messages)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder / name


def read(folder: Path, *messages: dict[str, Any], **chat: Any) -> pd.DataFrame:
    return read_telegram(exported(folder, *messages, **chat))


def column(frame: pd.DataFrame, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in frame[name].astype(object)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"a\x0Bb", "a\x0bb"),
        (rb"a\x1fb", "a\x1fb"),
        (b"a\\u2028\x80\xa8b", "a\u2028b"),
        (b"a\\u2029\x80\xa9b", "a\u2029b"),
        (rb"a\\x41 \\", "a\\x41 \\"),
        (rb"a\\\x01", "a\\\x01"),
        (b"a\x02b", "a\x02b"),
        (rb"it\'s", r"it\'s"),
        (rb"\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
    ],
)
def test_texts_written_against_the_rules_of_json_are_read(tmp_path, written, meant):
    """Control characters and line separators, as Telegram Desktop writes them, are those characters."""
    file = exported(tmp_path, message(1, text="TEXT"), message(2, text="\\x"))
    file.write_bytes(file.read_bytes().replace(b"TEXT", written).replace(b'"from": "Dana"', b'"from": "Da\\x01na"', 1))
    assert column(read_telegram(file), "text") == [meant, "\\x"]


def test_half_an_emoji_in_a_name_costs_nothing(tmp_path):
    """A name that was cut within an emoji has a sign in its place."""
    file = exported(tmp_path, message(1))
    file.write_bytes(file.read_bytes().replace(b"Dana", rb"Dana \ud83d"))
    assert column(read_telegram(file), "author") == ["Dana \ufffd"]


def test_bytes_that_are_no_text_are_reported(tmp_path):
    """A byte that is no UTF-8 costs one character, and that is said."""
    file = exported(tmp_path, message(1, text="TEXT"), message(2))
    file.write_bytes(file.read_bytes().replace(b"TEXT", b"a\xffb"))
    with pytest.warns(UserWarning, match="UTF-8"):
        frame = read_telegram(file)
    assert column(frame, "text") == ["a\ufffdb", "hi"]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf"])
def test_byte_order_mark_is_passed_over(tmp_path, mark):
    """A file that an editor saved with a mark at its beginning is read."""
    file = exported(tmp_path, message(1))
    file.write_bytes(mark + file.read_bytes())
    assert len(read_telegram(file)) == 1


@pytest.mark.parametrize("missing", [3, 30, 150])
def test_what_is_before_a_cut_is_read(tmp_path, missing):
    """Of an export that was broken off the whole messages are read, and the cut is named."""
    parts = ["see ", {"type": "bold", "text": "this"}]
    file = exported(tmp_path, message(1, text=parts), message(2, text=parts), message(3, text=parts))
    file.write_bytes(file.read_bytes()[:-missing])
    with pytest.warns(UserWarning, match="breaks off"):
        frame = read_telegram(file)
    assert column(frame, "text") in (["see this"] * 2, ["see this"] * 3)
    assert "breaks off or is damaged in line" in frame.attrs["problems"][0]


def test_cut_in_the_export_of_an_account_keeps_earlier_chats(tmp_path):
    """The chats before the cut are whole, that of the cut has what stands before it."""
    chats = [{"name": "A", "id": n, "type": "private_group", "messages": [message(1), message(2)]} for n in (1, 2)]
    text = json.dumps({"chats": {"about": "", "list": chats}})
    (tmp_path / "result.json").write_text(text[: text.rindex('"date_unixtime"')])
    with pytest.warns(UserWarning, match="breaks off"):
        frame = read_telegram(tmp_path)
    assert column(frame, "message_id") == ["1/1", "2/1", "1/2"]


def test_numbers_of_old_exports_are_ids(tmp_path):
    """Before 2021 the author was a number, with the kind of a group or channel in its upper bits."""
    numbers = (4321, (2 << 32) + 9, (1 << 32) + 8)
    frame = read(tmp_path, *(message(n, from_id=number) for n, number in enumerate(numbers)))
    assert column(frame, "author_id") == ["user4321", "channel9", "chat8"]


def test_never_edited_is_not_edited(tmp_path):
    """Old exports write the beginning of 1970 for a message that was never edited."""
    edits = ("1970-01-01T03:00:00", "1969-12-31T19:00:00", "2019-05-01T10:00:00", None)
    frame = read(tmp_path, *(message(n, edited=edited) for n, edited in enumerate(edits)))
    assert column(frame, "is_edited") == [False, False, True, False]


LOCAL = {"date_unixtime": None, "date": "2020-07-01T12:00:00"}


@pytest.mark.parametrize("tz", ["Europe/Moscow", timezone(timedelta(hours=3))])
def test_local_times_are_in_the_zone_that_is_given(tmp_path, tz):
    """The times of exports before December 2021 are those of the computer that exported."""
    frame = read_telegram(exported(tmp_path, message(1, **LOCAL), message(2)), tz=tz)
    assert frame["timestamp"].iloc[0] == pd.Timestamp("2020-07-01 09:00", tz="UTC")
    assert frame["timestamp"].iloc[1] == pd.Timestamp(1767000120, unit="s", tz="UTC")


def test_local_times_without_a_zone_are_warned_of(tmp_path):
    """Nobody is told that local times were UTC without a word."""
    with pytest.warns(UserWarning, match="give its zone"):
        frame = read(tmp_path, message(1, **LOCAL))
    assert frame["timestamp"].iloc[0] == pd.Timestamp("2020-07-01 12:00", tz="UTC")
    assert "tz=" in frame.attrs["problems"][0]


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", 3])
def test_unknown_zone_is_refused(tmp_path, tz):
    """A zone that there is not is named."""
    with pytest.raises(UsageError, match="no time zone"):
        read_telegram(exported(tmp_path, message(1)), tz=tz)


def test_files_have_ids_and_placeholders_are_no_names(tmp_path):
    """What was not exported is a file all the same, without a name unless the export has one."""
    sent = [
        {"photo": NOT_INCLUDED},
        {"photo": "(File exceeds maximum size. Change data exporting settings to download.)"},
        {"file": "(File unavailable, please try again later)", "media_type": "video_file"},
        {"file": NOT_INCLUDED, "file_name": "plan.xlsx", "file_size": 2**70},
        {"file": f"plan.xlsx {NOT_INCLUDED}"},
        {"file": "files/plan (1).xlsx"},
    ]
    frame = read(tmp_path, *(message(n, **said) for n, said in enumerate(sent, 1)))
    assert column(frame, "file_name") == [None, None, None, "plan.xlsx", "plan.xlsx", "plan (1).xlsx"]
    assert column(frame, "file_id") == [f"77/{n}" for n in range(1, 7)]
    assert set(column(frame, "message_type")) == {"attachment"}


def test_members_are_people_who_wrote_under_that_name(tmp_path):
    """Names become ids where one person in the chat has them; a name of two stays a name."""
    frame = read(
        tmp_path,
        message(1, **{"from": "Eli", "from_id": "user12"}),
        message(2, **{"from": "Max", "from_id": "user13"}),
        message(3, **{"from": "Max", "from_id": "user14"}),
        service(4, "invite_members", members=["Eli", "Max", "Nobody"]),
        service(5, "join_group_by_link", actor="Eli", actor_id="user12", inviter="Dana"),
        service(6, "join_group_by_request", actor="Eli", actor_id="user12"),
        service(7, "remove_members", members=["Dana"]),
    )
    assert column(frame[frame["event"] != "message"], "user_id") == [
        *("user12", "Max", "Nobody"),
        *("user12", "user12", "user11"),
    ]


def test_replies_are_within_the_chat(tmp_path):
    """A reply to another chat, or the head of a topic, is no reply to a message here."""
    frame = read(
        tmp_path,
        service(1, "topic_created", title="Tools"),
        message(2, reply_to_message_id=1),
        message(3, reply_to_message_id=2),
        message(4, reply_to_message_id=2, reply_to_peer_id="channel5"),
        message(5, reply_to_message_id=2, reply_to_peer_id="channel77"),
    )
    said = frame[frame["event"] == "message"]
    assert column(said, "reply_to") == [None, "77/2", None, "77/2"]
    assert frame.attrs["problems"] == ["replies to messages of other chats, not in the columns: 1"]
    assert column(frame, "title")[0] == "Tools"


def test_forwards_have_the_id_of_the_author(tmp_path):
    """A forward is one also if its author is gone; where the export has no id, a name of this chat gives it."""
    said = [
        {"forwarded_from": None},
        {"forwarded_from": "News", "forwarded_from_id": "channel9"},
        {"forwarded_from": "Dana"},
        {"saved_from": "Notes", "photo": "photos/a.jpg"},
    ]
    frame = read(tmp_path, *(message(n, **one) for n, one in enumerate(said)))
    assert column(frame, "forwarded_from") == [None, "channel9", "user11", None]
    assert set(column(frame, "message_type")) == {"forwarded"}


def test_signature_is_the_author_of_a_post(tmp_path):
    """Who signed a post of a channel is its author; the id is the channel's."""
    frame = read(tmp_path, message(1, **{"from": "Shop", "from_id": "channel77", "author": "Zed"}))
    assert (column(frame, "author"), column(frame, "author_id")) == (["Zed"], ["channel77"])


def test_contents_without_text_are_not_lost(tmp_path):
    """Games, invoices, venues and polls say what they are; the invoice is a text of JSON in the export."""
    frame = read(
        tmp_path,
        message(1, text="", game_title="Chess", game_description="Two players"),
        message(2, text="", invoice_information=json.dumps({"title": "Tea", "description": "Green", "amount": 5})),
        message(
            3, text="", place_name="Cafe", address="Main St 1", location_information={"latitude": 1, "longitude": 2}
        ),
        message(4, text="", poll={"question": "When?", "answers": [{"text": "now"}, {"text": "later"}]}),
        message(5, text="", location_information=None),
        message(6, text=[], text_entities=[{"type": "plain", "text": "only "}, {"type": "bold", "text": "parts"}]),
    )
    assert column(frame, "title") == ["Chess", "Tea", "Cafe, Main St 1", "When?", None, None]
    assert column(frame, "text") == ["Chess\nTwo players", "Tea\nGreen", None, None, None, "only parts"]
    assert column(frame, "message_type") == ["plain", "plain", "location", "survey", "location", "plain"]


def test_what_has_no_column_is_counted_without_a_warning(tmp_path):
    """Reactions and the like are named, one line a kind, and a sound export gives no warning."""
    liked = [{"type": "emoji", "count": 3, "emoji": "👍"}, {"type": "paid", "count": 2}]
    frame = read(
        tmp_path,
        message(1, reactions=liked, via_bot="@gif"),
        message(2, reactions=liked),
        {"id": 3, "type": "unsupported"},
    )
    assert frame.attrs["problems"] == [
        "messages that Telegram Desktop itself could not export, not in the columns: 1",
        "names of bots by whose help a message was written, not in the columns: 1",
        "reactions, not in the columns: 10",
    ]


def test_times_beyond_the_calendar_are_reported(tmp_path):
    """A time that no calendar has costs its message alone."""
    with pytest.warns(UserWarning, match="1 records could not be read"):
        frame = read(tmp_path, message(1), message(2, date_unixtime="9" * 20))
    assert len(frame) == 1


@pytest.mark.parametrize("name", ["result (1).json", "chat.json"])
@pytest.mark.parametrize("form", ["file", "folder", "zip", "deep zip"])
def test_every_way_to_give_an_export(tmp_path, name, form):
    """A renamed file, its folder, and ZIP files of it are read."""
    file = exported(tmp_path / "ChatExport", message(1), name=name)
    path = {"file": file, "folder": file.parent}.get(form, tmp_path / "export.zip")
    if form.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(file, f"ChatExport/{name}" if form == "deep zip" else name)
            archive.writestr("__MACOSX/._result.json", b"\0")
    assert column(read_telegram(path), "message_id") == ["77/1"]


def test_overlapping_exports_count_once(tmp_path):
    """A message that is in two exports is there once, as the later one has it."""
    exported(tmp_path, message(1), message(2, text="old"))
    exported(tmp_path, message(2, text="new"), message(3), name="result (1).json")
    assert column(read_telegram(tmp_path), "text") == ["hi", "new", "hi"]


def test_chat_without_an_id_is_called_by_its_name(tmp_path):
    """Messages alone are enough."""
    file = tmp_path / "result.json"
    file.write_text(json.dumps({"name": "Workshop", "messages": [message(1)]}))
    assert column(read_telegram(file), "message_id") == ["Workshop/1"]


@pytest.mark.parametrize("form", ["folder", "file", "zip"])
def test_html_form_is_named(tmp_path, form):
    """Whoever chose the HTML form is told which one is needed."""
    page = tmp_path / "messages.html"
    page.write_text("<html></html>")
    path = {"folder": tmp_path, "file": page}.get(form, tmp_path / "e.zip")
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(page, "ChatExport/messages.html")
    with pytest.raises(ArchiveError, match=r"HTML form.*JSON"):
        read_telegram(path)


def test_damaged_zip_is_named(tmp_path):
    """A ZIP file that was not wholly downloaded gives one line."""
    (tmp_path / "export.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ArchiveError, match="no whole ZIP file"):
        read_telegram(tmp_path / "export.zip")
