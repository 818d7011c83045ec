"""The codecs of ``spec/codecs/classic.md``."""

import bz2
import io
import lzma
import math
import zlib

import numpy as np
from refused import library, require


def decode(name, config, payload, shape, dtype):
    if name in ("png", "webp", "jxl"):
        return decode_images(name, config, payload, shape, dtype)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = DECODERS[name](payload, size) if size else payload
    require(len(data) == size, "corrupt", f"{len(data)} bytes of {size}")
    require(dtype != "bool" or not data.strip(b"\0\1"), "corrupt", "a boolean that is neither 0 nor 1")
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))


def expand(stream, payload, size):
    data = stream.decompress(payload, size + 1)
    require(stream.eof and not stream.unused_data, "corrupt", "a stream that ends early or late")
    return data


def expand_zstd(payload, size):
    zstd = library("zstandard")
    require(zstd.frame_content_size(payload) == size, "corrupt", "another content size")
    return zstd.ZstdDecompressor().decompress(payload, allow_extra_data=False)


def expand_jpeg(payload, size):
    jxl = library("imagecodecs")
    if payload[:1] != b"\1":
        require(payload[:1] == b"\0", "corrupt", "a flag that there is not")
        return payload[1:]
    payload, at = payload[1:], 12
    while payload[at + 4 : at + 8] not in (b"jxlc", b"jxlp"):
        length = int.from_bytes(payload[at : at + 4], "big")
        require(length >= 8 and at + length < len(payload), "corrupt", "no codestream")
        at += length
    at += 8 + 4 * (payload[at + 4 : at + 8] == b"jxlp")
    require(payload[at : at + 2] == b"\xff\x0a", "corrupt", "no codestream")
    bits = [byte >> k & 1 for byte in payload[at + 2 : at + 14] for k in range(8)]
    take = lambda n: sum(bits.pop(0) << k for k in range(n))  # noqa: E731
    small = take(1)
    side = lambda: 8 * take(5) + 8 if small else 1 + take((9, 13, 18, 30)[take(2)])  # noqa: E731
    height, ratio = side(), take(3)
    across, down = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio]
    width = height * across // down if ratio else side()
    require(height * width <= 64 * size + (1 << 20), "corrupt", "more pixels than the file can have")
    return bytes(jxl.jpegxl_decode_jpeg(payload, out=size))


def pillow(payload, shape, channels):
    image = library("PIL.Image").open(io.BytesIO(payload))
    require(image.size == shape[1::-1], "corrupt", "an image of another size")
    grey = channels == 1 and image.format == "WEBP"
    modes = {1: ("RGB",) if grey else ("L", "I;16", "I;16B"), 3: ("RGB",), 4: ("RGB", "RGBA")}
    require(image.mode in modes[channels], "corrupt", "an image of another kind")
    pixels = np.asarray(image.convert("RGBA") if channels == 4 else image)
    require(not grey or (pixels == pixels[:, :, :1]).all(), "corrupt", "colours where grey is due")
    return pixels[:, :, 0] if grey else pixels


DECODERS = {
    "raw": lambda payload, size: payload,
    "zlib": lambda payload, size: expand(zlib.decompressobj(), payload, size),
    "bz2": lambda payload, size: expand(bz2.BZ2Decompressor(), payload, size),
    "lzma": lambda payload, size: expand(lzma.LZMADecompressor(lzma.FORMAT_XZ, 68 << 20), payload, size),
    "zstd": expand_zstd,
    "png": pillow,
    "webp": pillow,
    "jpeg": expand_jpeg,
    "jxl": lambda payload, shape, channels: library("imagecodecs").jpegxl_decode(payload),
}


def decode_images(name, config, payload, shape, dtype):
    one = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    n, h, w, c = ((1, *shape, 1) if one else (*shape, 1))[:4]
    stack, at = [np.empty((0, h, w, c), dtype)], 0
    down, across = (max(1, 8192 // max(1, side)) for side in (h, w))
    n, sprite = n if math.prod(shape) else 0, config.get("layout", "sprite") == "sprite"
    while n:
        count = min(n, down * across) if sprite else 1
        columns = max(min(across, max(1, math.isqrt(count * h // w)), count), -(-count // down))
        rows = -(-count // columns)
        columns, n = -(-count // rows), n - count
        size = len(payload) - at
        if n or name == "jxl":
            size = k = 0
            while k == 0 or payload[at - 1] & 128:
                require(k < 5 and at < len(payload), "corrupt", "a length that does not end")
                size, at, k = size | (payload[at] & 127) << 7 * k, at + 1, k + 1
            require(k == 1 or payload[at - 1], "corrupt", "a length longer than it needs to be")
        require(at + size <= len(payload), "corrupt", "a stream that ends behind its payload")
        image = np.asarray(DECODERS[name](payload[at : at + size], (rows * h, columns * w), c))
        require(image.dtype == dtype, "corrupt", "an image of another depth")
        stack.append(image.reshape(rows, h, columns, w, c).swapaxes(1, 2).reshape(-1, h, w, c)[:count])
        at += size
    require(at == len(payload), "corrupt", "bytes are left over")
    return np.concatenate(stack)
