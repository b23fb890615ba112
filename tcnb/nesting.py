"""Running `asyncio.run(main())` of a pasted bot script inside a cell; the product itself never needs it.

The patch it applies makes an event loop re-entrant. nest-asyncio 1.6.0 does so in a way that, on ipykernel 7, lets one
nested run during "Run All" skip every cell that is still queued, without a word. Its maintained successor does not.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, version

from tcnb.errors import MissingPackageError

SUCCESSOR = "nest_asyncio2"
ORIGINAL = "nest_asyncio"
FIRST_LOSING_KERNEL = 7


def enable_nesting() -> None:
    """Let `asyncio.run(…)` work inside a cell, where a loop is already running.

    Prefers `nest_asyncio2`; uses `nest_asyncio` where it is known to be safe.

    Raises:
        MissingPackageError: only `nest_asyncio` is at hand and the kernel is one with which it loses cells.
    """
    if importlib.util.find_spec(SUCCESSOR) is not None:
        importlib.import_module(SUCCESSOR).apply()
        return
    if "ipykernel" in sys.modules and _major("ipykernel") >= FIRST_LOSING_KERNEL:
        raise MissingPackageError(
            f"nest_asyncio with ipykernel {version('ipykernel')} silently skips queued cells: "
            "install nest_asyncio2 (pip install nest-asyncio2), or await the coroutine in the cell "
            "instead of asyncio.run"
        )
    importlib.import_module(ORIGINAL).apply()


def _major(package: str) -> int:
    try:
        return int(version(package).partition(".")[0])
    except (PackageNotFoundError, ValueError):
        return 0
