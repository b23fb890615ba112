"""Backfill: reading from the history what was said while the bot was away."""
