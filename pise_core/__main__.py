"""``python -m pise_core``."""

import sys

from pise_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
