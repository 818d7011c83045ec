"""What torch could train on. Coding runs in integers on the processor, and needs none of it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def describe() -> dict[str, Any]:
    """``{"torch": version | None, "devices": [name], "error": None}``; torch is imported if it is installed."""
    if find_spec("torch") is None:
        return {"torch": None, "devices": [], "error": None}
    import torch

    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("Apple GPU (mps)")
    return {"torch": torch.__version__, "devices": devices, "error": None}
