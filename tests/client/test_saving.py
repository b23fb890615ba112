"""Where files from outside are written: real folders, real races, and a drive without second names."""

from __future__ import annotations

import errno
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tcnb.errors import DestinationExistsError, FileDownloadError, UsageError
from tcnb.files.saving import APART, Destination, Place


def save(place: Place, content: bytes = b"from outside") -> Path:
    """Write a file as a download does."""
    try:
        with place.begin() as file:
            file.write(content)
        return place.finish()
    finally:
        place.drop()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_own_file_is_kept(here: Path) -> None:
    """In a folder a file gets a free name, and what was there stays what it was."""
    (here / "analysis.ipynb").write_text("mine")
    saved = [save(Destination.of(here).place("analysis.ipynb"), f"{number}".encode()) for number in (1, 2)]
    assert [path.name for path in saved] == ["analysis (1).ipynb", "analysis (2).ipynb"]
    assert [path.read_text() for path in (here / "analysis.ipynb", *saved)] == ["mine", "1", "2"]


def test_saved_file_is_its_owners_alone(here: Path) -> None:
    """Neither the file nor the folders that were made for it can be read by others, whatever the umask is."""
    before = os.umask(0)
    try:
        path = save(Destination.of(here / "new" / "folder", is_folder=True).place("plan.txt"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


def test_name_of_a_link_or_folder_is_taken(here: Path) -> None:
    """Neither a link that leads nowhere nor a folder is written to or replaced."""
    (here / "a.txt").symlink_to(here / "nowhere")
    (here / "b.txt").mkdir()
    assert save(Destination.of(here).place("a.txt")).name == "a (1).txt"
    assert save(Destination.of(here).place("b.txt")).name == "b (1).txt"
    assert not (here / "nowhere").exists()


def test_path_that_ends_in_a_separator_is_a_folder(here: Path) -> None:
    """Such a folder is made with those above it, and the path returned begins as it was given."""
    assert save(Destination.of("new/er/").place("plan.pdf")) == Path("new/er/plan.pdf")
    assert (here / "new" / "er" / "plan.pdf").read_bytes() == b"from outside"


def test_exact_path(here: Path) -> None:
    """A path with a name is that file; one that is there is refused before anything is fetched, unless asked for."""
    assert save(Destination.of("plan.pdf").place("other.pdf")) == Path("plan.pdf")
    with pytest.raises(DestinationExistsError, match="overwrite=True"):
        Destination.of("plan.pdf").place("other.pdf")
    assert save(Destination.of("plan.pdf", overwrite=True).place("other.pdf"), b"new") == Path("plan.pdf")
    assert (here / "plan.pdf").read_bytes() == b"new"


def test_exact_path_that_is_taken_meanwhile(here: Path) -> None:
    """A file that appears during the download is not replaced either."""
    place = Destination.of("plan.pdf").place("x")
    place.begin().close()
    (here / "plan.pdf").write_text("mine")
    with pytest.raises(DestinationExistsError):
        place.finish()
    place.drop()
    assert {path.name: path.read_text() for path in here.iterdir()} == {"plan.pdf": "mine"}


@pytest.mark.parametrize("name", ["random.py", "sitecustomize.py", "x.pth", "jupyter_server_config.json"])
def test_what_could_run_is_put_apart(here: Path, name: str) -> None:
    """It lies in a folder from which nothing is imported, and is numbered there like any other file."""
    place = Destination.of("./").place(name)
    assert place.path == Path(APART) / name
    assert save(place) == Path(APART) / name
    assert save(Destination.of("./").place(name)).parent == Path(APART)
    assert not (here / name).exists()


def test_folder_of_that_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder `downloads` is apart already, unless it is where one works or imports from."""
    assert save(Destination.of("downloads/").place("random.py")) == Path("downloads/random.py")
    monkeypatch.chdir(here / "downloads")
    assert save(Destination.of(".").place("json.py")) == Path("downloads/json.py")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path, str(here / "downloads")])
    assert save(Destination.of("downloads/").place("csv.py")) == Path("downloads/downloads/csv.py")


def test_file_in_the_place_of_a_folder(here: Path) -> None:
    """Where a folder should be made and a file is, that is one line."""
    (here / "downloads").write_text("a list")
    with pytest.raises(FileDownloadError, match="is a file, not a folder"):
        Destination.of("downloads/").place("plan.pdf")
    with pytest.raises(FileDownloadError, match="is a file, not a folder"):
        Destination.of(".").place("random.py")


@pytest.mark.parametrize("has_links", [True, False])
def test_saves_at_the_same_time_get_names_of_their_own(
    here: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """Of many that save one name at once none replaces another, also on a drive that knows no second names."""
    if not has_links:

        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
    contents = [f"{number}".encode() for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        saved = list(threads.map(lambda one: save(Destination.of(here).place("image.png"), one), contents))
    assert len(set(saved)) == len(contents)
    assert sorted(path.read_bytes() for path in here.iterdir()) == sorted(contents)


def test_half_a_file_has_no_name(here: Path) -> None:
    """Until it is whole nothing is there under its name, and what was dropped leaves nothing."""
    place = Destination.of(here).place("plan.pdf")
    with place.begin() as file:
        file.write(b"half")
        assert not (here / "plan.pdf").exists()
    place.drop()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("path", [5, b"plan.pdf", "pl\0an"])
def test_what_is_no_path(path: object) -> None:
    """Anything else than a path is refused."""
    with pytest.raises(UsageError, match="a place to write to"):
        Destination.of(path)  # type: ignore[arg-type]


def test_without_a_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path has no meaning in a folder that was deleted, and an absolute one still has."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="working folder of this process was deleted"):
        Destination.of("plan.pdf").place("x")
    assert save(Destination.of(tmp_path / "plan.pdf").place("x")) == tmp_path / "plan.pdf"
    monkeypatch.chdir(tmp_path)
