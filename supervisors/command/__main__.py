"""``python -m supervisors.command``, where ``otp`` is not on the path."""

import sys

from supervisors.command.main import main

sys.exit(main())
