"""What must come out the same everywhere: each case turns something into bytes and back.

`codec_case` is all that a plugin needs to add its codec: an instance and arrays.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import xxhash
from codecs_ar import pipeline
from codecs_ar.codec import ImageCodec
from codecs_ar.stack.testing import fitted_model
from codecs_ar.stack.testing import random_model as random_stack
from codecs_ar.testing import random_model as random_autoregression
from codecs_bbans.testing import EveryNameCodec, random_hierarchy, random_model
from codecs_idf.testing import random_model as random_flow
from codecs_inr.testing import DrawnCodec, DrawnCoin, DrawnSound
from codecs_inr.testing import random_model as random_field
from codecs_lbb import black_box
from codecs_lbb.grid import Grid
from codecs_lbb.testing import Couplings
from codecs_lbb.testing import random_model as random_layers
from codecs_rec import samplers
from codecs_rec.families import Gaussian, Laplace, Triangular
from codecs_rec.families import Uniform as Interval
from codecs_rec.testing import random_lossy, random_photograph, random_picture
from codecs_rec.testing import random_model as random_latents
from codecs_rec.weights import codec as weights_codec
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.api.parallel import aside
from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.entropy import Message, StackCodec
from codecs_core.entropy import distributions as families
from codecs_core.entropy.distributions import (
    AdaptiveCategorical,
    Bernoulli,
    BetaBinomial,
    Bits,
    BucketedGaussian,
    Categorical,
    CategoricalMixture,
    ChannelMixture,
    DiscretizedGaussian,
    DiscretizedLaplace,
    DiscretizedLogistic,
    EliasDelta,
    EliasGamma,
    Escape,
    FineGaussian,
    LogisticMixture,
    Octaves,
    Uniform,
    Zipf,
)
from codecs_core.entropy.distributions.bucketed_gaussian import SCALE_RANGE
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.rans import WIDE
from codecs_core.testing import unstored


@dataclass(frozen=True, kw_only=True)
class Case:
    """`encode` makes the bytes, `decode` says what it finds in them."""

    encode: Callable[[], bytes]
    decode: Callable[[bytes], str]


def raw(seed: int, high: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Integers from 0 to `high` - 1 from raw bits, which every numpy draws alike."""
    bits = np.asarray(np.random.Philox(seed).random_raw(int(np.prod(shape)))) >> np.uint64(32)
    return (bits.astype(np.int64) * high >> 32).reshape(shape)


def digest(*arrays: NDArray[Any]) -> str:
    """Of the values, the dtypes and the shapes."""
    state = xxhash.xxh3_128()
    for array in arrays:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        state.update(f"{array.dtype.name}{array.shape}".encode())
        state.update(little.tobytes())
    return state.hexdigest()


def codec_case(codec: Codec, *arrays: NDArray[Any]) -> Case:
    """The payloads of a codec, none of them stored."""
    codec = unstored(codec)

    def encode() -> bytes:
        payloads = [codec.encode(array) for array in arrays]
        return b"".join(len(p).to_bytes(8, "little") + p for p in payloads)

    def decode(data: bytes) -> str:
        stream, decoded = io.BytesIO(data), []
        for array in arrays:
            payload = stream.read(int.from_bytes(stream.read(8), "little"))
            decoded.append(codec.decode(payload, ArraySpec.of(array)))
        return digest(*decoded)

    return Case(encode=encode, decode=decode)


def distribution_case(make: Callable[[], StackCodec], sample: NDArray[Any] | None) -> Case:
    """A message of symbols pushed twice, by default what the distribution draws from the seeds."""

    def encode() -> bytes:
        distribution, message = make(), Message()
        symbols = distribution.pop(Message()) if sample is None else sample
        for _ in range(2):
            distribution.push(message, symbols)
        return message.to_bytes()

    def decode(data: bytes) -> str:
        distribution, message = make(), Message.from_bytes(data)
        found = [distribution.pop(message) for _ in range(2)]
        message.verify_end()
        return digest(*found)

    return Case(encode=encode, decode=decode)


def sampler_case(sampler: samplers.Sampler, target: Any, proposal: Any) -> Case:
    """The indices of a sampler as bytes, and the samples they stand for."""

    def encode() -> bytes:
        return sampler.encode(target, proposal, 5).astype("<i8").tobytes()

    def decode(data: bytes) -> str:
        return digest(sampler.decode(np.frombuffer(data, "<i8").astype(np.int64), proposal, 5))

    return Case(encode=encode, decode=decode)


