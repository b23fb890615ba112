"""Which software surrounds tcnb here, and whether its parts fit together; nothing of it is started."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from tcnb.commands.doctor.findings import Finding, ok, warning
from tcnb.commands.doctor.findings import problem as wrong
from tcnb.files.paths import HOME, home_folder
from tcnb.nesting import FIRST_LOSING_KERNEL, ORIGINAL, SUCCESSOR

OLDEST_PYTHON: Final = (3, 11)

NOTEBOOKS: Final = ("jupyterlab", "notebook")
"""The distributions that serve notebooks to a browser."""

FRONT_ENDS: Final = {
    "ipywidgets": ("@jupyter-widgets/jupyterlab-manager", "jupyterlab_widgets"),
    "anywidget": ("anywidget", "anywidget"),
}
"""By the library in the kernel: its extension in the browser, and the distribution that brings it."""


def examine() -> Iterator[Finding]:
    """Look at Python, at what tcnb needs, at the kernel, the notebook server and the widgets' two halves."""
    yield _python()
    yield _requirements()
    yield _kernel()
    yield _notebook_server()
    yield from (_widgets(library) for library in FRONT_ENDS)
    yield _nesting()


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return wrong("Python", f"{version} is too old: tcnb needs {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    return ok("Python", f"{version} on {platform.system()} {platform.machine()}")


def _requirements() -> Finding:
    """Hold what tcnb says it needs against what is installed."""
    wanted = [requirement for requirement in _needs("tcnb") if requirement.marker is None]
    missing = [str(one) for one in wanted if not _satisfies(one)]
    if missing:
        listed = " ".join(f"'{one}'" for one in missing)
        return wrong("packages", f"missing, or of another version than needed: run pip install {listed}")
    return ok("packages", f"tcnb {_version('tcnb')}; all {len(wanted)} packages that it needs are there")


def _kernel() -> Finding:
    version = _version("ipykernel")
    if version is None:
        return warning("kernel", "there is no ipykernel here: for notebooks run pip install 'tcnb[lab]'")
    return ok("kernel", f"ipykernel {version}")


def _notebook_server() -> Finding:
    found = [f"{name} {version}" for name in NOTEBOOKS if (version := _version(name)) is not None]
    if found:
        return ok("notebook server", ", ".join(found))
    return ok("notebook server", "none in this environment; where notebooks are served from another, look there too")


def _widgets(library: str) -> Finding:
    """Compare the half of a widget library that is in the kernel with the one that the browser gets."""
    check = "widgets"
    version = _version(library)
    if version is None:
        return wrong(check, f"{library} is not installed: run pip install {library}")
    extension, distribution = FRONT_ENDS[library]
    unmet = [str(one) for one in _needs(library) if one.name.replace("-", "_") == distribution and not _satisfies(one)]
    if unmet:
        return wrong(check, f"{library} {version} needs {unmet[0]}: run pip install '{unmet[0]}' and reload the page")
    if not any(_version(name) for name in NOTEBOOKS):
        return ok(check, f"{library} {version}; whether the browser's half fits, the notebook server's side can tell")
    if home_folder() is None:
        return warning(check, f"{library} {version}; without a home folder Jupyter does not work: set {HOME}")
    front_end = _front_end_version(extension)
    if front_end is None:
        return wrong(
            check,
            f"the notebook server here has no browser half of {library}: run pip install --force-reinstall "
            f"{distribution}, restart the server and reload the page",
        )
    if distribution == library and _series(front_end) != _series(version):
        return wrong(
            check,
            f"{library} {version} in the kernel and {front_end} in the browser do not fit: run pip install "
            f"--force-reinstall {library}, restart the server and reload the page",
        )
    return ok(check, f"{library} {version}, in the browser {extension} {front_end}")


def _nesting() -> Finding:
    """Tell whether an `asyncio.run` inside a cell is safe here (`tcnb.enable_nesting`)."""
    check = "nested loops"
    original, successor, kernel = _version(ORIGINAL), _version(SUCCESSOR), _version("ipykernel")
    if successor is not None:
        return ok(check, f"{SUCCESSOR} {successor}, which is safe")
    if original is not None and kernel is not None and (_series(kernel) or (0,))[0] >= FIRST_LOSING_KERNEL:
        return warning(
            check,
            f"{ORIGINAL} {original} with ipykernel {kernel} silently skips queued cells; tcnb does not use it, but "
            "other code may: run pip install nest-asyncio2",
        )
    return ok(
        check, f"{ORIGINAL} {original}, safe with this kernel" if original else "none is installed, none is needed"
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _needs(distribution: str) -> list[Requirement]:
    """Return what a distribution requires; nothing where it is not installed or says it in no known form."""
    try:
        return [Requirement(text) for text in metadata.requires(distribution) or ()]
    except (metadata.PackageNotFoundError, InvalidRequirement):
        return []


def _satisfies(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _series(version: str) -> tuple[int, ...] | None:
    """Return the part of a version within which both halves of a widget understand each other."""
    try:
        return Version(version).release[:2]
    except InvalidVersion:
        return None


def _front_end_version(extension: str) -> str | None:
    """Return the version of a JupyterLab extension that a server of this environment offers."""
    from jupyter_core.paths import jupyter_path  # there wherever a notebook server is

    for folder in jupyter_path("labextensions"):
        package = Path(folder) / extension / "package.json"
        try:
            said: Any = json.loads(package.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(said, dict) and isinstance(said.get("version"), str):
            return str(said["version"])
    return None
