"""Scripts that were written for the official client: its bot, and its import paths."""
