"""Files on this disk: names that are safe, paths that people write, and saving what comes from outside."""
