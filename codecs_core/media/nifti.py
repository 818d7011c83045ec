"""NIfTI files, 1 and 2, in one file: ``.nii``, and ``.nii.gz``. nibabel reads the header; all bytes but the values are kept.

https://nifti.nimh.nih.gov/nifti-1 and nifti-2. The values are those in the file: what they are scaled by is in the header.
"""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import DTYPES, ArraySpec
from codecs_core.errors import CodecsError, InexactError, InputError, MissingReaderError
from codecs_core.media import gzipped, span, template
from codecs_core.media.readable import listed
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: Bytes of a header, with what says where it ends.
_START = 544
#: Bytes that values may take; an archive would not take more in one array.
_MOST = 1 << 36


def looks_like_nifti(head: bytes) -> bool:
    """Whether a file starts like NIfTI in one file."""
    return head[344:348] == b"n+1\0" or head[4:12] == b"n+2\0\r\n\x1a\n"


def read(path: Path) -> list[Source]:
    """The values of an image, as they are stored, with their axes in the order of the file: the last one is x.

    Colours are one more axis behind it. `nibabel` gives the axes the other way round.

    Raises
    ------
    InexactError
        If they are of a type that no array has, or there are bytes behind them.
    InputError
        If the file is damaged, or nibabel is missing.
    """
    zipped = _is_zipped(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _parsed(path, gzipped.start(path, _START) if zipped else None)
    except CodecsError:
        raise
    except Exception as error:  # nibabel raises nearly anything on damage
        raise InputError(f"{path} is not a NIfTI file that can be read: {type(error).__name__}: {error}") from error
    return [_zipped(path, found)] if zipped else span.sources(path, "NIfTI", [found])


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the NIfTI file that values came from: ``.nii`` identical to the byte, ``.nii.gz`` with the same contents."""
    if "gzip" not in parts[0].media:
        span.write(path, parts)
        return
    held = io.BytesIO()
    template.join(held, parts[0].media.get("template"), [span.raw(parts[0])])
    with path.open("wb") as file:
        gzipped.pack(file, held.getvalue(), parts[0].media["gzip"])


def _is_zipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == gzipped.MAGIC


def _parsed(path: Path, start: bytes | None) -> span.Span:
    """Where the values lie, of a file that is not zipped or of the contents of one whose first bytes are given."""
    try:
        import nibabel
    except ImportError as error:
        raise MissingReaderError(
            f"{path} is a NIfTI file, which takes nibabel: pip install 'codecs-core[medical]'"
        ) from error
    if start is None:
        with path.open("rb") as file:
            start = file.read(_START)
    kind: Any = nibabel.nifti1.Nifti1Header if start[344:348] == b"n+1\0" else nibabel.nifti2.Nifti2Header
    header: Any = kind(start[: kind.sizeof_hdr], check=False)
    dtype, dims = header.get_data_dtype(), tuple(int(n) for n in header.get_data_shape())
    offset = int(header["vox_offset"])
    if float(header["vox_offset"]) != offset or not kind.sizeof_hdr + 4 <= offset <= _MOST:
        raise InputError(f"{path} is a NIfTI file whose values begin at byte {header['vox_offset']}")
    shape = dims[::-1]
    if dtype.fields:
        names = dtype.names or ()
        if any(dtype[name] != np.uint8 for name in names):
            raise InexactError(f"{path} has values of type {dtype}")
        shape, dtype = (*shape, len(names)), np.dtype("u1")
    if dtype.name not in DTYPES or not dims:
        raise InexactError(f"{path} has values of type {dtype} in {len(dims)} dimensions, which no entry has")
    if any(n < 0 for n in shape) or math.prod(max(1, n) for n in shape) * dtype.itemsize > _MOST:
        raise InputError(f"{path} is a NIfTI file with the shape {dims}, which no array has")
    return span.Span(offset=offset, dtype=dtype, shape=shape, media={"header": _readable(header)})


def _readable(header: Any) -> dict[str, Any]:
    """Geometry, and how values are meant."""
    found = {
        "affine": header.get_best_affine(),
        "zooms": list(header.get_zooms()),
        "units": list(header.get_xyzt_units()),
        "slope": float(header["scl_slope"]),
        "intercept": float(header["scl_inter"]),
        "intent": header.get_intent()[0],
        "description": bytes(header["descrip"].tobytes()),
    }
    return listed(found.items())


def _zipped(path: Path, found: span.Span) -> Source:
    most = found.offset + found.nbytes + template.LARGEST
    content = gzipped.unpacked(path, most)
    end = found.offset + found.nbytes
    if len(content) < end:
        raise InputError(f"{path} is cut short: it has {len(content)} of {end} bytes in it")
    if len(content) - found.nbytes > template.LARGEST:
        raise InexactError(f"{path} has {len(content) - found.nbytes} bytes beside its values")
    media = {
        "format": "NIfTI",
        **found.media,
        "template": [content[: found.offset], content[end:]],
        "gzip": gzipped.described(path, content),
        **({"byteorder": ">"} if found.dtype.str.startswith(">") else {}),
    }

    def load() -> NDArray[Any]:
        content = gzipped.unpacked(path, most)
        if len(content) < end:
            raise InputError(f"{path} became shorter while it was read")
        return np.frombuffer(content, found.dtype, math.prod(found.shape), found.offset).reshape(found.shape)

    spec = ArraySpec(found.shape, found.dtype.name)
    return Source(name="", path=path, spec=spec, load=load, attrs={"media": media})
