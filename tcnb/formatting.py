"""Formatted texts under a short name, for `from tcnb.formatting import …`; they live in `tcnb.wire`."""

from __future__ import annotations

from tcnb.markup.formatting import *  # noqa: F403
from tcnb.markup.formatting import __all__ as __all__
