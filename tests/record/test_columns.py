"""Whether columns keep what was written into them while they grow, and stay right when a write is broken off."""

from __future__ import annotations

import gc
import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnb.record.columns.columns import NO_TIME, Buffer, store
from tcnb.record.columns.index import MessageIndex
from tcnb.record.columns.table import Table
from tcnb.record.schema import Column, Kind

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT: st.floats(allow_nan=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.TIME: st.integers(0, 253_402_300_799_999_999),
    Kind.TEXT: st.text(st.characters(codec="utf-8")),
    Kind.CATEGORY: st.text(st.characters(codec="utf-8"), max_size=2),
}


def batches(kind: Kind) -> st.SearchStrategy[list[list[Any]]]:
    """Return lists of batches of values of a kind, some of them missing."""
    return st.lists(st.lists(st.none() | VALUES[kind], max_size=20) | st.lists(st.none(), max_size=20), max_size=8)


def plain_values(array: Any, kind: Kind) -> list[Any]:
    """Return what stands in a pandas array as the values that were written."""
    if kind is Kind.TIME:
        times = array.tz_localize(None).to_numpy().astype(np.int64).tolist()
        return [None if time == NO_TIME else time for time in times]
    return [None if value is pd.NA or value is None or value != value else value for value in array.tolist()]


@settings(max_examples=60)
@given(st.sampled_from(list(Kind)).flatmap(lambda kind: st.tuples(st.just(kind), batches(kind))))
def test_a_column_keeps_what_is_written(case: tuple[Kind, list[list[Any]]]) -> None:
    """Values written by the batch are read back alike, and every array handed out meanwhile stays right."""
    kind, written = case
    column = store(Column("x", kind, ""))
    values: list[Any] = []
    earlier = []
    for batch in written:
        column.write(len(values), batch)
        values += batch
        earlier.append((list(values), column.array(len(values))))
    assert column.values(0, len(values)) == values
    for first in range(0, len(values), 7):
        assert column.values(first, min(first + 3, len(values))) == values[first : first + 3]
    for expected, array in earlier:
        assert str(array.dtype) in (kind.value, "string[pyarrow]" if kind is Kind.TEXT else "")
        assert plain_values(array, kind) == expected


@pytest.mark.parametrize("kind", list(Kind))
def test_a_write_that_was_broken_off_is_repeated_without_a_trace(kind: Kind) -> None:
    """Rows written behind the end that counts are overwritten, and the rows before them are as they were."""
    some: dict[Kind, list[Any]] = {Kind.TEXT: ["ab", "cde", None], Kind.CATEGORY: ["ab", "cde", None]}
    values = some.get(kind, [True, False, None] if kind is Kind.BOOLEAN else [1, 2, None])
    column = store(Column("x", kind, ""))
    column.write(0, values)
    before = column.array(3)
    column.write(3, [None] * 5000)
    column.write(3, values[::-1] + values)
    assert column.values(0, 9) == [*values, *values[::-1], *values]
    assert plain_values(before, kind) == plain_values(column.array(3), kind)


@pytest.mark.parametrize(("count", "codes"), [(100, "int8"), (127, "int16"), (40_000, "int32")])
def test_codes_are_as_narrow_as_pandas_makes_them(count: int, codes: str) -> None:
    """Categories take one, two or four bytes a row, as in pandas, and earlier arrays stay right when they widen."""
    names = [f"name {number}" for number in range(count)]
    column = store(Column("x", Kind.CATEGORY, ""))
    column.write(0, names[:50])
    early = column.array(50)
    column.write(50, names[50:])
    array = column.array(count)
    assert str(array.codes.dtype) == codes
    assert array.codes.dtype == pd.Categorical(names).codes.dtype
    assert list(array) == names
    assert list(early) == names[:50]


def test_a_closed_list_of_categories_is_there_from_the_start() -> None:
    """Fixed categories come first and in their order, whatever is seen."""
    column = store(Column("x", Kind.CATEGORY, "", ("in", "out")))
    assert list(column.array(0).categories) == ["in", "out"]
    column.write(0, ["out", "other"])
    assert list(column.array(2).categories) == ["in", "out", "other"]


