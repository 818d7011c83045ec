"""The figures of the entropy coder: ``python benchmarks/entropy.py``, beside constriction on the same symbols in the same process.

Each comparison takes turns (A B A B ...), so that whatever else the machine does hits both; the ratio is the median of those of
neighbours, and beside it stands that of the best times. Everything that is timed was decoded and compared before.
``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import (
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
    Message,
    StackCodec,
    Uniform,
    Zipf,
)
from codecs_core.entropy.distributions.categorical import quantise

Work = Callable[[], Any]
Codec = Callable[[], StackCodec]
Row = dict[str, Any]
stream: Any = constriction.stream  # type: ignore[attr-defined]
model, AnsCoder = stream.model, stream.stack.AnsCoder


# --- timing --------------------------------------------------------------------------------------


Clock = Callable[[], float]


def seconds(work: Work, clock: Clock) -> float:
    start = clock()
    work()
    return clock() - start


def turns(works: list[Work], repeats: int, clock: Clock = time.thread_time) -> list[list[float]]:
    """Times of each of the works, taken in turns after one run of each to warm up: CPU time, which waiting for the CPU is no part of."""
    for work in works:
        work()
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            taken.append(seconds(work, clock))
    return times


def noise(rng: np.random.Generator, words: int) -> Message:
    """A message of bits that mean nothing: popping it draws symbols from a distribution."""
    message = Message()
    Uniform(1 << 28, words).push(message, rng.integers(0, 1 << 28, words))
    return message


def encoded(codec: Codec, x: Any) -> bytes:
    message = Message()
    codec().push(message, x)
    return message.to_bytes()


def decoded(codec: Codec, data: bytes) -> Any:
    return codec().pop(Message.from_bytes(data))


def check_decodes(codec: Codec, x: Any, data: bytes) -> None:
    message = Message.from_bytes(data)
    np.testing.assert_array_equal(codec().pop(message), x)
    message.verify_end()


# --- beside constriction -------------------------------------------------------------------------


def versus(
    name: str, codec: Codec, theirs: Any, parameters: tuple[Any, ...], x: NDArray[np.int32], targets: Any, repeats: int
) -> Iterator[Row]:
    """Rows of encoding and decoding by `codec` and by constriction's model `theirs` with its parameters."""
    ours = encoded(codec, x)
    check_decodes(codec, x, ours)

    def their_encode() -> Any:
        coder = AnsCoder()
        coder.encode_reverse(x, theirs, *parameters)
        return coder.get_compressed()

    words = their_encode()

    def their_decode() -> Any:
        return AnsCoder(words).decode(theirs, *(parameters or (x.size,)))

    np.testing.assert_array_equal(their_decode(), x)
    ready = codec()
    works: dict[str, list[Work]] = {
        "encode": [lambda: encoded(codec, x), their_encode, lambda: encoded(lambda: ready, x)],
        "decode": [lambda: decoded(codec, ours), their_decode, lambda: decoded(lambda: ready, ours)],
    }
    for (verb, three), target in zip(works.items(), targets, strict=True):
        mine, other, prepared = turns(three, repeats)
        for more, times, goal in (("", prepared, target), (", making the codec included", mine, target)):
            yield {
                "name": f"{name}: {verb}{more}",
                "ours": x.size / min(times) / 1e6,
                "theirs": x.size / min(other) / 1e6,
                "unit": "M symbols/s",
                "ratio": median(b / a for a, b in zip(times, other, strict=True)),
                "best": min(other) / min(times),
                "target": goal,
                "met": goal is None or min(other) / min(times) >= goal,
            }
    yield {
        "name": f"{name}: message",
        "ours": len(ours),
        "theirs": 4 * words.size,
        "unit": "bytes",
        "ratio": None,
        "best": None,
        "target": None,
        "met": True,
    }


