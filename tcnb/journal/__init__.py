"""The journal: every frame of an account, stored in one SQLite file."""
