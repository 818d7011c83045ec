"""Steps on the posterior of each item, which a decoder repeats."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from codecs_bbans.codec import VAECodec, item_bits
from codecs_bbans.inference import signs
from codecs_bbans.model import VAE
from codecs_bbans.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.errors import ConfigError, CorruptDataError, ModelError
from codecs_core.exact import ExactNet, Layer
from codecs_core.models import Model
from codecs_core.testing import unstored

LIKELIHOODS = ["bernoulli", "mixture"]


@cache
def make_codec(likelihood: str, effort: str = "smallest") -> VAECodec:
    return VAECodec(model=random_model(likelihood, (4, 3)), effort=effort)


def make_items(codec: VAECodec, n: int, seed: int = 0) -> NDArray[np.uint8]:
    """What the model holds likely, so that there is something to infer."""
    return codec.sample(n, seed=seed).astype(np.uint8)


def float_slope(vae: VAE, z: NDArray[Any], x: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The gradient of -log2 p(x | z) by latents in floating point, without any rounding."""
    y, within, weights = z / 1.0, [], []
    for layer in vae.decoder.layers:
        unit = np.ldexp(1.0, -layer.shift.astype(int))
        weights.append(layer.weight * unit[:, None])
        y = y @ weights[-1].T + layer.bias * unit
        within.append((y > layer.low) & (y < layer.high))
        y = y.clip(layer.low, layer.high)
    if vae.kind == "bernoulli":
        slope = 1 / (1 + 2 ** (-y / 64)) - x
    else:
        parts = 2 ** (y.reshape(*x.shape, -1) / 64)
        parts /= parts.sum(-1, keepdims=True)
        joint = parts * vae.tables.T[x]
        slope = (parts - joint / joint.sum(-1, keepdims=True)).reshape(len(x), -1)
    slope /= 64
    for weight, inside in zip(weights[::-1], within[::-1], strict=True):
        slope = (slope * inside) @ weight
    return slope * 256


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_slopes_are_those_of_floating_point(likelihood: str) -> None:
    codec = make_codec(likelihood)
    vae, x = codec._vae, make_items(codec, 40).reshape(40, -1)
    z = np.random.default_rng(0).normal(size=(40, vae.latents)) * 200
    z = z.astype(np.int64).clip(vae.representatives[0], vae.representatives[-1])
    found, expected = vae.inference.slope(z, x) / 256, float_slope(vae, z, x)
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_they_shorten_what_is_coded(likelihood: str) -> None:
    x = make_items(make_codec(likelihood), 300)
    assert item_bits(make_codec(likelihood), x) < 0.99 * item_bits(make_codec(likelihood, "standard"), x)


@pytest.mark.parametrize(("model", "largest"), [("mnist", 255), ("mnist-binary", 1)])
def test_digits_become_a_hundredth_smaller(model: str, largest: int) -> None:
    with gzip.open("samples/mnist.idx.gz") as file:
        x = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28, 28)[:200]
    x = x if largest == 255 else (x > 127).astype(np.uint8)
    standard, smallest = (cc.get_codec("bbans.vae", model=model, effort=effort) for effort in ("standard", "smallest"))
    payload = smallest.encode(x)
    assert len(payload) < 0.99 * len(standard.encode(x))
    np.testing.assert_array_equal(smallest.decode(payload, cc.ArraySpec.of(x)), x)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@given(seed=st.integers(0, 2**32 - 1), items=st.integers(0, 12), flat=st.booleans())
@settings(deadline=None, max_examples=15)
def test_round_trip(likelihood: str, seed: int, items: int, flat: bool) -> None:
    codec = unstored(make_codec(likelihood))
    x = np.random.default_rng(seed).integers(0, codec._vae.largest + 1, (items, 4, 3)).astype(np.uint8)
    x = np.full_like(x, seed % (codec._vae.largest + 1)) if flat else x
    np.testing.assert_array_equal(codec.decode(codec.encode(x), cc.ArraySpec.of(x)), x)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_an_item_is_alone(likelihood: str) -> None:
    vae, x = make_codec(likelihood)._vae, make_items(make_codec(likelihood), 9).reshape(9, -1)
    start = np.split(vae.encoder(x), 2, axis=1)
    together = vae.inference(x, *start)
    for i in range(len(x)):
        alone = vae.inference(x[i : i + 1], *(part[i : i + 1] for part in start))
        assert all(np.array_equal(a[0], b[i]) for a, b in zip(alone, together, strict=True))


def test_extreme_starts_stay_within_range() -> None:
    vae = make_codec("mixture")._vae
    x = np.repeat(np.array([[0], [255]], np.uint8), vae.pixels, 1)
    for mean, log_scale in ((1 << 16, 128), (-(1 << 16), -640)):
        ends = vae.inference(x, np.full((2, vae.latents), mean), np.full((2, vae.latents), log_scale))
        assert np.abs(ends[0]).max() <= 1 << 16
        assert -640 <= ends[1].min() <= ends[1].max() <= 0


@pytest.mark.parametrize("latents", [1, 2, 5, 50, 64])
def test_signs_cancel(latents: int) -> None:
    """Over all rows, which come once each, any two latents have equal signs as often as not."""
    width = 1 << (latents - 1).bit_length()
    rows = np.array([signs(t, latents) for t in range(width)])
    np.testing.assert_array_equal(rows.T @ rows, width * np.eye(latents, dtype=int))


def test_payloads_of_another_effort_are_no_messages() -> None:
    x = make_items(make_codec("bernoulli"), 60)
    payloads = {effort: unstored(make_codec("bernoulli", effort)).encode(x) for effort in ("standard", "smallest")}
    for effort, other in (("standard", "smallest"), ("smallest", "standard")):
        with pytest.raises(CorruptDataError):
            unstored(make_codec("bernoulli", effort)).decode(payloads[other], cc.ArraySpec.of(x))


def test_older_versions_have_no_effort() -> None:
    x = make_items(make_codec("bernoulli"), 60)
    payload = make_codec("bernoulli").encode(x)
    for version in (1, 2):
        with pytest.raises(CorruptDataError, match="had no effort 'smallest'"):
            make_codec("bernoulli").decode(payload, cc.ArraySpec.of(x), version=version)
        standard = make_codec("bernoulli", "standard")
        np.testing.assert_array_equal(standard.decode(standard.encode(x), cc.ArraySpec.of(x), version=version), x)


def test_unknown_efforts_are_refused() -> None:
    with pytest.raises(ConfigError, match="effort"):
        make_codec("bernoulli", "fast")


def test_models_that_cannot() -> None:
    """Residual connections, and sums that are too large backwards; as ever without effort."""
    model = random_model("bernoulli", (4, 3), hidden=6)
    first, last = VAE(model).decoder.layers
    middle = Layer(np.eye(6, dtype=np.int8), *(np.full(6, v) for v in (0, 0, 0, 4095)), skip=1)
    wide = replace(first, weight=first.weight.astype(np.int64) << 32, shift=first.shift + 32)
    x = np.zeros((3, 4, 3), np.uint8)
    for layers, text in (([first, middle, last], "residual connections"), ([wide, last], "partial sums")):
        decoder = ExactNet(layers, VAE(model).decoder.low, VAE(model).decoder.high).tensors("decoder")
        kept = {key: value for key, value in model.tensors().items() if not key.startswith("decoder")}
        other = Model.create(codec="bbans.vae", config=model.config, tensors=kept | decoder)
        VAECodec(model=other).encode(x)
        with pytest.raises(ModelError, match=text):
            VAECodec(model=other, effort="smallest").encode(x)
