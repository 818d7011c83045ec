"""The kinds of files whose arrays are taken, one row a kind. No library of a format is imported before a file is of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codecs_core.media.source import media_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_JPEG_2000 = b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
_JPEG_XL = b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"
#: Bytes of a file that `Kind.matches` is given; fewer of a shorter file, none of a folder.
HEAD = 512


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file, and what reads and writes it.

    Parameters
    ----------
    name
        What ``attrs["media"]["format"]`` says of its entries.
    suffixes
        Suffixes of such files, lower case; ``".nii.gz"`` is one suffix.
    matches
        Called with the first bytes of a file and its path: whether it is of this kind. The suffix decides only where no
        magic number does.
    read
        Import string of ``read(path, name) -> list[Source]``. `name` is what the file is called in messages and in
        ``media["name"]``. It raises `InexactError` where it would lose something, and `InputError` where the file is
        damaged or a library is missing. `Source.name` is ``""`` if the file has a sole array without a name, else the name
        of the member, which ``media["member"]`` has too; what belongs to the file as a whole is in the first one's
        ``media["file"]``.
    write
        Import string of ``write(path, parts) -> None``, which writes one file from all the entries that came from one
        file, `Part` objects. It raises `OutputError` where they do not make such a file.
    extra
        The extra that brings its library.
    suffix
        Import string of ``suffix(parts) -> str | None``: the suffix of the file that can hold the values, None for a .npy,
        empty where the file comes back as it was, and with the name it had. So it does without such a function.
    lossy
        Import string of ``lossy(path) -> bool``: whether a file dropped detail to be small, so that its values are larger
        than it is. Such a file is kept whole, unless its values are asked for.
    image
        Whether an array of it is one image, so that its height and width do not matter for the choice of a codec.
    folder
        Whether a "file" of this kind is a folder, such as a zarr store.
    """

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes, Path], bool]
    read: str
    write: str
    extra: str = ""
    suffix: str = ""
    lossy: str = ""
    image: bool = False
    folder: bool = False


def kind_of(head: bytes, path: Path, *, folder: bool = False) -> Kind | None:
    """The kind of a file by its first bytes, or of a folder; None for what is of no kind in the table."""
    return next((kind for kind in KINDS if kind.folder == folder and kind.matches(head, path)), None)


def expected(path: Path) -> Kind | None:
    """The kind that a file should be of, going by its name alone; None for a name that says nothing."""
    name = path.name.lower()
    return next((kind for kind in KINDS if name.endswith(kind.suffixes)), None)


def named(format: Any) -> Kind | None:
    """The kind that ``media["format"]`` names."""
    return _NAMES.get(format) if isinstance(format, str) else None


def is_image(attrs: Mapping[str, Any]) -> bool:
    """Whether an entry with these attributes came from a file that is one image."""
    kind = named(media_of(attrs).get("format"))
    return kind is not None and kind.image


def load(what: str) -> Any:
    """The function that an import string such as ``"codecs_core.media.npy:read_npy"`` names."""
    module, _, attribute = what.partition(":")
    return getattr(import_module(module), attribute)


def _starts(*magic: bytes) -> Callable[[bytes, Path], bool]:
    return lambda head, path: head.startswith(magic)


def _is_wav(head: bytes, path: Path) -> bool:
    return head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def _is_safetensors(head: bytes, path: Path) -> bool:
    """There is no magic number but the brace of the header."""
    return head[8:9] == b"{" and path.suffix.lower() == ".safetensors"


def _is_dicom(head: bytes, path: Path) -> bool:
    return head[128:132] == b"DICM"


def _is_nifti(head: bytes, path: Path) -> bool:
    from codecs_core.media import gzipped, nifti

    if head.startswith(gzipped.MAGIC):
        return path.name.lower().endswith(".gz") and nifti.looks_like_nifti(gzipped.start(path, 348))
    return nifti.looks_like_nifti(head)


def _is_hdf5(head: bytes, path: Path) -> bool:
    """MATLAB puts 512 bytes of its own in front."""
    return head.startswith((b"\x89HDF\r\n\x1a\n", b"MATLAB 7.3 MAT-file"))


def _is_zarr(head: bytes, path: Path) -> bool:
    from codecs_core.media.zarr_store import is_store

    return is_store(path)


def _is_webp(head: bytes, path: Path) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_avif(head: bytes, path: Path) -> bool:
    return head[4:12] in (b"ftypavif", b"ftypavis")


def _is_bmp(head: bytes, path: Path) -> bool:
    """Two letters would be few: the length of the second header is one of those that there are."""
    return head[:2] == b"BM" and head[14:18] in {n.to_bytes(4, "little") for n in (12, 16, 40, 52, 56, 64, 108, 124)}


