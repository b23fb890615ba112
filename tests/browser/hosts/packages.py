"""The JavaScript of the hosts: fetched through npm by name and exact version, bundled once; there are no tests here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
BUILD: Final = HERE.parents[2] / "build" / "hosts"

BUNDLES: Final = (
    "@vscode/jupyter-ipywidgets8@1.0.9",
    "@jupyter-widgets/html-manager@1.0.15",
    "@jupyter-widgets/controls@5.0.13",
    "anywidget@0.11.0",
    "requirejs@2.3.8",
)
"""What is complete in itself: what VS Code's and Colab's widget managers are made of."""

# 7.3 knows no subshells, as VS Code's own stand-in for a kernel connection knows none.
LIBRARIES: Final = ("@jupyterlab/services@7.3.8", "esbuild@0.28.2")
"""What needs others: the kernel connection that VS Code's webview holds, and what makes one file of it."""

QUIET: Final = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")


def fetched() -> Path:
    """Return the folder with the packages; a test skips, or must fail, where they cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        _missing("no npm found")
    mark = BUILD / "fetched"
    wanted = "\n".join((*BUNDLES, *LIBRARIES))
    if not mark.exists() or mark.read_text("utf-8") != wanted:
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        (BUILD / "package.json").write_text("{}", "utf-8")
        _run(str(npm), "install", *QUIET, *LIBRARIES)
        for name in BUNDLES:
            _unpack(name, _run(str(npm), "pack", "--silent", name).split()[-1])
        mark.write_text(wanted, "utf-8")
    return BUILD


def bundled(name: str) -> Path:
    """Return one of the scripts beside this file as a single one, with the libraries that it imports."""
    folder, source = fetched(), HERE / f"{name}.js"
    made = folder / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.js"
    if not made.exists():
        tool = folder / "node_modules" / ".bin" / "esbuild"
        # What is marked as external is served as it was published.
        _run(str(tool), str(source), "--bundle", "--format=esm", "--external:/ipywidgets.js", f"--outfile={made}")
    return made


def _unpack(name: str, archive: str) -> None:
    target = BUILD / "published" / name.rpartition("@")[0]
    with tarfile.open(BUILD / archive) as files:
        files.extractall(target, filter="data")


def _run(*command: str) -> str:
    environment = {**os.environ, "NODE_PATH": str(BUILD / "node_modules")}
    done = subprocess.run(command, cwd=BUILD, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        _missing(f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _missing(what: str) -> None:
    if os.environ.get("TCNB_REQUIRE_BROWSER"):
        pytest.fail(f"{what}, and TCNB_REQUIRE_BROWSER asks for the browser tests")
    pytest.skip(f"{what}: the tests of VS Code's and Colab's parts are skipped")
