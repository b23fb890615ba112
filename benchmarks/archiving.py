"""An archive of ten million messages: exporting them, and asking DuckDB and Polars about them through tcnb, against
pyarrow and pandas alone; each in a process of its own, with its time and the most memory that it took.

`python -m benchmarks.archiving [--messages 10000000] [--engines duckdb polars pandas] [--folder FOLDER]`
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import table

MESSAGES: Final = 10_000_000
ENGINES: Final = ("duckdb", "polars")
QUESTIONS: Final = ("heatmap", "talkers", "response_times", "medians")
NAMES: Final = {
    "heatmap": "heatmap",
    "talkers": "talkers",
    "response_times": "response times, every one",
    "medians": "response times, median by person",
}
SOURCE: Final = "robot@video.example.com"
BATCH: Final = 100_000


class Measured(NamedTuple):
    """What one process took.

    Attributes:
        seconds: for what was measured, without the start of the interpreter and the imports.
        peak: the most memory the process had, in MiB.
        size: bytes of what it wrote, where that matters.
    """

    seconds: float
    peak: float
    size: int = 0


# ── what the processes do ───────────────────────────────────────────────────────────────────────────────────────────


def draw(folder: Path, messages: int) -> float:
    """Write the events, as frames, to be read back by those that export them."""
    from benchmarks.company import parts

    (folder / "parts").mkdir()
    start = time.perf_counter()
    for number, frame in enumerate(parts(messages)):
        frame.to_pickle(folder / "parts" / f"{number:04}.pickle")
    return time.perf_counter() - start


def drawn(folder: Path) -> Iterator[Any]:
    """Yield the events, a part at a time, as `tc.df` would have them."""
    import pandas as pd

    for path in sorted((folder / "parts").iterdir()):
        yield pd.read_pickle(path)


def export(folder: Path) -> float:
    """Export part after part into one archive."""
    from tcnb.archive import writing

    taken = 0.0
    for frame in drawn(folder):
        start = time.perf_counter()
        writing.export(frame, folder / "archive", source=SOURCE)
        taken += time.perf_counter() - start
    return taken


def write_dataset(folder: Path) -> float:
    """Write part after part with pyarrow alone: the same columns, a folder a day, the same compression."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    taken = 0.0
    layout = ds.partitioning(pa.schema([("day", pa.date32())]), flavor="hive")
    how = ds.ParquetFileFormat()
    for number, frame in enumerate(drawn(folder)):
        start = time.perf_counter()
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        day = pc.coalesce(rows["timestamp"], rows["received"]).cast(pa.date32(), safe=False)
        ds.write_dataset(
            rows.append_column("day", day),
            folder / "dataset",
            format=how,
            file_options=how.make_write_options(compression="zstd"),
            partitioning=layout,
            basename_template=f"{number}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
        )
        taken += time.perf_counter() - start
    return taken


def ask(folder: Path, question: str, engine: str) -> float:
    """Ask a question of the archive."""
    from benchmarks import questions

    questions.get_ready(engine)
    start = time.perf_counter()
    questions.ask(question, engine, folder / "archive", answer_of(folder, question, engine))
    return time.perf_counter() - start


def work(folder: Path, what: list[str]) -> None:
    """Do one thing in this process, and print what it took as one line of JSON."""
    match what:
        case ["draw", messages]:
            seconds, size = draw(folder, int(messages)), _size(folder / "parts")
        case ["export"]:
            seconds, size = export(folder), _size(folder / "archive")
        case ["write_dataset"]:
            seconds, size = write_dataset(folder), _size(folder / "dataset")
        case [question, engine]:
            seconds, size = ask(folder, question, engine), 0
        case _:
            raise ValueError(f"nothing is called {what}")
    print(json.dumps(Measured(seconds, _peak(), size)))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _peak() -> float:
    """Return the largest memory this process had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What `getrusage` says begins, on Linux, at the size of the process that started this one.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────


def run(folder: Path, *what: str) -> Measured:
    """Do one thing in a fresh process.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "benchmarks.archiving", "--folder", str(folder), "--do", *what]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def run_if_it_fits(folder: Path, *what: str) -> Measured | None:
    """Do one thing in a fresh process; None if the system ended it, as it does when memory runs out."""
    try:
        return run(folder, *what)
    except subprocess.CalledProcessError as error:
        if error.returncode != -signal.SIGKILL:
            raise
        return None


def answer_of(folder: Path, question: str, engine: str) -> Path:
    """Return where an answer is written."""
    return folder / f"{question}-{engine}.parquet"


