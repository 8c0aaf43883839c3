"""``python -m deploy.first_start``."""

import sys

from deploy.first_start.command_line import main

if __name__ == "__main__":
    sys.exit(main())
