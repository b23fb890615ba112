"""What was said: columns in memory, their schema, and the DataFrames made of them; nothing here talks to a server."""
