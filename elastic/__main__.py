"""``python -m elastic``."""

import sys

from elastic.command_line import main

if __name__ == "__main__":
    sys.exit(main())
