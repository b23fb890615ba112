"""What importing the room of types brings along: nothing heavy."""

from __future__ import annotations

import subprocess
import sys


def imported_by(statement):
    """Return the names of the modules that a statement imports in a fresh interpreter."""
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_import_is_light():
    """No data frames, images, network or event loop are loaded for the sake of types."""
    heavy = {"pandas", "pyarrow", "numpy", "PIL", "httpx", "tornado", "websockets", "matplotlib", "asyncio"}
    assert not heavy & imported_by("import tcnb.types")


def test_text_message_needs_nothing_heavy():
    """Reading a message loads nothing more."""
    statement = "from tcnb.types import parse_envelope; parse_envelope({'type': 200, 'content': {'text': 'x'}})"
    assert not {"PIL", "httpx", "asyncio"} & imported_by(statement)
