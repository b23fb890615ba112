"""How things are said: frames, codes, paths and the fast decoding of notifications; there is no I/O in this room."""
