"""PBM, PGM and PPM: a few words, and then the values as they are. Such a file comes back identical to the byte."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media.source import Source
from codecs_core.media.strips import apart, together
from codecs_core.media.template import cut, join, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: The header: words with white space and comments between them, and one white space behind the last.
_GAP = rb"\s(?:\s|#[^\r\n]*[\r\n])*"
_BITS = re.compile(rb"P4%b(\d{1,9})\s" % (_GAP + rb"(\d{1,9})" + _GAP))
_VALUES = re.compile(rb"P([56])%b(\d{1,5})\s" % (_GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP))


def read_netpbm(path: Path) -> list[Source]:
    """The values of a binary PBM (0 is black, 1 is white), PGM or PPM file, as stored: uint8, or uint16 above 255.

    Raises
    ------
    InexactError
        For values written as decimal numbers, and bits behind the last column of a PBM.
    InputError
        If the file is damaged.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head[1:2] in b"123":
        raise InexactError(f"{path} has its values as decimal numbers, which would not be spelled as they are")
    bits, found = _BITS.match(head), _VALUES.match(head)
    start = bits or found
    if start is None:
        raise InputError(f"{path} is damaged: it does not start as a netpbm file does")
    width, height = (int(n) for n in (start.groups() if bits else start.groups()[1:3]))
    most = int(found[4]) if found else 1
    if not width or not height or not 0 < most < 65536:
        raise InputError(f"{path} is damaged: {height} rows, {width} columns, values up to {most}")
    shape = (height, width, 3) if found and found[1] == b"6" else (height, width)
    mode = "1" if bits else "RGB" if len(shape) == 3 else "L" if most < 256 else "I;16"
    spec = ArraySpec(shape, "uint8" if most < 256 else "uint16")
    nbytes = height * -(-width // 8) if bits else spec.nbytes
    template = cut(path, [(start.end(), nbytes)])

    def load() -> NDArray[Any]:
        with path.open("rb") as file:
            file.seek(start.end())
            data = file.read(nbytes)
        if len(data) != nbytes:
            raise InputError(f"{path} became shorter while it was read")
        if bits:
            return 1 - apart(data, (height, width, 1), 1)[..., 0]
        return np.frombuffer(data, spec.numpy.newbyteorder(">")).astype(spec.dtype).reshape(shape)

    if bits and width % 8 and raw_bits(load()) != path.read_bytes()[start.end() : start.end() + nbytes]:
        raise InexactError(f"{path} has bits behind its last column, which no array keeps")
    media = {"format": "PPM", "mode": mode, "name": path.name, "template": template}
    return [Source(name="", path=path, spec=spec, load=load, attrs={"media": media})]


def write_netpbm(file: IO[bytes], array: NDArray[Any], media: Mapping[str, Any]) -> None:
    """Write the file that an array came from; raises `OutputError` where it is not of the size that the file says."""
    template = media.get("template")
    words = template[0] if isinstance(template, list) and template and isinstance(template[0], bytes) else b""
    bits, found = _BITS.fullmatch(words), _VALUES.fullmatch(words)
    start = bits or found
    if start is None:
        raise OutputError("the attributes of the entry do not have the header of a netpbm file")
    width, height = (int(n) for n in (start.groups() if bits else start.groups()[1:3]))
    shape = (height, width, 3) if found and found[1] == b"6" else (height, width)
    dtype = "uint8" if bits or (found and int(found[4]) < 256) else "uint16"
    if array.shape != shape or array.dtype.name != dtype:
        raise OutputError(f"the file has {dtype} of shape {shape}, and the array is {array.dtype} of {array.shape}")
    if bits and (array > 1).any():
        raise OutputError("a PBM file has zeros and ones, and the array has larger values")
    join(file, template, [raw_bits(array) if bits else raw(array, ">")])


def raw_bits(array: NDArray[Any]) -> bytes:
    """Zeros and ones as PBM has them, where 1 is black."""
    return together((1 - array)[..., None], 1)