def black_box_case(flow: Couplings, x: NDArray[Any]) -> Case:
    """A message of what a black box leaves, and z."""
    grid = Grid(24, 12)

    def encode() -> bytes:
        message = Message()
        z = black_box.push(message, grid, x, flow)
        return z.astype("<i8").tobytes() + message.to_bytes()

    def decode(data: bytes) -> str:
        z = np.frombuffer(data, "<i8", x.size).astype(np.int64).reshape(x.shape)
        message = Message.from_bytes(data[8 * x.size :])
        found = black_box.pop(message, grid, z, flow)
        message.verify_end()
        return digest(found)

    return Case(encode=encode, decode=decode)


def file_case(**arguments: Any) -> Case:
    """A whole file, by the API."""

    def encode() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case"
            cc.save(path, **arguments)
            return path.read_bytes()

    def decode(data: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case"
            path.write_bytes(data)
            loaded = cc.load(path)
            arrays = loaded if isinstance(loaded, dict) else {"": loaded}
            return digest(*(np.asarray(arrays[name]) for name in sorted(arrays)))

    return Case(encode=encode, decode=decode)


def makers(n: int) -> dict[str, Callable[[], StackCodec]]:
    """Every distribution over arrays of `n`, with parameters from one end of their range to the other."""
    weights = raw(1, 1 << 20, (5, 40)) ** 3 / 2.0**40 + 1e-6
    mean, scale = raw(12, 300 << 8, (n,)) - (20 << 8), raw(13, 500, (n,)) - 100
    means_and_scales = raw(14, 600, (n, 3)) - 300, raw(15, 256 << 8, (n, 3)), raw(16, 400, (n, 3)) - 50
    return {
        "uniform": lambda: Uniform(1000, n),
        "uniform-power": lambda: Uniform(256, n),
        "bernoulli": lambda: Bernoulli(raw(2, (1 << 18) - 1, (n,)) + 1),
        "log-odds": lambda: Bernoulli.from_log_odds(raw(2, 4096, (n,)) - 2048, precision=22),
        "categorical": lambda: Categorical(quantise(weights[0], 20), shape=n),
        "categorical-indexed": lambda: Categorical(quantise(weights, 20), index=raw(4, 5, (n,))),
        "beta-binomial": lambda: BetaBinomial(255, 1 << raw(5, 36, (n,)), 1 << raw(6, 36, (n,)), precision=24),
        "gaussian": lambda: BucketedGaussian(
            raw(7, 1 << 17, (n,)) - (1 << 16), raw(8, SCALE_RANGE[1] - SCALE_RANGE[0], (n,)) + SCALE_RANGE[0]
        ),
        "gaussian-fine": lambda: BucketedGaussian(
            raw(7, 1 << 14, (n,)) - (1 << 13), raw(8, 300, (n,)) - 300, bucket_bits=12, precision=28
        ),
        "mixture": lambda: CategoricalMixture(raw(3, 4000, (n, 4)) - 2000, quantise(weights[:4], 18)),
        "logistic": lambda: DiscretizedLogistic(mean, scale),
        "normal": lambda: DiscretizedGaussian(mean, scale, symbols=1000, precision=28),
        "laplace": lambda: DiscretizedLaplace(mean, scale, precision=20),
        "fine": lambda: FineGaussian(mean << 20, raw(13, 40 << 6, (n,))),
        "logistic-mixture": lambda: LogisticMixture(*means_and_scales),
        "channels": lambda: ChannelMixture(
            means_and_scales[0],
            *(np.repeat(a[:, None], 3, 1) for a in means_and_scales[1:]),
            raw(17, 200, (n, 3, 3)) - 100,
        ),
        "bits": lambda: Bits(raw(18, 63, (n,))),
        "adaptive": lambda: AdaptiveCategorical(raw(22, 64, (n,)), symbols=256),
        "octaves": lambda: Octaves(Categorical(quantise(weights[0], 20), shape=n), shape=(n,)),
        "gamma": lambda: EliasGamma(n),
        "delta": lambda: EliasDelta(n),
        "zipf": lambda: Zipf(90, n),
        "escape": lambda: Escape(Uniform(40, n)),
    }


#: Where a sample of the distribution itself would leave something out.
SAMPLES: dict[str, Callable[[int], NDArray[np.int64]]] = {
    "escape": lambda n: raw(19, 45, (n,)) - 2,
    "delta": lambda n: (np.int64(1) << raw(20, 61, (n,))) + raw(21, 2, (n,)),
}


def distributions(sizes: tuple[int, ...]) -> Iterator[tuple[str, Case]]:
    """A message by each of them."""
    for n in sizes:
        for name, make in makers(n).items():
            yield f"{name}-{n}", distribution_case(make, SAMPLES[name](n) if name in SAMPLES else None)


def stacks(items: int, shape: tuple[int, ...]) -> Iterator[tuple[str, Case]]:
    """``bbans.vae`` with models of random weights."""
    for likelihood in ("bernoulli", "mixture"):
        model = random_model(likelihood, shape, hidden=24)
        codec = cc.get_codec("bbans.vae", model=model)
        high = 2 if likelihood == "bernoulli" else 256
        x = raw(9, high, (items, *shape)).astype(np.uint8)
        arrays = [x, x[:1], x[:0]]
        if high == 2:
            arrays.append(x[: items // 2].astype(bool))
        yield f"bbans-{likelihood}", codec_case(codec, *arrays)
        small = cc.get_codec("bbans.vae", model=model, effort="smallest")
        yield f"bbans-{likelihood}-smallest", codec_case(small, *arrays)


def images(size: int) -> Iterator[tuple[str, Case]]:
    """``idf.image`` with models of random weights: stacks, and images of odd sizes."""
    for channels, width in (1, 6), (3, 40), (4, 8):
        codec = cc.get_codec("idf.image", model=random_flow(channels, width=width))
        x = raw(22, 256, (5, size, size, channels)).astype(np.uint8)
        yield f"idf-{channels}", codec_case(codec, x, x[0, 1:], x[:1, :, 1:], x[0, :1, :1])


def hierarchies(size: int) -> Iterator[tuple[str, Case]]:
    """``bbans.hvae`` and ``bbans.hvae-lossy`` with models of random weights: stacks, and images of odd sizes, down to one pixel."""
    for channels, width in (1, 6), (3, 40), (4, 8):
        model = random_hierarchy(channels, latents=(3, 2, 1), width=width, features=width // 2)
        x = raw(45, 256, (5, size, size, channels)).astype(np.uint8)
        yield f"hierarchy-{channels}", codec_case(cc.get_codec("bbans.hvae", model=model), x, x[0, 1:], x[0, :1, :1])
        small = cc.get_codec("bbans.hvae", model=model, effort="smallest")
        even = np.tile(x[:2] // 16 + 100, (1, *[-(-16 // size)] * 2, 1))  # of as many pixels as are corrected
        yield f"hierarchy-smallest-{channels}", codec_case(small, even, even[0], x[0, :1, :1])
        named = EveryNameCodec(model=model)
        yield f"hierarchy-named-{channels}", codec_case(named, x, x[0, 1:], x[0, :5], x[0, :1, :1])
        coarse = cc.get_codec("bbans.hvae-lossy", model=model, levels=2)
        yield f"hierarchy-lossy-{channels}", codec_case(coarse, x, x[0, 1:], x[0, :1, :1])


def flows(size: int, d: int) -> Iterator[tuple[str, Case]]:
    """``lbb.flow`` with models of random weights, all kinds of layers among them; and a smooth flow as a black box."""
    for channels in 1, 3:
        codec = cc.get_codec("lbb.flow", model=random_layers(channels))
        x = raw(27, 256, (9, size, 2 * size, channels)).astype(np.uint8)
        yield f"lbb-{channels}", codec_case(codec, x, x[:1, :, :size], x[:0])
    yield "lbb-black-box", black_box_case(Couplings.random(0, d), raw(28, 8 << 24, (3, d)) - (4 << 24))


@dataclass(frozen=True, kw_only=True)
class Apart(ImageCodec):
    """``ar.image`` whose planes have messages of their own however few values there are."""

    LEAST_APART = 1


def apart_case(codec: Codec, x: NDArray[Any]) -> Case:
    """Planes at the same time, by one thread, by two, and by more than there are planes: all must say the same."""
    case = codec_case(codec, x)

    def agreed(function: Callable[[], Any]) -> Any:
        with mock.patch.object(pipeline, "SLAB", 16):
            (found,) = {aside(function, jobs=jobs) for jobs in (1, 2, 5)}
        return found

    return Case(encode=lambda: agreed(case.encode), decode=lambda data: agreed(partial(case.decode, data)))


def neighbourhoods(size: int) -> Iterator[tuple[str, Case]]:
    """``ar.image`` with models of random weights: stacks, images of odd sizes, alpha, 16 bits."""
    smooth = (np.add.outer(np.arange(size) * 5, np.arange(size) * 3)[:, :, None] + raw(29, 9, (2, size, size, 4))) % 256
    x = smooth.astype(np.uint8)
    colour = cc.get_codec("ar.image", model=random_autoregression(3, width=12))
    yield "ar-3", codec_case(colour, x[..., :3], x, x[0, 1:, :, :3], x[0, :1, :1])
    grey = cc.get_codec("ar.image", model=random_autoregression(1, width=12))
    fast = cc.get_codec("ar.image", model=random_autoregression(3, width=12), effort="fast")
    wide = x.astype(np.int32) * 1000 - 90_000
    smallest = cc.get_codec("ar.image", model=random_autoregression(3, width=12), effort="smallest")
    yield "ar-smallest", codec_case(smallest, x[..., :3], wide[0], x[0, 1:, :, :3] // 50 * 50, x[0, :1, :1])
    second = cc.get_codec("ar.image", model=random_autoregression(3, width=20, second=True), effort="smallest")
    yield "ar-second", codec_case(second, x[..., :3], wide[0], x[0, :1, :1])
    yield "ar-fast", codec_case(fast, x[..., :3], wide, x[0, 1:, :, 0] // 50 * 50, np.tile(wide, (1, 1, 3, 1)))
    yield "ar-apart", apart_case(Apart(model=random_autoregression(3, width=12)), x[0, ..., :3])
    yield "ar-apart-smallest", apart_case(Apart(model=random_autoregression(3, width=12), effort="smallest"), x)
    second = Apart(model=random_autoregression(3, second=True), effort="smallest")
    yield "ar-apart-second", apart_case(second, x[..., :3])
    yield "ar-1", codec_case(grey, x[..., 0], x[0, :, 1:, 0].astype(np.uint16) * 257, x[0, :1, :1, :1])


def small_images(items: int, size: int) -> Iterator[tuple[str, Case]]:
    """``ar.stack`` with models of random weights: of one, three and all images, which must be the same in each."""
    kinds = {
        "1": ((size, size + 1, 1), {}),
        "3": ((size, size, 3), {"referred": True}),
        "binary": ((size, size, 1), {"symbols": 2}),
    }
    for name, (shape, more) in kinds.items():
        codec = cc.get_codec("ar.stack", model=random_stack(shape, width=20, **more))
        x = raw(43, 2 if name == "binary" else 256, (items, *shape)).astype(np.uint8)
        x[: items // 2, : size // 2] = 0
        yield f"stack-{name}", codec_case(codec, x, x[:1], x[:3], x[:0])
    fitted = cc.get_codec("ar.stack", model=fitted_model((size, size + 1, 3), width=20))
    slopes = (raw(44, 9, (items, size, size + 1, 3)) + 5 * np.arange(size)[:, None, None] + 90).astype(np.uint8)
    yield "stack-fitted", codec_case(fitted, slopes, slopes[:1], slopes[:3], slopes[:0])


def arrays(size: int, bounds: tuple[float, ...] = (0.0, 0.01, 1e-43)) -> Iterator[tuple[str, Case]]:
    """``ar.array`` at both levels, and ``ar.bounded``: planes, slices, series, floats, some of them subnormal or no numbers."""
    plane = (np.add.outer(np.arange(size) ** 2, np.arange(2 * size) * 7) + raw(40, 9, (size, 2 * size))).astype(
        np.int16
    )
    field = plane.astype(np.float32) / 16 + raw(41, 64, plane.shape).astype(np.float32) / 4096
    field[2:5, 3:9] = 1e20
    field.view(np.uint32)[6, :6] = [
        0x7FC00000,
        0x7F800000,
        0x80000000,
        714,
        0x80000001,
        0x007FFFFF,
    ]  # not made by arithmetic
    series = np.cumsum(raw(42, 9, (8 * size, 2)) - 4, axis=0)
    stack = np.stack([field.astype(np.float64) * k for k in (1, 2, 3)])
    stack.view(np.uint64)[:, 6, 2:6] = [1 << 63, 714, (1 << 63) + 1, (1 << 52) - 1]
    for effort in "standard", "fast":
        codec = cc.get_codec("ar.array", effort=effort)
        yield f"array-{effort}", codec_case(codec, plane, field, series, stack, series / 100, plane.astype(np.float16))
    for bound in bounds:
        yield f"array-bounded-{bound}", codec_case(cc.get_codec("ar.bounded", max_error=bound), field, stack)


def latents(items: int, shape: tuple[int, ...]) -> Iterator[tuple[str, Case]]:
    """``rec.vae``, ``rec.vae-lossless`` and ``rec.vae-latents`` with models of random weights."""
    for likelihood in ("bernoulli", "mixture", "colour", "lossy"):
        lossy = likelihood == "lossy"
        model = random_lossy(shape, detail=True) if lossy else random_latents(likelihood, shape, hidden=24)
        codec = cc.get_codec(model.codec, model=model, **({"detail": 70} if lossy else {}))
        x = raw(23, 2 if likelihood == "bernoulli" else 256, (items, *shape)).astype(np.uint8)
        yield f"rec-{likelihood}", codec_case(codec, x, x[:1], x[:0])
        if likelihood == "lossy":
            pictures = cc.get_codec("rec.vae", model=random_picture())
            image = raw(29, 256, (33, 60, 3)).astype(np.uint8)
            yield "rec-picture", codec_case(pictures, image, image[:1, :1], image[:0])
            for search in (True, False):
                photographs = cc.get_codec("rec.vae", model=random_photograph(), search=search)
                yield f"rec-photograph-{search}", codec_case(photographs, image, image[:1, :1], image[:0])
        else:
            coarse = cc.get_codec("rec.vae-latents", model=model, levels=1)
            yield f"rec-latents-{likelihood}", codec_case(coarse, x, x[:1], x[:0])


def fields(size: int) -> Iterator[tuple[str, Case]]:
    """``inr.coin``, and the others with models of random weights: images and sound of odd sizes, more places than are evaluated at once."""
    kinds = {"1": ((5, 4, 1), False), "3": ((5, 4, 3), False), "linear": ((5, 4, 3), True)}
    for name, (shape, linear) in kinds.items():
        codec = DrawnCodec(model=random_field(shape, linear=linear))
        x = raw(44, 256, (3, size, size + 1, shape[2])).astype(np.uint8)
        yield f"inr-{name}", codec_case(codec, x, x[0, 1:], x[:1, :6, :5], x[:0])
    grid = random_field((8, 4, 3), latents=(5, 4, 3), linear=True, groups=20, index_bits=2, window=12)
    yield "inr-latents", codec_case(DrawnCodec(model=grid), x, x[0, 1:], x[:1, :6, :5], x[:0])
    family = random_field((5, 4, 3), shared=(2, 3), linear=True)
    yield "inr-shared", codec_case(DrawnCodec(model=family), x, x[0, 1:], x[:1, :6, :5], x[:0])
    yield "inr-coin", codec_case(DrawnCoin(), x[:2], x[0, :, :, 0])
    y = (raw(45, 1 << 16, (size * size, 2)) - (1 << 15)).astype(np.int16)
    yield "inr-sound", codec_case(DrawnSound(model=random_field((50, 1), linear=True)), y, y[:77, 0], y[:60, :1], y[:0])


def weights(n: int, candidates: int) -> Iterator[tuple[str, Case]]:
    """``rec.weights``: samples around values, by a search of this many candidates, which only the encoder knows of."""
    weights_codec.CANDIDATES = candidates
    yield (
        "rec-weights",
        codec_case(cc.get_codec("rec.weights", deviation=0.25), (raw(28, 2000, (n,)) / 1000 - 1).astype(np.float32)),
    )


def samples(n: int) -> Iterator[tuple[str, Case]]:
    """Indices and samples of relative entropy coding."""
    pairs = {
        "gaussian": (Gaussian(raw(24, 4000, (n,)) / 1000 - 2, 0.1), Gaussian(0.25, 1.5)),
        "laplace": (Laplace(raw(24, 4000, (n,)) / 1000 - 2, 0.1), Laplace(0.25, 1.5)),
        "uniform": (Interval(raw(24, 900, (n,)) / 1000, 0.05), Interval()),
        "triangular": (Triangular(raw(24, 900, (n,)) / 1000 - 0.45, 0.25), Triangular()),
    }
    trees = [cls(split) for cls in (samplers.BranchAndBound, samplers.AStar) for split in ("dyadic", "sample")]
    for name, (target, proposal) in pairs.items():
        scans = [samplers.Rejection(), samplers.GreedyRejection()]
        for i, sampler in enumerate([samplers.GreedyPoisson(), *trees, *scans]):
            yield f"sampler-{name}-{i}", sampler_case(sampler, target, proposal)
    block, prior = Gaussian(raw(25, 2000, (n, 9)) / 1000 - 1, 0.5), Gaussian(np.zeros(9))
    for sampler in (samplers.PoissonFunctional(200), samplers.OrderedRandom(200), samplers.MinimalRandom(200)):
        yield f"sampler-{type(sampler).__name__}", sampler_case(sampler, block, prior)
    yield "sampler-partitioned", sampler_case(samplers.Partitioned([1, 0, 2, 1, 3, 0, 1, 1, 2], 200), block, prior)
    eight = Gaussian(raw(27, 10_000, (8,)) / 1000, 0.3)
    yield "sampler-lattice", sampler_case(samplers.LatticeDithered(0.3), eight, Gaussian(np.zeros(8)))
    leech = Gaussian(raw(28, 10_000, (24,)) / 1000, 0.3)
    yield "sampler-leech", sampler_case(samplers.LeechDithered(0.3), leech, Gaussian(np.zeros(24)))
    y = raw(26, 10_000, (n,)) / 1000
    yield "sampler-dithered", sampler_case(samplers.Dithered(0.3), Interval(y, 0.3), Gaussian())
    yield "sampler-scaled", sampler_case(samplers.ScaledDithered(0.3), Gaussian(y, 0.3), Gaussian())


def files(items: int) -> Iterator[tuple[str, Case]]:
    """Whole files, coded by two threads."""
    model = random_model("mixture", (5, 5), hidden=24)
    x = raw(10, 256, (items, 5, 5)).astype(np.uint8)
    yield (
        "file-bbans",
        file_case(data=x, codec="bbans.vae", model=model, chunk=-(-items // 3), embed_model=True, jobs=2),
    )
    mixed = {"a": x, "b": raw(11, 1 << 40, (7, 9)) / 2.0**20}
    yield "file-raw", file_case(data=mixed, codec="classic.raw", jobs=2)


def all_cases(size: str) -> dict[str, Case]:
    """By name; ``"tiny"`` ones can be run without compiling anything, and ``"none"`` there are none of."""
    if size == "none":
        return {}
    if size == "tiny":
        return dict(
            [
                *distributions((20,)),
                *stacks(3, (2, 2)),
                *images(4),
                *hierarchies(4),
                *neighbourhoods(4),
                *small_images(4, 4),
                *arrays(7, (0.01, 1e-43)),
                *flows(4, 6),
                *latents(2, (2, 1, 3)),
                *fields(6),
                *samples(3),
                *weights(9, 1 << 10),
                *files(6),
            ]
        )
    # batches of 128 items of 144 pixels are coded by all lanes
    return dict(
        [
            *distributions((300, WIDE + 100)),
            *stacks(700, (12, 12)),
            *images(36),
            *hierarchies(36),
            *neighbourhoods(36),
            *small_images(64, 12),
            *arrays(24),
            *flows(32, 40),
            *latents(60, (6, 5, 3)),
            *fields(130),
            *samples(500),
            *weights(200, 1 << 18),
            *files(300),
        ]
    )


def not_covered() -> list[str]:
    """Names of the distributions that no case uses."""
    used = {type(make()).__name__ for make in makers(2).values()}
    return sorted(set(families.__all__) - used)
