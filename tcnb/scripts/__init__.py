"""Scripts for the official client: the bot that they make and run; this file only gathers the name."""

from __future__ import annotations

from tcnb.scripts.bot import Bot

__all__ = ["Bot"]
