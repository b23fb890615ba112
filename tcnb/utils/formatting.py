"""Formatted texts under the name that scripts for the official client import them by; they live in `tcnb.wire`."""

from __future__ import annotations

from tcnb.markup.formatting import *  # noqa: F403
from tcnb.markup.formatting import __all__ as __all__

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""
