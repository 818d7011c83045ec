"""Inference while encoding: slopes are those of what the codec pays, and files become smaller."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_rec.codec import LosslessCodec
from codecs_rec.inference import LOG_SCALES, Slopes, _output_slopes, refined
from codecs_rec.latents import Blocks
from codecs_rec.model import VAE
from codecs_rec.testing import random_model
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec

SHAPES = {"bernoulli": (4, 3), "mixture": (4, 3), "colour": (2, 2, 3)}


def items(vae: VAE, n: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, vae.largest + 1, (n, vae.pixels), np.uint8)


def digits() -> NDArray[np.uint8]:
    """The first of the samples, each pixel drawn once."""
    data = gzip.decompress((Path(__file__).parents[3] / "samples/mnist.idx.gz").read_bytes())
    grey = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28)[:40]
    return (np.random.Generator(np.random.Philox(0)).random(grey.shape) < grey / 255).astype(np.uint8)


def nats(vae: VAE, out: NDArray[Any], x: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the codec pays for each item, given outputs of the decoder network as integers."""

    class Stub(VAE):
        def __init__(self) -> None:
            vars(self).update(vars(vae))
            self.decoder = lambda _: out  # type: ignore[assignment]

    return Stub().information(np.zeros((len(x), vae.latents), np.int64), x) * math.log(2)


@pytest.mark.parametrize("kind", SHAPES)
def test_slopes_of_outputs_are_those_of_the_price(kind: str) -> None:
    vae = VAE(random_model(kind, SHAPES[kind]))
    rng, x = np.random.default_rng(1), items(vae, 1)
    n = vae.pixels * vae.outputs
    out = rng.integers(-200, 200, n)
    if kind == "colour":  # not far from the pixels, where prices no longer grow
        vae.coefficients = np.array([40, -30, 20])
        out = np.concatenate(
            [(x[0].astype(int) << 8) + rng.integers(-2000, 2000, n // 2), rng.integers(200, 400, n // 2)]
        )
    slopes = _output_slopes(vae, out[None].astype(np.float64), x)[0]
    step = np.where(np.arange(n) < n // 2, 256, 8) if kind == "colour" else np.full(n, 8)
    for i in range(n):
        up, down = (out + sign * step * (np.arange(n) == i) for sign in (1, -1))
        found = (nats(vae, up[None], x) - nats(vae, down[None], x))[0] / (2 * step[i])
        assert slopes[i] == pytest.approx(found, rel=0.05, abs=2e-4), i


def test_slopes_of_latents_are_those_of_the_price() -> None:
    """Of a trained model and its digits, over some distance: the integers of the decoder network take steps."""
    vae, x = VAE(cc.load_model("mnist-binary", codec="rec.vae-lossless")), digits().reshape(40, -1)
    unit = 1 << Blocks.BITS
    z = np.rint(vae.posterior(x)[0] * unit)
    slopes = Slopes(vae)(z / unit, x)
    along = 0.1 * unit * slopes / np.linalg.norm(slopes, axis=1, keepdims=True)
    ends = [np.rint(z + sign * along).astype(np.int64) for sign in (1, -1)]
    found = (vae.information(ends[0], x) - vae.information(ends[1], x)) * math.log(2)
    expected = (slopes * (ends[0] - ends[1]) / unit).sum(1)
    assert found.sum() == pytest.approx(expected.sum(), rel=0.1)
    assert np.corrcoef(found, expected)[0, 1] > 0.9


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("search", [True, False])
def test_round_trip(kind: str, search: bool) -> None:
    model = random_model(kind, SHAPES[kind])
    codec = LosslessCodec(model=model, effort="smallest", search=search)
    for n in (0, 1, 20):
        x = items(codec._vae, n).reshape(n, *SHAPES[kind])
        assert np.array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), x)


def test_posteriors_stay_narrower_than_the_prior() -> None:
    vae = VAE(random_model("mixture", (4, 3)))
    x = items(vae, 5)
    mean, scale = refined(vae, x, *vae.posterior(x))
    assert np.isfinite(mean).all()
    assert (np.log(scale) >= LOG_SCALES[0] - 1e-9).all()
    assert (scale < 1).all()


@pytest.mark.slow
def test_files_become_smaller() -> None:
    """Digits that the model was made for: by about a hundredth where latents are searched for, by more where they are sampled."""
    sizes = {
        (effort, search): len(
            cc.get_codec("rec.vae-lossless", model="mnist-binary", effort=effort, search=search).encode(digits())
        )
        for effort in ("standard", "smallest")
        for search in (True, False)
    }
    assert sizes["smallest", True] < 0.995 * sizes["standard", True]
    assert sizes["smallest", False] < 0.985 * sizes["standard", False]
