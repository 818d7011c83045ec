"""The `.ccf` container, format 1.2: bytes, frames and entries. It knows no codec; `spec/container.md` specifies it."""

from codecs_core.container.atomic import atomic_write
from codecs_core.container.checksum import digest
from codecs_core.container.contents import Contents, ModelRecord
from codecs_core.container.entry import Entry
from codecs_core.container.reader import Reader
from codecs_core.container.source import FileSource, Source
from codecs_core.container.walk import Frame, Scan, scan
from codecs_core.container.writer import Writer

__all__ = [
    "Contents",
    "Entry",
    "FileSource",
    "Frame",
    "ModelRecord",
    "Reader",
    "Scan",
    "Source",
    "Writer",
    "atomic_write",
    "digest",
    "scan",
]
