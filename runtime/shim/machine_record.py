"""This machine to what a run's numbers may depend on: system, kernel, C library, processor, GPUs and their driver."""

# A node may have Python 3.8.

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional

CPUINFO = 4096  # bytes: the first processor's part; of all of them the kernel makes a long text, and slowly
AMD = "0x1002"


def machine_record(root: str = "/") -> Dict[str, Any]:
    """Give what is known of this machine; *root* is where its `proc`, `sys` and `etc` are."""
    names = os.uname()
    return {
        "system": _os_release(root),
        "kernel": "%s %s" % (names.sysname, names.release),
        "architecture": names.machine,
        "libc": _libc(),
        "cpu": _cpu(root),
        "cpus": os.cpu_count(),
        "gpus": _nvidia_gpus(root) or _amd_gpus(root),
        "driver": _driver(root),
    }


def _os_release(root: str) -> Optional[str]:
    found = _value(_text(root, "etc/os-release"), "PRETTY_NAME", "=")
    return found.strip('"') if found else None


def _libc() -> Optional[str]:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None  # another library, which has no such name


def _cpu(root: str) -> Optional[str]:
    text = _text(root, "proc/cpuinfo", CPUINFO)
    # Of ARM the kernel tells no name, but numbers.
    for name in ("model name", "cpu", "Model", "CPU part", "uarch"):
        found = _value(text, name, ":")
        if found:
            return found if name != "CPU part" else "part " + found
    return None


def _nvidia_gpus(root: str) -> List[str]:
    found = []
    folder = os.path.join(root, "proc/driver/nvidia/gpus")
    for name in _names(folder):
        found.append(_value(_text(folder, name + "/information"), "Model", ":") or "NVIDIA")
    return found


def _amd_gpus(root: str) -> List[str]:
    found = []
    cards = os.path.join(root, "sys/class/drm")
    for card in _names(cards):
        folder = os.path.join(cards, card, "device")
        if card[:4] == "card" and card[4:].isdigit() and _text(folder, "vendor").strip() == AMD:
            name = _text(folder, "product_name").strip()
            found.append(name or "AMD " + _text(folder, "device").strip())
    return found


def _driver(root: str) -> Optional[str]:
    for word in _text(root, "proc/driver/nvidia/version").split("\n")[0].split():
        if word[0].isdigit() and "." in word:
            return "nvidia " + word
    amd = _text(root, "sys/module/amdgpu/version").strip()
    return "amdgpu " + amd if amd else None


def _value(text: str, name: str, sign: str) -> Optional[str]:
    """Give what stands after a name and a sign on the first line that has them."""
    for line in text.split("\n"):
        key, found, value = line.partition(sign)
        if found and key.strip() == name:
            return value.strip()
    return None


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _text(root: str, path: str, most: int = 65536) -> str:
    try:
        with open(os.path.join(root, path), "rb", buffering=0) as file:
            return (file.read(most) or b"").decode("utf-8", "replace")
    except OSError:
        return ""
