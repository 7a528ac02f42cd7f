"""BLAKE2b, without OpenSSL, which `hashlib` loads first and a task would wait for."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["blake2b"]
