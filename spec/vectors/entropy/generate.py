"""Write the vectors of the entropy coder: ``python spec/vectors/entropy/generate.py``.

`build` makes codecs of the engine from their description in JSON; ``spec/entropy.md`` says how to read it. What stands in the
committed files is final once the format is frozen: a difference is a change of the bitstream.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from codecs_core import entropy as e
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.message import seed_words
from codecs_core.errors import CodecsError

HERE = Path(__file__).parent
#: Where a combinator has the codec that says what shape its symbols have.
PARTS = ("base", "distribution", "prior", "coarse", "exponent", "codec")
Json = dict[str, Any]


# --- descriptions to codecs ----------------------------------------------------------------------


def values(v: Any, names: Json) -> Any:
    """An array of numbers, or one number, from its description."""
    if not isinstance(v, dict):
        return np.asarray(v)
    if "of" in v:
        return names[v["of"]]
    if "table" in v:
        return np.asarray(v["table"])[np.asarray(values(v["at"], names))]
    return v["add"] + seed_words(v["w"], v["w"] + v["count"]).astype(np.int64) % v["modulo"]


def shape_of(c: Json, names: Json) -> tuple[int, ...]:
    return tuple(int(values(axis, names)) for axis in c["shape"])


def build(c: Json, names: Json | None = None) -> e.StackCodec[Any]:
    """The codec of its description."""
    names = names or {}
    kind = c["type"]
    if kind == "Serial":
        return e.Serial(*(build(d, names) for d in c["codecs"]))
    if kind == "Conditional":
        return e.Conditional(build(c["first"], names), lambda a: build(c["second"], names | {"a": a}))
    if kind == "Autoregressive":
        return e.Autoregressive(lambda: dependent(c, names))
    if kind == "Binned":
        return e.Binned(build(c["coarse"], names), values(c["low_bits"], names))
    if kind == "Octaves":
        return e.Octaves(build(c["exponent"], names), shape=shape_of(c["exponent"], names))
    if kind == "BitsBack":
        return e.BitsBack(
            build(c["prior"], names),
            lambda z: build(c["likelihood"], names | {"z": z}),
            lambda x: build(c["posterior"], names | {"x": x}),
        )
    if kind == "ImportanceWeighted":
        return e.ImportanceWeighted(build(c["codec"], names), c["particles"])  # type: ignore[arg-type]
    if kind == "Annealed":
        kernels = lambda x: [kernel(k, names | {"x": x}) for k in c["kernels"]]  # noqa: E731
        return e.Annealed(build(c["codec"], names), kernels, c["fresh"])  # type: ignore[arg-type]
    if kind == "Chain":
        return e.Chain(lambda n: build(c["codec"], names | {"n": n}), c["items"], c["batch"], c.get("part", 4))
    if kind == "Bijection":
        multiply, add, modulo = c["multiply"], c["add"], c["modulo"]
        inverse = pow(multiply, -1, modulo)
        return e.Bijection(
            lambda x: (x * multiply + add) % modulo, lambda z: (z - add) * inverse % modulo, build(c["base"], names)
        )
    if kind == "Escape":
        return e.Escape(build(c["distribution"], names))  # type: ignore[arg-type]

    shape = shape_of(c, names)

    def array(name: str, *axes: int, default: Any = None) -> Any:
        v = values(c.get(name, default), names)
        return np.broadcast_to(v, shape) if v.ndim == 0 and not axes else v.astype(np.int64).reshape((*shape, *axes))

    p = c.get("precision")
    n = c.get("symbols")
    if kind == "Uniform":
        return e.Uniform(n, shape)
    if kind == "Bernoulli":
        if "ones" in c:
            return e.Bernoulli(array("ones"), precision=p)
        return e.Bernoulli.from_log_odds(array("log_odds"), precision=p)
    if kind == "Categorical":
        if "index" not in c:
            return e.Categorical(c["counts"][0], shape=shape)
        return e.Categorical(c["counts"], index=array("index"))
    if kind == "AdaptiveCategorical":
        some = {key: c[key] for key in ("tables", "prior", "memory") if key in c}
        return e.AdaptiveCategorical(array("contexts"), symbols=n, precision=p, **some)
    if kind == "CategoricalMixture":
        return e.CategoricalMixture(array("logits", c["components"]), c["tables"], precision=p)
    if kind == "BetaBinomial":
        return e.BetaBinomial(c["n"], array("alpha"), array("beta"), precision=p)
    if kind in ("DiscretizedLogistic", "DiscretizedGaussian", "DiscretizedLaplace"):
        return getattr(e, kind)(array("mean"), array("log_scale"), symbols=n, precision=p)  # type: ignore[no-any-return]
    if kind == "LogisticMixture":
        parts = (array(name, c["components"]) for name in ("logits", "means", "log_scales"))
        return e.LogisticMixture(*parts, symbols=n, precision=p)
    if kind == "ChannelMixture":
        k, d = c["components"], c["channels"]
        parts = (array("means", d, k), array("log_scales", d, k), array("coefficients", d * (d - 1) // 2, k))
        return e.ChannelMixture(array("logits", k), *parts, symbols=n, precision=p)
    if kind == "BucketedGaussian":
        prior = {name: array(name, default=0) for name in ("prior_mean", "prior_log_scale")}
        return e.BucketedGaussian(array("mean"), array("log_scale"), bucket_bits=c["bucket_bits"], precision=p, **prior)
    if kind == "Bits":
        return e.Bits(array("bits"))
    if kind in ("EliasGamma", "EliasDelta"):
        return getattr(e, kind)(shape)  # type: ignore[no-any-return]
    if kind == "Zipf":
        return e.Zipf(c["exponent"], shape)
    assert kind == "FineGaussian", kind
    return e.FineGaussian(array("mean"), array("log_scale"), precision=p)


def kernel(c: Json, names: Json) -> Any:
    """A step of a Markov chain."""
    if c["kernel"] == "reversible":
        return e.reversible(lambda z: build(c["transition"], names | {"z": z}))
    target: Any = build(c["target"], names)
    auxiliary = build(c["auxiliary"], names)
    return e.Metropolis(lambda z: auxiliary, lambda z, v: ((v - z) % c["modulo"], v), lambda z, v: target.lengths(z))


def dependent(c: Json, names: Json) -> Generator[e.StackCodec[Any], Any, None]:
    """The codecs of symbols that each depend on the one before, `before`; for the first one it is 0."""
    before = np.zeros(shape_of(c["codec"], names), np.int64)
    for _ in range(c["length"]):
        before = yield build(c["codec"], names | {"before": before})


def shaped(c: Json, symbols: Any) -> Any:
    """Symbols of a vector as its codec takes them."""
    if c["type"] == "Conditional":
        return tuple(shaped(d, s) for d, s in zip((c["first"], c["second"]), symbols, strict=True))
    if c["type"] == "Autoregressive":
        return tuple(shaped(c["codec"], s) for s in symbols)
    if c["type"] == "Serial":
        return tuple(shaped(d, s) for d, s in zip(c["codecs"], symbols, strict=True))
    flat = np.asarray(values(symbols, {}), np.int64)
    inner = c
    while "shape" not in inner:
        inner = next(inner[key] for key in PARTS if key in inner)
    if c["type"] in ("Annealed", "ImportanceWeighted"):
        return shaped(c["codec"], symbols)
    if c["type"] == "BitsBack":
        inner = c["likelihood"]
    if c["type"] == "Chain":
        return flat.reshape(c["items"], -1) if len(c["item_shape"]) else flat
    more = (c["channels"],) if c["type"] == "ChannelMixture" else ()
    return flat.reshape((*shape_of(inner, {}), *more))


def flattened(x: Any) -> Any:
    return [flattened(part) for part in x] if isinstance(x, tuple) else np.asarray(x).reshape(-1).tolist()


def message_of(c: Json, symbols: Any) -> str:
    """The message, in hexadecimal, on which the symbols were pushed."""
    message = e.Message()
    build(c).push(message, shaped(c, symbols))
    return message.to_bytes().hex()


def error_of(c: Json, message: str) -> str | None:
    """The code of the error that the engine finds in a message."""
    try:
        received = e.Message.from_bytes(bytes.fromhex(message))
        build(c).pop(received)
        received.verify_end()
    except CodecsError as error:
        return error.code
    return None


# --- the vectors ---------------------------------------------------------------------------------


def w(first: int, modulo: int, add: int, *, size: int) -> Json:
    return {"w": first, "modulo": modulo, "add": add, "count": size}


def drawn(first: int, modulo: int, add: int, *, size: int) -> list[int]:
    numbers: list[int] = values(w(first, modulo, add, size=size), {}).tolist()
    return numbers


def typical(c: Json) -> Any:
    """Symbols as likely as can be expected: popped from bits without meaning."""
    message = e.Message()
    e.Uniform(1 << 28, 40).push(message, drawn(1000, 1 << 28, 0, size=40))
    return flattened(build(c).pop(message))


def vector(name: str, c: Json, symbols: Any = None) -> Json:
    if symbols is None:
        symbols = typical(c)
    return {"name": name, "codec": c, "symbols": symbols, "message": message_of(c, symbols)}


def distributions() -> Iterator[Json]:
    yield vector("six-sided dice", {"type": "Uniform", "symbols": 6, "shape": [3]}, [1, 5, 2])
    yield vector("bytes", {"type": "Uniform", "symbols": 256, "shape": [4, 5]}, drawn(0, 256, 0, size=20))
    yield vector("uniform over a prime", {"type": "Uniform", "symbols": 100_003, "shape": [9]})
    yield vector(
        "Bernoulli, each symbol its own",
        {"type": "Bernoulli", "shape": [40], "precision": 18, "ones": drawn(5, (1 << 18) - 1, 1, size=40)},
    )
    yield vector(
        "Bernoulli from log-odds",
        {"type": "Bernoulli", "shape": [2, 12], "precision": 20, "log_odds": [-5000, *range(-600, 600, 55), 1024]},
    )
    skewed = quantise(0.8 ** np.arange(20), 16).tolist()
    yield vector("one table", {"type": "Categorical", "shape": [30], "counts": [skewed]})
    tables = [quantise((np.arange(7) + 1.0) ** a, 12).tolist() for a in (-3, 0, 2)]
    yield vector(
        "three tables", {"type": "Categorical", "shape": [30], "counts": tables, "index": drawn(9, 3, 0, size=30)}
    )
    yield vector(
        "table with symbols that cannot be",
        {"type": "Categorical", "shape": [8], "counts": [[0, 5, 0, 0, 11, 0]]},
        [1, 4, 4, 1, 4, 4, 4, 1],
    )
    yield vector(
        "tables that learn, of two contexts",
        {
            "type": "AdaptiveCategorical",
            "shape": [6, 5],
            "symbols": 5,
            "precision": 16,
            "contexts": drawn(11, 2, 0, size=30),
            "prior": 3,
            "memory": 20,
        },
        [0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 4, 0, 0, 0, 1, 3, 3, 3, 3, 0, 3, 3, 4, 3, 3, 3, 3, 3, 3, 3],
    )
    yield vector(
        "a table that learns, of few bits",
        {
            "type": "AdaptiveCategorical",
            "shape": [12],
            "symbols": 100,
            "precision": 12,
            "contexts": 0,
            "prior": 1,
            "memory": 2,
        },
        [99, 99, 99, 0, 0, 50, 50, 50, 51, 52, 99, 99],
    )
    mixed = [quantise(np.exp(-np.abs(np.arange(12) - a)), 18).tolist() for a in (2, 6, 9)]
    logits = drawn(40, 700, -350, size=75)
    yield vector(
        "mixture of tables",
        {
            "type": "CategoricalMixture",
            "shape": [25],
            "components": 3,
            "precision": 20,
            "tables": mixed,
            "logits": logits,
        },
    )
    yield vector(
        "beta-binomial over grey values",
        {
            "type": "BetaBinomial",
            "shape": [12],
            "n": 255,
            "precision": 20,
            "alpha": [1, 65536, 1 << 40, 123456, 3000, 1 << 30, 70000, 65536 * 9, 1 << 16, 1 << 20, 5, 1 << 39],
            "beta": [1, 65536, 1 << 40, 654321, 900000, 1 << 20, 80000, 65536, 1 << 30, 1 << 17, 1 << 40, 2],
        },
    )
    yield vector(
        "beta-binomial whose weights leave the range of a double",
        {
            "type": "BetaBinomial",
            "shape": [3],
            "n": 4000,
            "precision": 24,
            "alpha": 65536 * 5000,
            "beta": [1 << 30] * 3,
        },
    )
    for kind in ("DiscretizedLogistic", "DiscretizedGaussian", "DiscretizedLaplace"):
        some = {"type": kind, "shape": [30], "symbols": 256, "precision": 24}
        yield vector(
            f"{kind}: typical symbols",
            some | {"mean": drawn(70, 65536, 0, size=30), "log_scale": drawn(300, 512, -64, size=30)},
        )
        limit = (1 << 31) - 1
        yield vector(
            f"{kind}: limits of the parameters",
            some
            | {
                "shape": [12],
                "mean": [limit, -limit, 0, 65280, 0, 65280, limit, -limit, 32768, 32768, 32767, 128],
                "log_scale": [-384, -384, -384, -384, 1280, 1280, 1280, 1280, -384, 1280, -1, -65],
            },
            [255, 0, 0, 255, 0, 255, 3, 251, 200, 100, 127, 1],
        )
    yield vector(
        "Gaussian over 2^22 bins",
        {
            "type": "DiscretizedGaussian",
            "shape": [6],
            "symbols": 1 << 22,
            "precision": 28,
            "mean": drawn(3, 1 << 30, 0, size=6),
            "log_scale": [640, 900, 1, 1280, 63, 64],
        },
    )
    yield vector(
        "mixture of logistics",
        {
            "type": "LogisticMixture",
            "shape": [4, 5],
            "symbols": 256,
            "components": 5,
            "precision": 24,
            "logits": drawn(400, 400, -200, size=100),
            "means": drawn(500, 4000, 30000, size=100),
            "log_scales": drawn(600, 300, 0, size=100),
        },
    )
    yield vector(
        "logistics far from each other",
        {
            "type": "LogisticMixture",
            "shape": [8],
            "symbols": 1000,
            "components": 2,
            "precision": 16,
            "logits": drawn(410, 3000, -1500, size=16),
            "means": drawn(510, 256_000, 0, size=16),
            "log_scales": drawn(610, 700, -384, size=16),
        },
    )
    for channels in (1, 3):
        pairs = channels * (channels - 1) // 2
        yield vector(
            f"pixels of {channels} channels",
            {
                "type": "ChannelMixture",
                "shape": [3, 4],
                "symbols": 256,
                "components": 4,
                "channels": channels,
                "precision": 24,
                "logits": drawn(700, 300, -150, size=48),
                "means": drawn(800, 20000, 22000, size=48 * channels),
                "log_scales": drawn(900, 250, 0, size=48 * channels),
                "coefficients": drawn(950, 600, -300, size=48 * pairs),
            },
        )
    yield vector(
        "pixels of unlikely symbols",
        {
            "type": "ChannelMixture",
            "shape": [2],
            "symbols": 256,
            "components": 2,
            "channels": 3,
            "precision": 24,
            "logits": [0, 0, -900, 7],
            "means": drawn(800, 65536, 0, size=12),
            "log_scales": drawn(900, 300, -384, size=12),
            "coefficients": [-32768, 32768, 300, -200, 0, 5, 7, -9, 256, -256, 100, 30],
        },
        [0, 255, 0, 255, 0, 128],
    )
    for bits, p in ((8, 18), (12, 28), (1, 1)):
        yield vector(
            f"Gaussian over {1 << bits} buckets",
            {
                "type": "BucketedGaussian",
                "shape": [20],
                "bucket_bits": bits,
                "precision": p,
                "mean": [-65536, 65536, *drawn(20, 16384, -8192, size=18)],
                "log_scale": [-640, 128, *drawn(60, 256, -200, size=18)],
            },
        )
    yield vector(
        "Gaussian over the buckets of a prior",
        {
            "type": "BucketedGaussian",
            "shape": [20],
            "bucket_bits": 10,
            "precision": 24,
            "mean": [-65536, 65536, *drawn(20, 16384, -8192, size=18)],
            "log_scale": [-640, 128, *drawn(60, 256, -200, size=18)],
            "prior_mean": [65536, -65536, *drawn(21, 16384, -8192, size=18)],
            "prior_log_scale": [128, -640, *drawn(61, 256, -128, size=18)],
        },
    )
    widths = [0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 61, 62]
    yield vector("bits of all widths", {"type": "Bits", "shape": [14], "bits": widths}, [(1 << b) - 1 for b in widths])
    yield vector("bits", {"type": "Bits", "shape": [14], "bits": widths})
    integers = [1, 2, 3, 4, 7, 8, 63, 64, 65, 127, 128, 1000, 10**6, 10**12, (1 << 62) - 1, 1 << 61]
    yield vector("Elias gamma", {"type": "EliasGamma", "shape": [16]}, integers)
    yield vector("Elias delta", {"type": "EliasDelta", "shape": [16]}, integers)
    for exponent in (65, 100, 128, 512):
        yield vector(f"a power law of {exponent}/64", {"type": "Zipf", "shape": [16], "exponent": exponent}, integers)
        yield vector(f"a power law of {exponent}/64: typical", {"type": "Zipf", "shape": [16], "exponent": exponent})
    scales = [0, 63, 64, 383, 384, 447, 448, 511, 512, 895, 960, 1000, 1600, 2000, 2500, 2560]
    middles = [0, 5, -5, 1000, -1000, 1 << 60, -(1 << 60), 77, -77, 12345, -12345, 1 << 40, -(1 << 40), 1, 2, 3]
    fine = {"type": "FineGaussian", "shape": [16], "precision": 28, "mean": middles, "log_scale": scales}
    yield vector("Gaussians on fine grids", fine)
    yield vector(
        "Gaussians on fine grids: eight standard deviations away",
        fine,
        [m + (-1) ** i * 8 * (1 << (s >> 6)) for i, (m, s) in enumerate(zip(middles, scales, strict=True))],
    )
    bytes_ = {"type": "Uniform", "symbols": 256, "shape": [10]}
    yield vector("no escape", {"type": "Escape", "distribution": bytes_}, list(range(250, 240, -1)))
    yield vector(
        "escapes",
        {"type": "Escape", "distribution": bytes_},
        [256, 0, -1, 255, 70000, 5, -(1 << 60), 1 << 60, 7, 300],
    )


def edges() -> Iterator[Json]:
    yield vector("nothing", {"type": "Serial", "codecs": []}, [])
    empty = {"shape": [0]}
    yield vector("no symbols: uniform", {"type": "Uniform", "symbols": 9} | empty, [])
    yield vector("no symbols: Bits", {"type": "Bits", "bits": []} | empty, [])
    yield vector("no symbols: Elias delta", {"type": "EliasDelta"} | empty, [])
    yield vector("no symbols: Zipf", {"type": "Zipf", "exponent": 99} | empty, [])
    yield vector("no symbols: an axis of no items", {"type": "Uniform", "symbols": 9, "shape": [3, 0]}, [])
    yield vector(
        "no symbols: Escape", {"type": "Escape", "distribution": {"type": "Uniform", "symbols": 9} | empty}, []
    )
    yield vector("no items", {"type": "Chain", "items": 0, "batch": 4, "item_shape": [], "codec": n_bytes()}, [])
    yield vector("one symbol", {"type": "Bernoulli", "shape": [], "precision": 18, "ones": 1 << 17}, [1])
    yield vector("precision 1", {"type": "Bernoulli", "shape": [6], "precision": 1, "ones": 1}, [1, 0, 0, 1, 1, 1])
    most = {"type": "Bernoulli", "shape": [5], "precision": 28}
    yield vector("precision 28", most | {"ones": [1, (1 << 28) - 1, 5, 1 << 27, 1]}, [1, 0, 1, 0, 0])
    yield vector("2^28 symbols", {"type": "Uniform", "symbols": 1 << 28, "shape": [3]}, [0, (1 << 28) - 1, 12345678])
    yield vector("2^28 - 1 symbols", {"type": "Uniform", "symbols": (1 << 28) - 1, "shape": [2]}, [0, (1 << 28) - 2])
    yield vector("certain: one symbol", {"type": "Uniform", "symbols": 1, "shape": [100]}, [0] * 100)
    certain = {"type": "Categorical", "shape": [100], "counts": [[0, 0, 1 << 20, 0]]}
    yield vector("certain: all counts for one symbol", certain, [2] * 100)
    for kind in ("DiscretizedLogistic", "DiscretizedGaussian", "DiscretizedLaplace"):
        one = {"type": kind, "shape": [2], "symbols": 1, "precision": 3, "mean": [5, 6], "log_scale": 0}
        yield vector(f"{kind} over one bin", one, [0, 0])
        full = {"type": kind, "shape": [4], "symbols": 8, "precision": 3, "mean": 99, "log_scale": 0}
        yield vector(f"{kind} with as many counts as bins", full, [0, 7, 3, 4])
    # every length of the head, and every way of renormalising
    for size in range(1, 9):
        yield vector(
            f"{size} nibbles", {"type": "Uniform", "symbols": 16, "shape": [size]}, drawn(size, 16, 0, size=size)
        )


def n_bytes() -> Json:
    return {"type": "Uniform", "symbols": 256, "shape": [{"of": "n"}]}


def toy(size: Any) -> Json:
    """A latent of 16 values that says how likely a bit is, and a posterior that has noticed."""
    return {
        "type": "BitsBack",
        "prior": {"type": "Uniform", "symbols": 16, "shape": [size]},
        "likelihood": {
            "type": "Bernoulli",
            "shape": [size],
            "precision": 17,
            "ones": {"table": [(z + 1) << 12 for z in range(16)], "at": {"of": "z"}},
        },
        "posterior": {
            "type": "Categorical",
            "shape": [size],
            "counts": [[(31 - 2 * z) << 8 for z in range(16)], [(2 * z + 1) << 8 for z in range(16)]],
            "index": {"of": "x"},
        },
    }


def grey(size: Any) -> Json:
    """A Gaussian latent with a posterior over buckets, and grey values."""
    return {
        "type": "BitsBack",
        "prior": {"type": "Uniform", "symbols": 64, "shape": [size]},
        "likelihood": {
            "type": "DiscretizedLogistic",
            "shape": [size],
            "symbols": 16,
            "precision": 20,
            "mean": {"table": [z * 60 for z in range(64)], "at": {"of": "z"}},
            "log_scale": 32,
        },
        "posterior": {
            "type": "BucketedGaussian",
            "shape": [size],
            "bucket_bits": 6,
            "precision": 18,
            "mean": {"table": [(x - 8) * 1024 for x in range(16)], "at": {"of": "x"}},
            "log_scale": -128,
        },
    }


def moves(size: int) -> list[Json]:
    """Kernels for the latents of `toy`: each draws all again, or proposes others and takes some, by counts that become steeper."""
    found: list[Json] = []
    for steep in range(1, 4):
        rows = [[(16 * steep if high == bit else 16) for high in (0, 1) for _ in range(8)] for bit in (0, 1)]
        counts = [e.counts(row, 14).tolist() for row in rows]
        target = {"type": "Categorical", "shape": [size], "counts": counts, "index": {"of": "x"}}
        proposals = {"type": "Uniform", "symbols": 16, "shape": [size]}
        found.append({"kernel": "Metropolis", "auxiliary": proposals, "modulo": 16, "target": target})
        found.append({"kernel": "reversible", "transition": target})
    return found


def combinators() -> Iterator[Json]:
    yield vector(
        "several distributions",
        {
            "type": "Serial",
            "codecs": [
                {"type": "Uniform", "symbols": 10, "shape": [2]},
                {"type": "Bernoulli", "shape": [], "precision": 18, "ones": 1000},
                {"type": "EliasGamma", "shape": [3]},
                {
                    "type": "DiscretizedGaussian",
                    "shape": [2],
                    "symbols": 64,
                    "precision": 12,
                    "mean": 8000,
                    "log_scale": 99,
                },
                {"type": "Escape", "distribution": {"type": "Uniform", "symbols": 16, "shape": [4]}},
            ],
        },
        [[3, 9], [0], [1, 99, 7], [31, 33], [0, 15, 16, -3]],
    )
    yield vector(
        "an affine map",
        {
            "type": "Bijection",
            "multiply": 3,
            "add": 1,
            "modulo": 16,
            "base": {
                "type": "Categorical",
                "shape": [6],
                "counts": [[1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1, 1, 1, 11, 11]],
            },
        },
        [0, 1, 2, 5, 10, 15],
    )
    yield vector(
        "numbers of bits, and such numbers",
        {
            "type": "Conditional",
            "first": {"type": "Uniform", "symbols": 20, "shape": [6]},
            "second": {"type": "Bits", "bits": {"of": "a"}, "shape": [6]},
        },
        [[3, 19, 0, 7, 1, 12], [5, 300000, 0, 127, 0, 4095]],
    )
    yield vector(
        "two chains of three states",
        {
            "type": "Autoregressive",
            "length": 7,
            "codec": {
                "type": "Categorical",
                "shape": [2],
                "counts": [[200, 40, 16], [40, 200, 16], [8, 8, 240]],
                "index": {"of": "before"},
            },
        },
        [[0, 2], [0, 2], [1, 2], [1, 0], [2, 0], [2, 1], [0, 1]],
    )
    yield vector(
        "high bits by a Gaussian, low bits as they are",
        {
            "type": "Binned",
            "low_bits": [0, 3, 17, 40, 9],
            "coarse": {
                "type": "Escape",
                "distribution": {
                    "type": "DiscretizedGaussian",
                    "shape": [5],
                    "symbols": 64,
                    "precision": 16,
                    "mean": 8000,
                    "log_scale": 99,
                },
            },
        },
        [31, 250, (30 << 17) + 77, (33 << 40) + (1 << 39) + 5, -513],
    )
    yield vector(
        "octaves by a table",
        {"type": "Octaves", "exponent": {"type": "Categorical", "shape": [5], "counts": [[1, 5, 20, 5, 1]]}},
        [1, 2, 7, 15, 16],
    )
    yield vector("bits back, with bits of the seeds", toy(30), drawn(30, 2, 0, size=30))
    yield vector("bits back, with a Gaussian", grey(20), drawn(31, 16, 0, size=20))
    for items, batch in ((1, 5), (40, 5), (40, 1)):
        chain = {"type": "Chain", "items": items, "batch": batch, "item_shape": [], "codec": toy({"of": "n"})}
        yield vector(f"a chain of {items} items by {batch}", chain, drawn(32, 2, 0, size=items))
    rows = {
        "type": "Chain",
        "items": 23,
        "batch": 4,
        "item_shape": [3],
        "codec": {"type": "Uniform", "symbols": 1000, "shape": [{"of": "n"}, 3]},
    }
    yield vector("a chain of rows", rows, drawn(33, 1000, 0, size=69))
    halves = {"type": "Chain", "items": 20, "batch": 6, "part": 2, "item_shape": [], "codec": toy({"of": "n"})}
    yield vector("a chain of 20 items by 6, each step half of those before", halves, drawn(34, 2, 0, size=20))
    for particles, codec, n in ((1, toy(30), 2), (5, toy(30), 2), (16, grey(20), 16)):
        weighted = {"type": "ImportanceWeighted", "particles": particles, "codec": codec}
        yield vector(
            f"bits back with {particles} particles", weighted, drawn(35, n, 0, size=codec["prior"]["shape"][0])
        )
    for fresh, kernels in ((0, 0), (100, 3), (400, 6)):
        steps = {"type": "Annealed", "fresh": fresh, "kernels": moves(30)[:kernels], "codec": toy(30)}
        yield vector(f"bits back along a chain of {kernels} kernels", steps, drawn(35, 2, 0, size=30))


def wide() -> Iterator[Json]:
    half = {"type": "Bernoulli", "precision": 18, "ones": 1 << 17}
    for size in (WIDE - 1, WIDE, WIDE + 1, WIDE + 15):
        yield vector(f"{size} bits", half | {"shape": [size]}, w(7, 2, 0, size=size))
    yield vector(
        f"{WIDE + 5} symbols that are learnt: one head",
        {
            "type": "AdaptiveCategorical",
            "shape": [WIDE + 5],
            "symbols": 3,
            "precision": 20,
            "contexts": w(24, 3, 0, size=WIDE + 5),
            "prior": 16,
            "memory": 1024,
        },
        w(0, 2, 0, size=WIDE + 5),
    )
    n = WIDE + 777
    rare = {"type": "Bernoulli", "precision": 18, "shape": [n]}
    yield vector("rare bits: thin", rare | {"ones": w(24, 1000, 1, size=n)}, w(0, 1, 0, size=n))
    nearly = {"table": [(1 << 17) - 1, 1 << 17], "at": w(26, 2, 0, size=WIDE)}
    yield vector("just thin", half | {"shape": [WIDE], "ones": nearly}, w(25, 2, 0, size=WIDE))
    skewed = quantise(0.4 ** np.arange(8), 16).tolist()
    yield vector("one table", {"type": "Categorical", "shape": [n], "counts": [skewed]}, w(8, 4, 0, size=n))
    tables = [quantise((np.arange(4) + 1.0) ** a, 12).tolist() for a in (-2, 0, 2)]
    several = {"type": "Categorical", "shape": [2, n // 2], "counts": tables, "index": w(9, 3, 0, size=n // 2 * 2)}
    yield vector("several tables", several, w(10, 4, 0, size=n // 2 * 2))
    yield vector("certain symbols only", {"type": "Uniform", "symbols": 1, "shape": [n]}, w(0, 1, 0, size=n))
    gaussian = {
        "type": "DiscretizedGaussian",
        "shape": [n],
        "symbols": 16,
        "precision": 24,
        "mean": w(11, 2048, 1024, size=n),
        "log_scale": w(12, 128, -64, size=n),
    }
    yield vector("Gaussians", gaussian, w(13, 4, 6, size=n))
    mixture = {
        "type": "LogisticMixture",
        "shape": [n],
        "symbols": 16,
        "components": 2,
        "precision": 24,
        "logits": w(20, 200, -100, size=2 * n),
        "means": w(21, 2048, 1024, size=2 * n),
        "log_scales": w(22, 256, -128, size=2 * n),
    }
    yield vector("mixtures of logistics", mixture, w(23, 6, 5, size=n))
    bits = {"type": "Bits", "shape": [n], "bits": {"table": [1, 0, 0, 0, 0, 0, 17, 0], "at": w(14, 8, 0, size=n)}}
    yield vector("bits that are zero: thin", bits, w(0, 1, 0, size=n))
    bits = {"type": "Bits", "shape": [n], "bits": {"table": [1, 2, 3, 0, 4, 0, 17, 0], "at": w(14, 8, 0, size=n)}}
    yield vector("bits that are zero", bits, w(0, 1, 0, size=n))
    yield vector("Elias gamma", {"type": "EliasGamma", "shape": [n]}, w(15, 2, 1, size=n))
    yield vector("bits back, wide", toy(WIDE), w(16, 2, 0, size=WIDE))
    yield vector(
        "narrow, wide, narrow",
        {
            "type": "Serial",
            "codecs": [
                {"type": "Uniform", "symbols": 1000, "shape": [7]},
                half | {"shape": [WIDE]},
                {"type": "Uniform", "symbols": 1000, "shape": [7]},
            ],
        },
        [drawn(17, 1000, 0, size=7), w(18, 2, 0, size=WIDE), drawn(19, 1000, 0, size=7)],
    )


def invalid() -> Iterator[Json]:
    def bad(name: str, c: Json, message: str, error: str) -> Json:
        found = error_of(c, message)
        assert found == error, f"{name}: {found}"
        return {"name": name, "codec": c, "message": message, "error": error}

    c = {"type": "Uniform", "symbols": 256, "shape": [12]}
    whole = bytes.fromhex(message_of(c, list(range(12))))
    nothing = {"type": "Serial", "codecs": []}
    fresh = e.Message().to_bytes()
    yield bad("no bytes", nothing, "", "corrupt")
    yield bad("four bytes", nothing, fresh[:4].hex(), "corrupt")
    yield bad("a last byte of zero", nothing, (fresh + b"\0").hex(), "corrupt")
    yield bad("nothing but zeros", nothing, bytes(8).hex(), "corrupt")
    yield bad("a symbol more than there are", c | {"shape": [13]}, whole.hex(), "exhausted")
    yield bad("symbols of an empty message", c | {"shape": [2]}, fresh.hex(), "exhausted")
    yield bad("a wide array of a short message", c | {"shape": [WIDE]}, whole.hex(), "exhausted")
    yield bad("truncated", c, whole[4:].hex(), "exhausted")
    yield bad("a symbol fewer than there are", c | {"shape": [11]}, whole.hex(), "corrupt")
    c3 = {"type": "Uniform", "symbols": 100_003, "shape": [12]}
    for named, codec in (("powers of two", c), ("others", c3)):
        intact = bytes.fromhex(message_of(codec, list(range(12))))
        flipped = bytes(b ^ (4 if i == len(intact) - 2 else 0) for i, b in enumerate(intact))
        yield bad(f"a byte of the head is damaged: {named}", codec, flipped.hex(), "corrupt")
    yield bad("a byte of a word is damaged", c3, bytes([intact[0] ^ 4, *intact[1:]]).hex(), "corrupt")
    yield bad("a seed word that is none", nothing, (bytes(4) + fresh).hex(), "corrupt")
    seeded = toy(30)
    damaged = bytearray.fromhex(message_of(seeded, drawn(30, 2, 0, size=30)))
    damaged[0] ^= 1
    yield bad("bits back: a seed word is damaged", seeded, damaged.hex(), "corrupt")
    exponent = {"type": "EliasGamma", "shape": []}
    yield bad(
        "Elias delta: an exponent of 62", {"type": "EliasDelta", "shape": []}, message_of(exponent, [63]), "corrupt"
    )
    parts = [
        {"type": "Bernoulli", "shape": [], "precision": 20, "ones": 1},
        {"type": "EliasDelta", "shape": []},
        {"type": "EliasDelta", "shape": [1]},
        {"type": "EliasDelta", "shape": [1]},
        c,
    ]
    escape = {"type": "Escape", "distribution": c}
    outside = message_of({"type": "Serial", "codecs": parts}, [[1], [1], [13], [1], [255] * 12])
    yield bad("an escape outside its array", escape, outside, "corrupt")
    parts[2] = parts[3] = {"type": "EliasDelta", "shape": [12]}
    many = message_of({"type": "Serial", "codecs": parts}, [[1], [13], [1] * 12, [1] * 12, [255] * 12])
    yield bad("more escapes than symbols", escape, many, "corrupt")


WIDE = 1 << 14
FILES = {
    "distributions": distributions,
    "edges": edges,
    "combinators": combinators,
    "wide": wide,
    "invalid": invalid,
}


def render(name: str) -> str:
    """The file of this name: a list with a vector a line."""
    return "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in FILES[name]()) + "\n]\n"


def main() -> None:
    for name in FILES:
        (HERE / f"{name}.json").write_text(render(name), "utf-8")


if __name__ == "__main__":
    main()
