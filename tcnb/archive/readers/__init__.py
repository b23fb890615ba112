"""Exports of other products as event frames, so that every analysis works on them; a file a product."""

from __future__ import annotations

from tcnb.archive.readers.discord import read_discord
from tcnb.archive.readers.slack import read_slack
from tcnb.archive.readers.telegram import read_telegram

__all__ = ["read_discord", "read_slack", "read_telegram"]
