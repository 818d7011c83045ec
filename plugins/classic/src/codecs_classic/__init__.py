"""Classical compressors as codecs: the baselines, and a good choice where no model fits.

Importing this package loads no compressor; each implementation is imported on first use.
"""

from __future__ import annotations

from codecs_classic.catalogue import IMPLEMENTATIONS, INFO
from codecs_core.registry import CodecSpec, hookimpl

#: Codecs without a version 2, in which payloads may be stored.
NEVER_LONGER = ("classic.raw", "classic.jpeg")


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this package."""
    return [
        CodecSpec(id=id, implementation=IMPLEMENTATIONS[id], info=info, format_version=1 if id in NEVER_LONGER else 2)
        for id, info in INFO.items()
    ]