def comparisons(size: int, repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    # int32, as a frozen network computes them
    mean, log_scale = rng.integers(0, 65536, size, np.int32), rng.integers(0, 321, size, np.int32)
    floats = mean / 256, 2.0 ** (log_scale / 64)
    gaussian = model.QuantizedGaussian(0, 255)
    for name, family, targets in (
        ("Gaussian, 256 bins, each its own mean and scale", DiscretizedGaussian, (5, 10)),
        ("our logistic beside their Gaussian", DiscretizedLogistic, (5, 10)),
    ):
        x = family(mean, log_scale).pop(noise(rng, size)).astype(np.int32)
        yield from versus(name, lambda f=family: f(mean, log_scale), gaussian, floats, x, targets, repeats)  # type: ignore[misc]

    ones = rng.integers(1, 1 << 18, size).astype(np.uint32)
    bits = Bernoulli(ones).pop(noise(rng, size)).astype(np.int32)
    chances = ones / 2.0**18
    for name, theirs, targets in (
        ("Bernoulli, each its own odds", model.Bernoulli(perfect=True), (10, 10)),
        ("Bernoulli, beside perfect=False", model.Bernoulli(perfect=False), (10, 10)),
    ):
        yield from versus(name, lambda: Bernoulli(ones), theirs, (chances,), bits, targets, repeats)

    weights = np.exp(-np.abs(np.arange(256) - 100) / 20) + 1e-4
    counts = quantise(weights, 16)
    shared = Categorical(counts, shape=size)
    symbols = shared.pop(noise(rng, size)).astype(np.int32)
    theirs = model.Categorical((counts / 2.0**16).astype(np.float32), perfect=False, lazy=False)
    yield from versus(
        "one table of 256 symbols", lambda: Categorical(counts, shape=size), theirs, (), symbols, (1.5, 4), repeats
    )


# --- mixtures ------------------------------------------------------------------------------------


def mixture(size: int, rng: np.random.Generator, *, harsh: bool) -> tuple[Any, ...]:
    """Logits, means and log-scales of five components of scale 1 to 16 bins."""
    spread = rng.integers(0, 65536, (size, 5)) if harsh else rng.integers(-15 * 256, 15 * 256, (size, 5))
    means = spread if harsh else spread + rng.integers(20 * 256, 236 * 256, (size, 1))
    return tuple(
        p.astype(np.int32) for p in (rng.integers(-128, 129, (size, 5)), means, rng.integers(0, 257, (size, 5)))
    )


def mixtures(size: int, repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    yield from mixture_rows("means near each other", mixture(size, rng, harsh=False), 15, repeats, rng)
    yield from mixture_rows("means anywhere", mixture(size, rng, harsh=True), None, repeats, rng)


def mixture_rows(
    name: str, parameters: tuple[Any, ...], target: int | None, repeats: int, rng: np.random.Generator
) -> Iterator[Row]:
    ready = LogisticMixture(*parameters)
    size = len(parameters[0])
    x = ready.pop(noise(rng, size)).astype(np.int32)
    data = encoded(lambda: ready, x)
    check_decodes(lambda: ready, x, data)
    works: list[Work] = [
        lambda: decoded(lambda: ready, data),
        lambda: decoded(lambda: LogisticMixture(*parameters), data),
        lambda: encoded(lambda: ready, x),
    ]
    rows = (
        ("decode", target),
        ("decode, making the codec included", target),
        ("encode", None),
    )
    for (verb, goal), times in zip(rows, turns(works, repeats), strict=True):
        speed = size / min(times) / 1e6
        yield {
            "name": f"mixture of 5 logistics, {name}: {verb}",
            "ours": speed,
            "theirs": None,
            "unit": "M symbols/s",
            "ratio": None,
            "best": None,
            "target": goal,
            "met": goal is None or speed >= goal,
        }


# --- lengths -------------------------------------------------------------------------------------


def codecs(size: int, rng: np.random.Generator) -> Iterator[tuple[str, StackCodec, Any]]:
    """Every distribution at its default precision, with symbols that are typical of it, or nearly so."""
    for name, codec in popped(size, rng):
        yield name, codec, codec.pop(noise(rng, 2 * size))
    # bits without meaning can be no integer in this code
    yield "EliasDelta", EliasDelta(size), np.floor(2.0 ** rng.uniform(0, 20, size)).astype(np.int64)
    gaussian = DiscretizedGaussian(rng.integers(0, 65536, size), rng.integers(0, 321, size))
    x = gaussian.pop(noise(rng, size)).astype(np.int64)
    yield "Escape, none escape", Escape(gaussian), x.copy()
    x[rng.integers(0, size, 100)] += rng.integers(256, 1 << 20, 100)
    yield "Escape, 100 escape", Escape(gaussian), x


def popped(size: int, rng: np.random.Generator) -> Iterator[tuple[str, StackCodec]]:
    mean, log_scale = rng.integers(0, 65536, size), rng.integers(0, 321, size)
    yield "Uniform(256)", Uniform(256, size)
    yield "Uniform(100)", Uniform(100, size)
    yield "Bernoulli", Bernoulli(rng.integers(1, 1 << 18, size))
    yield "Bernoulli, rare ones", Bernoulli(rng.integers(1, 1 << 8, size))
    yield "Categorical, one table", Categorical(quantise(0.97 ** np.arange(256), 16), shape=size)
    tables = quantise(rng.random((50, 256)) ** 8 + 1e-6, 16)
    yield "Categorical, 50 tables", Categorical(tables, index=rng.integers(0, 50, size))
    yield "AdaptiveCategorical", AdaptiveCategorical(rng.integers(0, 64, size), symbols=256)
    alpha, beta = (np.floor(2.0 ** rng.uniform(14, 22, 200)).astype(np.int64) for _ in range(2))
    which = rng.integers(0, 200, size)
    yield "BetaBinomial", BetaBinomial(255, alpha[which], beta[which])
    parts = quantise(rng.random((5, 256)) ** 8 + 1e-6, 18)
    yield "CategoricalMixture", CategoricalMixture(rng.integers(-200, 200, (size, 5)), parts)
    yield "BucketedGaussian", BucketedGaussian(rng.integers(-8192, 8192, size), rng.integers(-300, 64, size))
    yield "DiscretizedLogistic", DiscretizedLogistic(mean, log_scale)
    yield "DiscretizedGaussian", DiscretizedGaussian(mean, log_scale)
    yield "DiscretizedLaplace", DiscretizedLaplace(mean, log_scale)
    yield "LogisticMixture", LogisticMixture(*mixture(size, rng, harsh=False))
    yield "FineGaussian", FineGaussian(mean, rng.integers(0, 2561, size))
    logits, means, log_scales = mixture(size // 3, rng, harsh=False)
    means, log_scales = (np.stack([p + i for i in range(3)], -2) for p in (means, log_scales))
    yield "ChannelMixture", ChannelMixture(logits, means, log_scales, rng.integers(-64, 65, (*logits.shape[:1], 3, 5)))
    yield "Bits, up to 20", Bits(rng.integers(0, 21, size))
    yield "EliasGamma", EliasGamma(size)
    for exponent in (80, 128):
        yield f"Zipf({exponent})", Zipf(exponent, size)


def lengths(size: int, rng: np.random.Generator) -> Iterator[Row]:
    for name, codec, x in codecs(size, rng):
        data = encoded(lambda c=codec: c, x)  # type: ignore[misc]
        check_decodes(lambda c=codec: c, x, data)  # type: ignore[misc]
        information = codec.bits(x) / 8
        more = len(data) - information
        yield {
            "name": f"length over information content: {name}",
            "ours": more,
            "percent": 100 * more / information,
            "theirs": None,
            "unit": "bytes",
            "ratio": None,
            "best": None,
            "target": "+0.01 % and 16 bytes",
            "met": more <= 0.0001 * information + 16,
        }
    small = len(encoded(lambda: Bernoulli(1 << 17), 1))
    yield {
        "name": "the smallest message: one Bernoulli symbol",
        "ours": small,
        "theirs": None,
        "unit": "bytes",
        "ratio": None,
        "best": None,
        "target": 5,
        "met": small <= 5,
    }


# --- threads -------------------------------------------------------------------------------------


def threads(size: int, repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    mean, log_scale = rng.integers(0, 65536, size), rng.integers(0, 321, size)
    codec = DiscretizedGaussian(mean, log_scale)
    x = codec.pop(noise(rng, size))
    data = encoded(lambda: codec, x)
    block = bytes(16 * size)
    works: dict[str, Work] = {
        "a Gaussian each: encode": lambda: encoded(lambda: codec, x),
        "a Gaussian each: decode": lambda: decoded(lambda: codec, data),
        # what this machine has to give, by a function of the standard library that holds no lock either
        "control (SHA-256)": lambda: hashlib.sha256(block),
    }
    for name, work in works.items():

        def two(work: Work = work) -> None:
            both = [threading.Thread(target=work) for _ in range(2)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()

        one, pair = turns([work, two], repeats, time.perf_counter)
        yield {
            "name": f"two threads over one, {name}",
            "ours": 2 * size / min(pair) / 1e6 if "control" not in name else None,
            "theirs": None,
            "unit": "M symbols/s" if "control" not in name else "",
            "ratio": median(2 * a / b for a, b in zip(one, pair, strict=True)),
            "best": 2 * min(one) / min(pair),
            "target": None,
            "met": True,
        }


# --- output --------------------------------------------------------------------------------------


def cell(value: Any, form: str = "{:.1f}") -> str:
    if value is None:
        return ""
    return form.format(value) if isinstance(value, float) else str(value)


def show(rows: list[Row]) -> None:
    head = ("", "codecs-core", "constriction", "unit", "ratio", "of best", "target", "")
    lines = [head]
    for row in rows:
        ours = cell(row["ours"]) + (f" ({row['percent']:+.4f} %)" if "percent" in row else "")
        target = cell(row["target"])
        if row["target"] is not None and row["ratio"] is not None:
            target += "x"
        met = "" if row["target"] is None else "yes" if row["met"] else "no"
        lines.append(
            (row["name"], ours, cell(row["theirs"]), row["unit"], cell(row["ratio"]), cell(row["best"]), target, met)
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())


def cpu() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    size, repeats = options.symbols, options.repeats
    rng = np.random.default_rng(0)
    about = {
        "cpu": cpu(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "constriction")},
    }
    rows = [
        *comparisons(size, repeats, rng),
        *mixtures(size, repeats, rng),
        *threads(size, repeats, rng),
        *lengths(1_000_000 if size >= 1_000_000 else size, rng),
    ]
    if options.json:
        print(json.dumps({"machine": about, "symbols": size, "repeats": repeats, "rows": rows}, indent=1))
        return
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(f"{size} symbols, best of {repeats}; ratios: median of neighbours, and of the best times\n")
    show(rows)


if __name__ == "__main__":
    main()
