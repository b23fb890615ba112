"""`python -m tcnb`: the same as the command `tcnb`."""

import sys

from tcnb.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
