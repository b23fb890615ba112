"""Archives: events as Parquet datasets, and exports of other products."""
