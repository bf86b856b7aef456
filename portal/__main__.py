"""`python -m portal`: the command line."""

import sys

from portal.cli import main

if __name__ == "__main__":
    sys.exit(main())
