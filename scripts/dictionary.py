"""What `spec/folding.dict` was made of: pieces of headers, those that are met most often last, where a reference to them is shortest.

The file is frozen: folded containers decode with it alone. `python scripts/dictionary.py` says whether these pieces still give it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgpack

FROZEN = Path(__file__).parents[1] / "spec" / "folding.dict"

#: Attributes of arrays and files that are met now and then.
WORDS = [
    *("xarray", "coords", "data_vars", "dims", "encoding", "kind", "index", "variable", "dataarray", "dataset"),
    *("_FillValue", "missing_value", "scale_factor", "add_offset", "units", "calendar", "coordinates", "standard_name"),
    *("long_name", "description", "byteorder", "attributes", "axes", "place", "holes", "skeleton", "gaps", "affine"),
    *(
        "intercept",
        "slope",
        "zooms",
        "palette",
        "transparency",
        "icc_name",
        "exif",
        "icc",
        "dpi",
        "bits",
        "rate",
        "order",
    ),
    *("time", "lat", "lon", "level", "latitude", "longitude", "degrees_north", "degrees_east", "days since 1970-01-01"),
    *("data", "train", "test", "mask", "image", "images", "labels", "signal", "x", "y"),
    *("datetime64[ns]", "timedelta64[ns]", "bfloat16", "float8_e4m3fn"),
]
#: Settings of codecs.
SETTINGS: list[dict[str, Any]] = [
    {"level": 9},
    {"batch": 64},
    {"max_error": 0.01},
    {"relative": True},
    {"effort": "fast"},
    {"effort": "smallest"},
]
#: Codecs without a model: id, package, payload version.
PLAIN = [
    ("rec.weights", "codecs-rec", 1),
    ("inr.coin", "codecs-inr", 1),
    ("classic.jpeg", "codecs-classic", 1),
    ("classic.webp", "codecs-classic", 2),
    ("classic.jxl", "codecs-classic", 2),
    ("classic.png", "codecs-classic", 2),
    ("classic.pcodec", "codecs-classic", 1),
    ("classic.filtered", "codecs-classic", 1),
    ("classic.raw", "codecs-classic", 1),
    ("classic.bz2", "codecs-classic", 2),
    ("classic.zlib", "codecs-classic", 2),
    ("classic.lzma", "codecs-classic", 2),
    ("classic.zstd", "codecs-classic", 2),
    ("ar.bounded", "codecs-ar", 2),
]
#: Codecs with a model: id, package, payload version, and name and SHA-256 of the model.
LEARNED = [
    (("inr.image", "codecs-inr", 1), "combiner-1", "646f5b1347d3492a4abcee6c4fca230ec4fa588f593b9f686341e33550ad9c34"),
    (("inr.image", "codecs-inr", 1), "cifar10-2", "56d36ae8f8f2df4eb8963056b6fc1d1ea6b070cc8727c86edf3ee00110ec98a3"),
    (("inr.image", "codecs-inr", 1), "cifar10-1", "21db4b6a5378f5cace9fe21913953e089f8d781c4790c6c096499aaa346a6b17"),
    (("idf.image", "codecs-idf", 2), "photo", "c91abf0b2fa67b827e7ca24d14fbae13599e67e5ade3e0727a21f5719b80dd43"),
    (("idf.image", "codecs-idf", 2), "cifar10", "45ae40f6237b7ca936845b9c490e9b522a939a5dd9fdc9359e681d7a02973aa1"),
    (("lbb.flow", "codecs-lbb", 2), "cifar10", "c0121a9b80d80f28246a7219e3a11d183e6eb228e38f1416b6d1f3ec00ecf94e"),
    (("lbb.flow", "codecs-lbb", 2), "mnist", "7e1202221d60bceadf1335ff590f09625948368ef49a7a1208e4b1a79391fcc9"),
    (("rec.vae", "codecs-rec", 3), "colour", "3581baf19ba574a615bb58beb92314fdcd694c23a8d671060d46f1381d79d442"),
    (
        ("rec.vae-lossless", "codecs-rec", 2),
        "mnist-binary",
        "0a3218341d15879647d3eafc026fb6fbab1088f0545a94e7a6b79ae1331da7f7",
    ),
    (
        ("rec.vae-lossless", "codecs-rec", 2),
        "mnist",
        "e8e4e3a7b648f8b74f9fda407d2ba2a6016d0ee59002115c93fab5dc5cf93097",
    ),
    (
        ("bbans.vae", "codecs-bbans", 2),
        "mnist-binary",
        "2dbb8a2862899f346530ae1e4e6cfaf31eb5eb9f0dce59ed8069ed3d59263917",
    ),
    (("bbans.vae", "codecs-bbans", 2), "mnist", "808c7b0b2d07876fcbf07c050172841bc2ed619f624835b801256b4c4df206ea"),
    (("ar.stack", "codecs-ar", 1), "mnist-binary", "3718288354ab452cbe341484e6e4574b0c6e1befcbfa8665ce260f4238c1116b"),
    (("ar.stack", "codecs-ar", 1), "mnist", "42d1591666fbcf687276b08f68515beff2b9fd50f6066ab4cedc2388e4a97899"),
    (("ar.image", "codecs-ar", 3), "cifar10", "9d36b498cbdf23534a62032f8382a6cc7f9ab76c2f9bf738bbcafc269e419217"),
    (("ar.image", "codecs-ar", 3), "gray", "b85e493ebd3e1b01ca73eaed2f15384483daa72bac3d661074d2041fc94e3d61"),
    (("ar.image", "codecs-ar", 3), "photo", "5e9e0951cb62adf32ff4faee798a64be094dad0e2552dca8d01b792258bcbd71"),
    (("ar.array", "codecs-ar", 3), "general", "b523be67893f74c11e1445431a4c6f112e503a2ec2af228130c7459ade85edc4"),
]
#: What files say beside their values.
MEDIA: list[dict[str, Any]] = [
    {"format": "NetCDF", "member": "time"},
    {"format": "HDF5", "member": "x"},
    {"format": "NIfTI"},
    {"format": "safetensors"},
    {"format": "DICOM"},
    {"format": "zarr"},
    {"format": "BMP", "mode": "RGB", "name": "x.bmp", "template": [b"", b""]},
    {"format": "TIFF", "gaps": [0], "name": "x.tif"},
    {"format": "WEBP", "mode": "RGB", "name": "x.webp"},
    {"bits": 16, "format": "WAV", "name": "x.wav", "rate": 44100},
    {"format": "IDX", "name": "train-images-idx3-ubyte"},
    {"file": {"deflated": False}, "format": "NPZ", "member": "x", "name": "x.npz"},
    {"executable": True, "format": "file", "name": "x.sh"},
    {"format": "file", "name": "x.jpg"},
    {"format": "file", "name": "x.csv"},
    {"format": "file", "name": "x.json"},
    {"format": "file", "name": "x.txt"},
    {"format": "PNG", "mode": "1", "name": "x.png"},
    {"format": "PNG", "mode": "RGBA", "name": "x.png"},
    {"format": "PNG", "mode": "L", "name": "x.png"},
    {"format": "PNG", "mode": "RGB", "name": "x.png"},
    {"format": "NPY", "name": "x.npy"},
]
#: Bytes that stand before the values of WAV and .npy files.
TEMPLATES = [
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': True, 'shape': (",
    b"\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00D\xac\x00\x00\x88X\x01\x00\x02\x00\x10\x00data",
]
#: dtypes, and shapes of arrays that are met often.
SHAPES: list[tuple[str, list[int]]] = [
    ("complex64", [8]),
    ("complex128", [8]),
    ("float16", [4]),
    ("bool", [28, 28]),
    ("int8", [3]),
    ("uint64", [2]),
    ("uint32", [2]),
    ("uint16", [256, 256]),
    ("int16", [512, 512]),
    ("int32", [1000]),
    ("int64", [1000]),
    ("uint8", [32, 32, 3]),
    ("uint8", [28, 28]),
    ("float32", [1000]),
    ("float64", [1000]),
]


def pack(value: Any) -> bytes:
    """Canonical, where maps have their keys in order."""
    packed: bytes = msgpack.packb(value)
    return packed


def record(codec: tuple[str, str, int], model: int | None) -> dict[str, Any]:
    """A codec record of a header."""
    name, package, version = codec
    return {"config": {}, "id": name, "model": model, "package": package, "version": version}


def header(codec: tuple[str, str, int], dtype: str, shape: list[int], **attrs: Any) -> bytes:
    """The header of a file with one array without a name, in one chunk."""
    chunk = shape[0] if shape else 1
    entry = ["", dtype, shape, chunk, 0, attrs]
    return pack({"attrs": {}, "codecs": [record(codec, None)], "entries": [entry], "models": []})


def learned(codec: tuple[str, str, int], model: str, sha256: str) -> bytes:
    """A codec and its model, as far as they are alike in all files."""
    listed = [{"name": model, "sha256": bytes.fromhex(sha256)}]
    return pack([record(codec, 0)])[1:] + pack("models") + pack(listed)


def dictionary() -> bytes:
    """All pieces, joined."""
    array, best = ("ar.array", "codecs-ar", 3), ("float64", [1000])
    pieces = [
        *map(pack, WORDS),
        *TEMPLATES,
        *map(pack, SETTINGS),
        *(learned(*one) for one in LEARNED),
        *(pack(record(codec, None))[1:] + pack("entries") + b"\x91\x96" for codec in PLAIN),
        *(pack({"media": media})[:-1] + pack("models") for media in MEDIA),
        *(pack("") + pack(dtype) + pack(shape) + pack(shape[0]) + b"\x00\x80" for dtype, shape in SHAPES),
        header(array, *best, media={"format": "NPY", "name": "x.npy"}),
        header(array, *best),
    ]
    return b"".join(pieces)


if __name__ == "__main__":
    if dictionary() != FROZEN.read_bytes():
        sys.exit(f"{FROZEN} is not what these pieces give")
    print(f"{FROZEN.name}: as frozen")
