"""The codecs of ``spec/codecs/classic.md``."""

import bz2
import io
import lzma
import math
import zlib

import numpy as np
from refused import library, require


def decode(name, version, config, payload, shape, dtype):
    if name in ("png", "webp", "jxl"):
        return decode_images(name, version, config, payload, shape, dtype)
    if name == "filtered":
        return decode_filtered(config, payload, shape, dtype)
    if name == "pcodec":
        return decode_pcodec(payload, shape, dtype)
    size = math.prod(shape) * dtype.itemsize
    data = DECODERS[name](payload, size) if size else payload
    require(len(data) == size, "corrupt", f"{len(data)} bytes of {size}")
    require(dtype.kind != "b" or not data.strip(b"\0\1"), "corrupt", "a boolean that is neither 0 nor 1")
    return np.frombuffer(data, dtype)


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
    require(not grey or (pixels == pixels[:, :, :1]).all(), "corrupt", "colours in a grey image")
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


def decode_images(name, version, config, payload, shape, dtype):
    colour = len(shape) > 2 and shape[-1] in (1, 3, 4)
    *n, h, w, c = shape if colour else (*shape, 1)
    n, word = math.prod(n), np.dtype(f"u{dtype.itemsize}")
    stack, at = [np.empty((0, h, w, c), word)], 0
    if version == 1 or name == "webp":
        fits = len(shape) in (2, 3) or (len(shape) == 4 and colour)
        require(fits and dtype.kind == "u", "corrupt", "no image of version 1")
    down, across = (max(1, 8192 // max(1, side)) for side in (h, w))
    n, sprite = n if math.prod(shape) else 0, config.get("layout", "sprite") == "sprite"
    while n:
        count = min(n, down * across) if sprite else 1
        columns = max(min(across, max(1, math.isqrt(count * h // w)), count), -(-count // down))
        rows = -(-count // columns)
        columns, n = -(-count // rows), n - count
        size = len(payload) - at
        if n or name == "jxl":
            size, at = length(payload, at)
        image = np.asarray(DECODERS[name](payload[at : at + size], (rows * h, columns * w), c))
        require(image.dtype.newbyteorder("=") == word, "corrupt", "an image of another depth")
        stack.append(image.astype(word).reshape(rows, h, columns, w, c).swapaxes(1, 2).reshape(-1, h, w, c)[:count])
        at += size
    require(at == len(payload), "corrupt", "bytes are left over")
    return in_order(np.concatenate(stack), dtype)


def in_order(words, dtype):
    """Values from unsigned integers of the same order."""
    top = words.dtype.type(1 << (8 * words.itemsize - 1))
    require(dtype.kind != "b" or (words <= 1).all(), "corrupt", "a boolean that is neither 0 nor 1")
    if dtype.kind == "i":
        words = words ^ top
    elif dtype.kind == "f":
        words = np.where(words & top, words ^ top, ~words)
    return words.astype(words.dtype.newbyteorder("<")).view(dtype)  # as `dtype` is


def length(payload, at):
    """A length in LEB128, and where it ends."""
    size = k = 0
    while k == 0 or payload[at - 1] & 128:
        require(k < 5 and at < len(payload), "corrupt", "a length that does not end")
        size, at, k = size | (payload[at] & 127) << 7 * k, at + 1, k + 1
    require(k == 1 or payload[at - 1], "corrupt", "a length longer than it needs to be")
    require(at + size <= len(payload), "corrupt", "a stream that ends behind its payload")
    return size, at


def decode_filtered(config, payload, shape, dtype):
    if not math.prod(shape):
        require(not payload, "corrupt", "bytes of an empty array")
        return np.empty(shape, dtype)
    require(len(payload) >= 2 and payload[1] <= 2, "corrupt", "no filters")
    word = np.dtype(f"<u{dtype.itemsize // (2 if dtype.kind == 'c' else 1)}")
    axes = (*shape, 2) if dtype.kind == "c" else shape or (1,)
    require(payload[0] == 255 or payload[0] < len(axes), "corrupt", "no such axis")
    count, bits = math.prod(axes), 8 * word.itemsize
    size = bits * -(-count // 8) if payload[1] == 2 else count * word.itemsize
    method = {"xz": "lzma", "zstd": "zstd"}[config.get("method", "xz")]
    data = np.frombuffer(DECODERS[method](payload[2:], size), np.uint8)
    require(len(data) == size, "corrupt", f"{len(data)} bytes of {size}")
    if payload[1] == 0:
        words = data.view(word)
    elif payload[1] == 1:
        words = data.reshape(word.itemsize, count).T.copy().view(word)[:, 0]
    else:
        planes = [np.unpackbits(plane, count=count, bitorder="little") for plane in data.reshape(bits, -1)]
        words = sum(plane.astype(word) << word.type(k) for k, plane in enumerate(planes))
    words = words.reshape(axes)
    if payload[0] != 255:
        words = np.cumsum(words, axis=payload[0], dtype=word)
    require(dtype.kind != "b" or (words <= 1).all(), "corrupt", "a boolean that is neither 0 nor 1")
    return words.astype(word).view(dtype).reshape(shape)


def decode_pcodec(payload, shape, dtype):
    if not math.prod(shape):
        require(not payload, "corrupt", "bytes of an empty array")
        return np.empty(shape, dtype)
    complex_ = dtype.kind == "c"
    real = np.dtype(f"f{dtype.itemsize // 2}") if complex_ else dtype.newbyteorder("=")
    axes = (*shape, 2) if complex_ else shape or (1,)
    columns = len(axes) > 1 and 1 < axes[-1] <= 64
    require(payload and (payload[0] == 0 or (payload[0] == 1 and columns)), "corrupt", "no layout")
    streams, at = axes[-1] if payload[0] else 1, 1
    parts = []
    for _ in range(streams):
        size, at = length(payload, at)
        parts.append(np.empty(math.prod(axes) // streams, real))
        progress = library("pcodec").standalone.simple_decompress_into(payload[at : at + size], parts[-1])
        require(progress.finished and progress.n_processed == parts[-1].size, "corrupt", "another number of values")
        at += size
    require(at == len(payload), "corrupt", "bytes are left over")
    values = np.stack(parts, axis=-1).reshape(axes)
    return (values.view(f"c{dtype.itemsize}") if complex_ else values).reshape(shape)


NAMES = {*DECODERS, "filtered", "pcodec"}
