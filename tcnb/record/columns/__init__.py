"""The columns behind the DataFrames: in memory, and saved on disk."""
