"""What is asked for at least: no version of a package in which a hole is known that reaches what tcnb does with it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LAST_WITH_A_HOLE = {
    "tornado": "6.5.2",  # CVE-2025-47287, CVE-2025-67725, CVE-2025-67726: a request that holds the practice server
    "pillow": "11.2.1",  # CVE-2025-48379: writing beyond a buffer; before it, decoders that do so
    "jupyterlab": "4.4.7",  # CVE-2025-59842: links of a notebook that reach the page that opened them
    "nbconvert": "7.16.6",  # CVE-2025-53000: a program in the working folder that is run
    "httpx": "0.22.0",  # CVE-2021-41945: addresses that are read in two ways
    "ipython": "8.9.0",  # CVE-2023-24816: a folder's name that is run
    "pyarrow": "14.0.0",  # CVE-2023-47248: a file that runs code when it is read
}


def requirements() -> list[Requirement]:
    """Return all that the package and its extras ask for."""
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]]


@pytest.mark.parametrize("name", sorted(LAST_WITH_A_HOLE))
def test_versions_with_known_holes_are_not_accepted(name):
    """The last version with a hole satisfies no requirement."""
    asked = [one for one in requirements() if one.name == name]
    assert asked
    assert not [str(one) for one in asked if one.specifier.contains(Version(LAST_WITH_A_HOLE[name]))]
