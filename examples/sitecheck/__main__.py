"""``python -m examples.sitecheck``."""

import sys

from examples.sitecheck.cli import main

if __name__ == "__main__":
    sys.exit(main())