def test_text_that_is_no_unicode_is_kept_as_far_as_it_goes() -> None:
    """A half of a surrogate pair is replaced, and the rest of the batch is as it was."""
    column = store(Column("x", Kind.TEXT, ""))
    column.write(0, ["a", "b\ud83d", None])
    assert column.values(0, 3) == ["a", "b?", None]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("count", [100, 1_000_000])
def test_a_forked_process_does_not_write_into_the_record_of_its_parent(count: int) -> None:
    """Small and large memory alike belong to one process, and a copy of it to the process forked from it."""
    buffer = Buffer(np.int64)
    buffer.room(0, count)[:] = 1
    child = os.fork()
    if not child:
        buffer.room(0, count)[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert (buffer.view(0, count) == 1).all()


def test_memory_outlives_its_column_in_what_was_handed_out() -> None:
    """An array handed out keeps its memory when the column moves on or is gone."""
    buffer = Buffer(np.int64)
    buffer.room(0, 100_000)[:] = 1
    early = buffer.view(0, 100_000)
    buffer.room(100_000, 300_000)[:] = 2
    del buffer
    gc.collect()
    assert (early == 1).all()


class Interrupt(BaseException):
    """Stands for the interrupt button."""


def test_an_interrupted_write_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the interrupt button strikes in the middle of writing rows, the next reading has each of them once."""
    table = Table(
        [Column("number", Kind.INTEGER, ""), Column("name", Kind.TEXT, ""), Column("kind", Kind.CATEGORY, "")]
    )
    rows = [(number, f"name {number}" if number % 3 else None, str(number % 7)) for number in range(3000)]
    for row in rows[:100]:
        table.append(row)
    table.arrays()
    for row in rows[100:900]:
        table.append(row)
    with monkeypatch.context() as patch:

        def strike(*_: Any) -> None:
            raise Interrupt

        patch.setattr(table._stores["kind"], "write", strike)
        with pytest.raises(Interrupt):
            table.arrays()
    for row in rows[900:]:
        table.append(row)
    assert table.rows(0, 3000) == rows


def test_a_table_reads_rows_that_wait_and_rows_that_are_written() -> None:
    """Values and rows are found on both sides of the border between written and waiting rows."""
    table = Table([Column("number", Kind.INTEGER, ""), Column("name", Kind.TEXT, "")])
    for number in range(1500):
        table.append((number * 2, f"name {number}"))
    assert [table.at(row, "name") for row in (0, 1023, 1024, 1499)] == ["name 0", "name 1023", "name 1024", "name 1499"]
    assert table.rows(1023, 1025) == [(2046, "name 1023"), (2048, "name 1024")]
    values = (-1, 0, 1, 2, 2046, 2047, 2048, 2998, 9999)
    assert [table.search("number", value) for value in values] == [0, 1, 1, 2, 1024, 1024, 1025, 1500, 1500]


def test_the_index_finds_every_message() -> None:
    """Among many ids each is found at its row, through all the growing, and no other is found."""
    ids = [f"m-{number}" for number in range(20_000)]
    index = MessageIndex(ids.__getitem__)
    assert all(index.find_or_add(message_id, row) is None for row, message_id in enumerate(ids))
    assert [index.find(message_id) for message_id in ids] == list(range(20_000))
    assert index.find_or_add("m-77", 99_999) == 77
    assert index.find("other") is None
    assert len(index) == 20_000


class SameHash(str):
    """A string whose hash is that of all others of its kind, at the end of the table."""

    def __hash__(self) -> int:
        return 0xFFFFFFFF


def test_the_index_tells_apart_ids_of_one_hash() -> None:
    """Ids that collide are told apart by the ids themselves, also where they run over the end of the table."""
    ids = [SameHash(f"m-{number}") for number in range(900)]
    index = MessageIndex(ids.__getitem__)
    assert all(index.find_or_add(message_id, row) is None for row, message_id in enumerate(ids))
    assert [index.find(message_id) for message_id in ids] == list(range(900))
    assert index.find(SameHash("other")) is None


def test_the_index_weighs_less_than_a_dictionary() -> None:
    """A message costs at most 24 bytes of index."""
    ids = [f"m-{number}" for number in range(100_000)]
    index = MessageIndex(ids.__getitem__)
    for row, message_id in enumerate(ids):
        index.find_or_add(message_id, row)
    assert index.nbytes <= 24 * len(ids)
