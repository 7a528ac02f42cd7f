"""A path to the bytes of a file: what only looks like one (a pipe, a device, a folder) is refused, not waited for."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

LARGEST = 1 << 28  # bytes that are read into memory at once
HOLES = 1000  # of a larger file at least one byte in so many is on the disk, else it is a hole that claims any size


def open_regular(path: str) -> BinaryIO:
    """Open a file for reading; raises ``OSError``, also for what is no regular file, and for one of holes alone."""
    # Without O_NONBLOCK a pipe would keep its reader waiting for a writer that never comes.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    hollow = found.st_size > LARGEST and found.st_blocks * 512 < found.st_size // HOLES
    if stat.S_ISREG(found.st_mode) and not hollow:
        return open(descriptor, "rb")
    os.close(descriptor)
    if hollow:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "Not a regular file", path)


def read_regular(path: str, largest: int = LARGEST) -> bytes:
    """Give what a file holds; raises ``OSError``, also for one of more than *largest* bytes."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > largest:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return file.read(largest)
