"""Exports of other products as event frames, so that every analysis works on them; a file a product."""

from __future__ import annotations

from tcnb.record.imports.discord import read_discord
from tcnb.record.imports.slack import read_slack
from tcnb.record.imports.telegram import read_telegram

__all__ = ["read_discord", "read_slack", "read_telegram"]
