"""The fixed structures of a container, byte by byte; `spec/container.md` says the same in words.

Little endian throughout. No structure has padding or reserved bytes: whatever is not a checksum is covered by one.
"""

from __future__ import annotations

import struct

#: First bytes of a file: not ASCII, and broken by a transfer that converts line ends, as in PNG.
SIGNATURE = b"\x89CCF\r\n\x1a\n"
#: Last bytes of a file: the signature, reversed.
END = SIGNATURE[::-1]

#: First bytes of a folded file, and the minor version that has such files.
FOLDED, FOLDED_MINOR = b"\x89Cf", 2

MAJOR, MINOR = 1, 0
#: Incompatible feature bit: chunks may be missing, as after a recovery.
INCOMPLETE = 1
#: Incompatible feature bit: an array is cut along other axes than the first; and the minor version that has it.
GRID, GRID_MINOR = 4, 1
#: Incompatible feature bits this reader knows. Bit 1 is left out: it was never given a meaning.
INCOMPAT_KNOWN = INCOMPLETE | GRID

#: signature, major, minor, incompatible bits, compatible bits, header length, header CRC | preamble CRC
PREAMBLE = struct.Struct("<8sHHIIIII")

FRAME_MAGIC = b"\x89CFr"
#: magic, type, flags, frame header length, stored payload bytes, payload CRC
FRAME = struct.Struct("<4sBBHQI")
#: entry number, chunk number, xxh3-128 of the decoded chunk
CHUNK_FIELDS = struct.Struct("<II16s")
#: model number, SHA-256 of the payload
MODEL_FIELDS = struct.Struct("<I32s")
#: model number, SHA-256 of the model, its length; the payload is the model compressed
PACKED_FIELDS = struct.Struct("<I32sQ")
#: CRC of whatever comes before it in the same structure
CRC = struct.Struct("<I")

#: Length of a digest.
DIGEST = 16

#: Frame types. The last one came after the first readers of version 1.0, which refuse it by name.
CHUNK, MODEL, PACKED = 1, 2, 3
#: Frame flags: a reader that does not know the type must refuse the file.
CRITICAL = 1
#: Frame flags: an editor that does not know the type may copy the frame, whatever else it changes.
SAFE_TO_COPY = 2

INDEX_MAGIC = b"\x89CIx"
#: magic, record length, number of records
INDEX = struct.Struct("<4sIQ")
#: One record of the index, as a numpy dtype: name, type.
RECORD_FIELDS = [
    ("type", "u1"),
    ("flags", "u1"),
    ("head", "<u2"),
    ("number", "<u4"),
    ("chunk", "<u4"),
    ("stored", "<u8"),
]
RECORD = struct.Struct("<BBHIIQ")

#: index offset, index length, file length, index CRC, preamble CRC | trailer CRC, end magic
TRAILER = struct.Struct("<QQQIII8s")
#: Length of the part of the trailer its CRC covers.
TRAILER_COVERED = 32
