"""What is there, and what is said, where an optional package is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import tcnb; print(hasattr(tcnb, 'F'), 'F' in tcnb.__all__)", "False False"),
        ("from tcnb import *; print('F' in globals(), 'Bot' in globals())", "False True"),
        ("import tcnb; tcnb.F", "pip install magic-filter"),
        ("from tcnb import F", "MissingPackageError: F is of the package magic-filter"),
        ("from tcnb.routing import F", "MissingPackageError: F is of the package magic-filter"),
        ("from tcnb.nothing import F", "No module named 'tcnb.nothing'"),
    ],
)
def test_tcnb_without_magic_filter_has_no_f(code: str, said: str, tmp_path: Path) -> None:
    """Where magic-filter is not installed, `F` is simply not there, and who asks for it learns what to install."""
    hidden = "import sys; sys.meta_path.insert(0, type('H', (), {'find_spec': lambda self, name, *_: hide(name)})())"
    hide = "def hide(name):\n    if name == 'magic_filter':\n        raise ModuleNotFoundError(name, name=name)\n"
    absent = "import importlib.util as u; there = u.find_spec\n"
    absent += "u.find_spec = lambda name, *rest: None if name == 'magic_filter' else there(name, *rest)\n"
    script = tmp_path / "script.py"
    script.write_text(f"{hide}{hidden}\n{absent}{code}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert said in done.stdout + done.stderr
