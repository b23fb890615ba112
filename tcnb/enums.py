"""The enumerations under a short name, for `from tcnb.enums import …`; they live in `tcnb.types.enums`."""

from __future__ import annotations

from tcnb.types.enums import *  # noqa: F403
from tcnb.types.enums import __all__ as __all__

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""
