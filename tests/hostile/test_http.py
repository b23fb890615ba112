"""Logins, handshakes, uploads and downloads that are answered in a hostile way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.hostile.http_answers import kinds
from tests.hostile.server import Deed, HostileServer
from tests.hostile.socket_answers import BAD_UPGRADES, UPGRADES
from tests.hostile.visit import Unended, Visit, connect, flaw

TAKEN: Final = 32 * 2**20
"""Bytes of one answer that may be taken at most; the buffers of the system hold some of them."""

LOGINS: Final = kinds("token")
HANDSHAKES: Final = {**kinds("upgrade"), "handshakes": BAD_UPGRADES}
UPLOADS: Final = kinds("upload")
DOWNLOADS: Final = kinds("download")


def began(server: HostileServer) -> BaseException | None:
    """Connect and close again; return the error where that fails."""
    try:
        session = connect(server)
    except (Exception, Unended) as error:
        return error
    session.close()
    return None


def begun(server: HostileServer, step: str, deeds: dict[str, Deed], *, is_refused: bool) -> list[str]:
    """Connect while a step is answered in each of some ways; return what did not hold, by name."""
    flaws = []
    for name, deed in deeds.items():
        server.deeds.clear()
        server.instead(step, deed)
        before, strangers = server.written, server.strangers
        error = began(server)
        if error is None and is_refused:
            flaws.append(f"{name}: there is a session")
        if error is not None and (wrong := flaw(error)):
            flaws.append(f"{name}: {wrong}")
        # What comes behind a handshake that has failed is read and thrown away until it is closed.
        if step != "upgrade" and server.written - before > TAKEN:
            flaws.append(f"{name}: {server.written - before:,} bytes were taken")
        if server.strangers != strangers:
            flaws.append(f"{name}: something went elsewhere: {server.strangers[:100]!r}")
    server.deeds.clear()
    if (error := began(server)) is not None:
        flaws.append(f"the next attempt failed: {error!r}")
    return flaws


@pytest.mark.parametrize("kind", LOGINS)
def test_login_that_is_answered_in_a_hostile_way(server: HostileServer, kind: str) -> None:
    """Connecting ends, in one line or with a session; the next attempt knows nothing of it."""
    flaws = begun(server, "token", LOGINS[kind], is_refused=False)
    assert not flaws, "\n".join(flaws)


@pytest.mark.parametrize("kind", HANDSHAKES)
def test_handshake_that_is_answered_in_a_hostile_way(server: HostileServer, kind: str) -> None:
    """Connecting ends in one line, and the token goes to nobody else."""
    flaws = begun(server, "upgrade", HANDSHAKES[kind], is_refused=True)
    assert not flaws, "\n".join(flaws)
    assert server.asked["auth"] == 1  # that of the honest attempt


@pytest.mark.parametrize("name", UPGRADES)
def test_handshake_with_oddities(server: HostileServer, visit: Callable[..., Visit], name: str) -> None:
    """A handshake that is right, whatever its date says and whatever comes behind it, gives a session that works."""
    server.instead("upgrade", UPGRADES[name])
    person = visit()
    person.go()
    person.settle()
    assert person.errors == []
    assert person.tc.me_id == "robot@video.example.com"


@pytest.mark.parametrize("kind", UPLOADS)
def test_upload_that_is_answered_in_a_hostile_way(
    server: HostileServer, visit: Callable[..., Visit], kind: str
) -> None:
    """An upload ends, in one line or with a message; the session goes on, and the next upload works."""
    person = visit()
    for name, deed in UPLOADS[kind].items():
        person.meanwhile, before = name, server.written
        server.instead("upload", deed)
        person.send_file()
        if server.written - before > TAKEN:
            person.note(f"{server.written - before:,} bytes were taken")
    told = len(person.errors)
    person.send_file()
    assert len(person.errors) == told
    person.settle()


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_download_that_is_answered_in_a_hostile_way(
    server: HostileServer, visit: Callable[..., Visit], kind: str
) -> None:
    """A download ends with the whole file or in one line, on the disk and in memory; the next one works."""
    person = visit()
    for name, deed in DOWNLOADS[kind].items():
        for into_memory in (False, True):
            person.meanwhile, before = name, server.written
            server.deeds.clear()
            server.instead("download", deed)
            person.download(into_memory=into_memory)
            if server.written - before > TAKEN:
                person.note(f"{server.written - before:,} bytes were taken")
    told = len(person.errors)
    person.download()
    assert len(person.errors) == told
    person.settle()
