"""How tests reach the kernels that they start: by sockets in a folder, without any port; there are no tests here."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def without_ports(folder: str) -> dict[str, Any]:
    """Return the traits of a `KernelManager` whose kernel is reached by sockets in a folder with a short path.

    Ports are chosen before the kernel binds them, and on a busy machine others take them meanwhile.
    """
    return {"transport": "ipc", "connection_file": str(Path(folder) / "kernel.json")}