def _is_ppm(head: bytes, path: Path) -> bool:
    return re.match(rb"P[1-6]\s+(#|\d)", head) is not None


def _is_idx(head: bytes, path: Path) -> bool:
    from codecs_core.media.idx import looks_like_idx

    return looks_like_idx(head)


def _is_zipped_idx(head: bytes, path: Path) -> bool:
    from codecs_core.media.idx import looks_like_zipped_idx

    return head.startswith(b"\x1f\x8b") and looks_like_zipped_idx(path)


def _image(
    name: str, suffixes: tuple[str, ...], matches: Callable[[bytes, Path], bool], read: str, lossy: str = ""
) -> Kind:
    """A row for an image."""
    return Kind(
        name=name,
        suffixes=suffixes,
        matches=matches,
        read=f"codecs_core.media.{read}",
        write="codecs_core.media.image:write_image",
        suffix="codecs_core.media.image:suffix_of",
        extra="images",
        lossy=f"codecs_core.media.image:{lossy}" if lossy else "",
        image=True,
    )


def _values(
    name: str,
    suffixes: tuple[str, ...],
    matches: Callable[[bytes, Path], bool],
    *,
    module: str,
    extra: str = "",
    folder: bool = False,
) -> Kind:
    """A row for a file that comes back under the name it had, by ``read`` and ``write`` of a module."""
    return Kind(
        name=name,
        suffixes=suffixes,
        matches=matches,
        read=f"codecs_core.media.{module}:read",
        write=f"codecs_core.media.{module}:write",
        extra=extra,
        folder=folder,
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="NPY",
        suffixes=(".npy",),
        matches=_starts(b"\x93NUMPY"),
        read="codecs_core.media.npy:read_npy",
        write="codecs_core.media.npy:write_npy",
    ),
    Kind(
        name="NPZ",
        suffixes=(".npz",),
        matches=lambda head, path: head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".npz",
        read="codecs_core.media.npz:read_npz",
        write="codecs_core.media.npz:write_npz",
    ),
    Kind(
        name="IDX",
        suffixes=(".idx",),
        matches=_is_idx,
        read="codecs_core.media.idx:read_idx",
        write="codecs_core.media.idx:write_idx",
    ),
    Kind(
        name="IDX.GZ",
        suffixes=(".idx.gz",),
        matches=_is_zipped_idx,
        read="codecs_core.media.idx:read_zipped_idx",
        write="codecs_core.media.idx:write_zipped_idx",
    ),
    _values("DICOM", (".dcm", ".dicom"), _is_dicom, module="dicom", extra="medical"),
    _values("NIfTI", (".nii", ".nii.gz"), _is_nifti, module="nifti", extra="medical"),
    _values("NetCDF", (".nc", ".cdf"), _starts(b"CDF\1", b"CDF\2", b"CDF\5"), module="netcdf"),
    _values("HDF5", (".h5", ".hdf5", ".nc", ".nc4", ".he5"), _is_hdf5, module="hdf5", extra="science"),
    _values("zarr", (".zarr",), _is_zarr, module="zarr_store", extra="zarr", folder=True),
    _values("WAV", (".wav",), _is_wav, module="wav"),
    _values("safetensors", (".safetensors",), _is_safetensors, module="safetensors"),
    _image("PNG", (".png",), _starts(b"\x89PNG\r\n\x1a\n"), "png:read_png"),
    _image("WEBP", (".webp",), _is_webp, "pillow:read_image", lossy="is_lossy_webp"),
    _image("JPEG", (".jpg", ".jpeg"), _starts(b"\xff\xd8\xff"), "pillow:read_image", lossy="is_lossy"),
    _image("TIFF", (".tif", ".tiff"), _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "tiff:read_tiff"),
    _image("GIF", (".gif",), _starts(b"GIF87a", b"GIF89a"), "pillow:read_image", lossy="is_lossy"),
    _image("BMP", (".bmp",), _is_bmp, "bmp:read_bmp"),
    _image("PPM", (".ppm", ".pgm", ".pbm", ".pnm"), _is_ppm, "netpbm:read_netpbm"),
    _image("AVIF", (".avif",), _is_avif, "coded:read_coded", lossy="is_lossy"),
    _image("JPEG2000", (".jp2", ".j2k"), _starts(*_JPEG_2000), "coded:read_coded", lossy="is_lossy"),
    _image("JPEGXL", (".jxl",), _starts(*_JPEG_XL), "coded:read_coded", lossy="is_lossy"),
)
_NAMES = {kind.name: kind for kind in KINDS}
