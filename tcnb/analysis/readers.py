"""The ways in for frames that no session made: archives and exports of other products; with them comes `df.tc`."""

from __future__ import annotations

from tcnb.analysis.accessor import register
from tcnb.archive.readers import read_discord, read_slack, read_telegram
from tcnb.archive.scan import scan

__all__ = ["read_discord", "read_slack", "read_telegram", "scan"]

register()