def measure_export(folder: Path, messages: int) -> None:
    """Print what writing the archive takes, beside pyarrow alone."""
    parts = run(folder, "draw", str(messages))
    plain = run(folder, "write_dataset")
    ours = run(folder, "export")
    megabytes = parts.size / 1e6
    for name, taken in (("tc.export", ours), ("pyarrow.dataset.write_dataset", plain)):
        print(
            f"{name:40} {taken.seconds:7.1f} s   {megabytes / taken.seconds:6.0f} MB/s in memory"
            f"   {taken.size / 1e6:7.0f} MB written   {taken.peak:6.0f} MiB at most",
            flush=True,
        )
    ratio = ours.seconds / plain.seconds
    what = f"export of {messages:,} messages, a folder a day"
    measured = f"{ours.seconds:.0f} s, {megabytes / ours.seconds:.0f} MB/s, {ratio:.2f} x as long"
    table.note(what, "pyarrow.dataset.write_dataset", measured, "<= 1.2 x", ratio <= 1.2)


def measure_questions(folder: Path, messages: int, engines: list[str]) -> None:
    """Print what the answers take, beside pandas alone, and make sure that they are the same.

    Raises:
        AssertionError: two answers differ.
    """
    for question in QUESTIONS:
        plain = run_if_it_fits(folder, question, "plain")
        print(f"{NAMES[question]:33} {'alone':7} {_in_words(plain)}", flush=True)
        reference = "plain" if plain else None
        for engine in engines:
            ours = run(folder, question, engine)
            if reference is not None:
                compare(folder, question, reference, engine)
            reference = reference or engine
            measured, reached = _ratios(plain, ours)
            print(f"{'':33} {engine:7} {_in_words(ours)}   {measured}", flush=True)
            what = f"{NAMES[question]}, {messages:,} messages, {engine}"
            measured = f"{ours.seconds:.1f} s, {ours.peak:,.0f} MiB: {measured}"
            table.note(what, "pandas alone", measured, ">= 1 x, <= 1/2", reached or engine == "pandas")


def _in_words(taken: Measured | None) -> str:
    return f"{taken.seconds:7.1f} s   {taken.peak:6.0f} MiB" if taken else "ran out of memory"


def _ratios(plain: Measured | None, ours: Measured) -> tuple[str, bool]:
    """Return how much faster and leaner ours is, and whether that is enough."""
    if plain is None:
        return "where pandas ran out of memory", True
    faster, leaner = plain.seconds / ours.seconds, plain.peak / ours.peak
    return f"{faster:.1f} x as fast, 1/{leaner:.1f} of the memory", faster >= 1 and leaner >= 2


def compare(folder: Path, question: str, reference: str, engine: str) -> None:
    """Compare an answer with another, row by row, without holding either in memory.

    Raises:
        AssertionError: they differ.
    """
    import itertools

    import pandas as pd

    theirs, ours = (_batches(answer_of(folder, question, name)) for name in (reference, engine))
    for number, (expected, found) in enumerate(itertools.zip_longest(theirs, ours)):
        assert expected is not None and found is not None, f"{question}: {engine} has another number of rows"
        message = f"{question} on {engine}, rows from {number * BATCH}"
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, obj=message)


def _batches(path: Path) -> Iterator[Any]:
    """Yield an answer in frames of the same size and types, whatever wrote it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    kinds = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.int32(): pa.int64()}

    def kind(found: Any) -> Any:
        return pa.timestamp("us", "UTC") if pa.types.is_timestamp(found) else kinds.get(found, found)

    for batch in _rechunked(file.iter_batches(BATCH)):
        yield batch.cast(pa.schema([(field.name, kind(field.type)) for field in batch.schema])).to_pandas()


def _rechunked(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield tables of `BATCH` rows: the engines end their batches with their row groups."""
    import pyarrow as pa

    left = None
    for batch in batches:
        rows = pa.Table.from_batches([batch])
        left = rows if left is None else pa.concat_tables([left, rows])
        while left.num_rows >= BATCH:
            yield left.slice(0, BATCH)
            left = left.slice(BATCH)
    if left is not None and left.num_rows:
        yield left


def main(messages: int = MESSAGES, engines: tuple[str, ...] = ENGINES, folder: Path | None = None) -> None:
    """Print what exporting and asking take."""
    with tempfile.TemporaryDirectory(prefix="tcnb-archiving-") as made:
        place = folder or Path(made)
        print(f"{messages:,} messages; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        measure_export(place, messages)
        measure_questions(place, messages, list(engines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES, help="how many; 200000 for a short run")
    parser.add_argument("--engines", nargs="+", default=ENGINES, help="which engines of tcnb to ask")
    parser.add_argument("--folder", type=Path, help="where to write; an empty one is kept afterwards")
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.do:
        work(options.folder, options.do)
    else:
        main(options.messages, tuple(options.engines), options.folder)
