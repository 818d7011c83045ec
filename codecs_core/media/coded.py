"""AVIF, JPEG 2000 and JPEG XL: their pixels, for whoever asks for them. An archive keeps such files whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, MissingReaderError
from codecs_core.media.kinds import HEAD, kind_of
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_coded(path: Path) -> list[Source]:
    """The pixels that an AVIF, JPEG 2000 or JPEG XL file shows: (H, W) or (H, W, C).

    Raises
    ------
    InexactError
        For a file with several frames.
    InputError
        If the file is damaged, or imagecodecs is missing.
    """
    data = path.read_bytes()
    kind = kind_of(data[:HEAD], path)
    name = kind.name if kind is not None else ""
    try:
        import imagecodecs

        decode = {"JPEGXL": "jpegxl_decode", "JPEG2000": "jpeg2k_decode", "AVIF": "avif_decode"}[name]
        array: NDArray[Any] = getattr(imagecodecs, decode)(data)
    except ImportError as error:
        raise MissingReaderError(f"{path} is a {name} file: pip install 'codecs-core[images]'") from error
    except MemoryError as error:
        raise InputError(f"image {path} claims more pixels than there is memory for") from error
    except Exception as error:  # each library has errors of its own
        raise InputError(f"image {path} cannot be read: {type(error).__name__}: {error}") from error
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] > 4):
        raise InexactError(f"{path} has several frames, of shape {array.shape} in all")
    media = {"format": name, "mode": "", "name": path.name}
    return [Source(name="", path=path, spec=ArraySpec.of(array), load=lambda: array, attrs={"media": media})]
