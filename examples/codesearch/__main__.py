"""``python -m examples.codesearch``."""

import sys

if __name__ == "__main__":
    # Worker processes import this module too, and need nothing of what the command needs.
    from examples.codesearch.cli import main

    sys.exit(main())
