"""Classical compressors as codecs: the baselines, and a good choice where no model fits.

Importing this package loads no compressor; each implementation is imported on first use.
"""

from __future__ import annotations

from codecs_classic.catalogue import IMPLEMENTATIONS, INFO
from codecs_core import CodecSpec, hookimpl

#: Codecs without a version 2: those that came with stored payloads, and those that need none.
FIRST_VERSION = ("classic.raw", "classic.jpeg", "classic.filtered", "classic.pcodec")


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this package."""
    return [
        CodecSpec(id=id, implementation=IMPLEMENTATIONS[id], info=info, format_version=1 if id in FIRST_VERSION else 2)
        for id, info in INFO.items()
    ]
