"""What can be seen of processes from this host: the evidence that a run without an end line lives or is lost."""

from __future__ import annotations

from .shim import machine


class Here:
    """This host and boot; `states.state_of` asks it."""

    def __init__(self) -> None:
        here = machine.here()
        self.host, self.boot = here["host"], here["boot"]

    def is_alive(self, process: object) -> bool:
        return machine.is_alive(process)
