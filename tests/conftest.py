"""What holds for all tests: what Python compiles is kept, though the environment may say that it shall not be."""

from __future__ import annotations

import sys

# Each process of a test run would otherwise rewrite the assertions of all tests anew, and each `xpc` that a test types
# would compile xpc anew; both together take longer than many a test file.
sys.dont_write_bytecode = False
