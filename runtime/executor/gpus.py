"""Which GPUs this process may give to its runs, and the environment that shows a run its own ones alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CUDA: Final = "CUDA_VISIBLE_DEVICES"
HIP: Final = "HIP_VISIBLE_DEVICES"
ROCR: Final = "ROCR_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Device:
    """*name* is what the variable calls it (an index, a UUID, a MIG id); *key* names it on the whole machine."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Gpus:
    """The devices to share out, by *variable*; without any device the variable doesn't matter."""

    variable: str
    devices: tuple[Device, ...]

    def environment(self, chosen: Sequence[Device]) -> dict[str, str]:
        """Give the variables that show a run the *chosen* devices and hide all others."""
        names = ",".join(device.name for device in chosen)
        if self.variable == CUDA:
            return {CUDA: names, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if chosen else {CUDA: ""}
        # An empty list means "all" to HIP, an index that is not there ends the list.
        return {self.variable: names} if chosen else {self.variable: "-1", CUDA: ""}


def find_gpus(environ: Mapping[str, str], root: Path) -> Gpus:
    """Look at the inherited variables first: what they hide is not ours. Runs no program."""
    nvidia, amd = _nvidia(root), _amd(root)
    for variable, present in ((HIP, amd), (ROCR, amd), (CUDA, nvidia)):
        inherited = environ.get(variable)
        if inherited is not None and (variable != CUDA or nvidia or not amd):
            return Gpus(variable, _named(inherited, present))
    return Gpus(HIP, amd) if amd and not nvidia else Gpus(CUDA, nvidia)


def _named(inherited: str, present: Sequence[Device]) -> tuple[Device, ...]:
    """Give the devices of a variable's list; as the drivers do, stop at the first one that can't be."""
    found: dict[str, Device] = {}
    for name in (part.strip() for part in inherited.split(",")):
        if re.fullmatch(r"\d+", name):
            known = present[int(name)].key if int(name) < len(present) else f"index-{int(name)}"
            found.setdefault(name, Device(name, known))
        elif re.fullmatch(r"(GPU|MIG)-[\w/-]+", name):
            found.setdefault(name, Device(name, name))
        else:
            break
    return tuple(found.values())


def _nvidia(root: Path) -> tuple[Device, ...]:
    """Give NVIDIA's devices in the order of their PCI addresses, those that a container hides left out."""
    shown = {int(path.name[6:]) for path in (root / "dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()}
    known = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    keys = []
    for path in known:
        text = path.read_text(errors="replace")
        minor = re.search(r"Device Minor:\s*(\d+)", text)
        uuid = re.search(r"GPU UUID:\s*(GPU-[\w-]+)", text)
        if minor is None or not shown or int(minor[1]) in shown:
            keys.append(uuid[1] if uuid else path.parent.name)
    if not known:
        keys = [f"nvidia{minor}" for minor in sorted(shown)]
    return tuple(Device(str(index), key) for index, key in enumerate(keys))


def _amd(root: Path) -> tuple[Device, ...]:
    """Give AMD's devices in the order of the driver's topology."""
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("*/gpu_id")
    found = [(int(path.parent.name), path.read_text().strip()) for path in nodes]
    ids = [number for _, number in sorted(found) if number not in ("", "0")]
    return tuple(Device(str(index), f"amd-{number}") for index, number in enumerate(ids))
