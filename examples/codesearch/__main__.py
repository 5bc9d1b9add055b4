"""``python -m examples.codesearch``."""

import sys

if __name__ == "__main__":
    # Worker processes import this module too, and need nothing of what the command needs.
    try:
        from examples.codesearch.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())
