"""How things are said: frames, codes, paths, markup and the fast decoding of notifications; no I/O in this room."""
