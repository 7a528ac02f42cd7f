"""``python -m xpc`` is ``xpc``."""

import sys

from xpc.cli import main

sys.exit(main())
