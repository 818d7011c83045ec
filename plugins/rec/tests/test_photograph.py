"""The kind "photograph" of rec.vae: latents on grids, whose priors follow from those already decoded."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.photograph.codec import Chosen, Photographs
from codecs_rec.photograph.lapped import Lapped, lapped, opponent
from codecs_rec.photograph.model import Photograph, shifts
from codecs_rec.photograph.prior import CELLS, Prior
from codecs_rec.testing import random_photograph
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, ModelError, UnsupportedArrayError
from codecs_core.exact import ExactNet
from codecs_core.models import Model

MODEL = random_photograph()
TENSORS = MODEL.tensors()


def noise_image(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


def whole_transform() -> Lapped:
    """All coefficients of a block."""
    places = np.array([(c, u, v) for c in range(3) for u in range(8) for v in range(8)])
    basis, colours = (np.rint(x * (1 << 13)).astype(np.int64) for x in (lapped(), opponent()))
    return Lapped(basis, colours, places)


def random_prior(rng: np.random.Generator, n: int, shift: int = 0) -> Prior:
    parts = (rng.integers(-limit, limit, (n, 2), np.int32) for limit in (300, 3000, 200))
    prior = Prior.unshifted(*parts)
    return prior.shifted(rng.integers(-shift, shift + 1, n)) if shift else prior


def remade(config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced and with probes of its own; a tensor of None is left out."""
    merged = {k: v for k, v in (TENSORS | tensors).items() if v is not None}
    for name in {k.removesuffix(".range") for k in merged if k.endswith(".range")}:
        with contextlib.suppress(ModelError):
            merged |= ExactNet.from_tensors(merged, name, probed=False).tensors(name)
    return Model.create(codec=MODEL.codec, config=MODEL.config if config is None else config, tensors=merged)


@pytest.mark.parametrize("size", [(8, 8), (41, 30), (1, 1), (16, 70)])
def test_the_transform_comes_back(size: tuple[int, int]) -> None:
    """Also at the edges of an image, to within a rounded step of 2^-4."""
    transform, image = whole_transform(), noise_image(*size, 3).astype(np.float64) - 128
    z = np.rint(transform.forward(image) * 16).astype(np.int64)
    np.testing.assert_allclose(transform.inverse(z)[: size[0], : size[1]] / 16, image, atol=0.5)


def test_lapped_cosines_are_orthonormal() -> None:
    y = np.random.default_rng(0).normal(size=(5, 6, 192)) * 64
    transform = whole_transform()
    shown = transform.inverse(np.rint(y * 16).astype(np.int64)) / 16
    inner = np.square(shown).sum(), np.square(y).sum()
    assert inner[0] == pytest.approx(inner[1], rel=1e-2)


@given(st.integers(1, 60), st.integers(0, 128), st.integers(0, 1 << 32))
@settings(deadline=None)
def test_priors_push_and_pop(n: int, shift: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    prior, message = random_prior(rng, n, shift), Message()
    k = np.clip(prior.nearest(rng.normal(size=n) * 20), -CELLS, CELLS)
    prior.push(message, k)
    np.testing.assert_array_equal(prior.pop(message), k)


def test_cells_are_as_likely_as_their_prior_says() -> None:
    """By the logistic distribution in floating point."""
    rng = np.random.default_rng(1)
    prior = random_prior(rng, 200, 128)
    assert 0 < prior.sent.sum() <= 200
    prior = Prior(*(x[prior.sent] for x in (prior.logits, prior.means, prior.log_scales, prior.shift, prior.sent)))
    k = prior.nearest(prior.means[:, 0] / 256 + rng.normal(size=len(prior.means)))
    weights = np.exp2(prior.logits / 64)
    weights /= weights.sum(1, keepdims=True)

    def below(y: Any) -> Any:
        z = (y[:, None] - prior.means / 256) / np.exp2(prior.log_scales / 64)
        return (weights / (1 + np.exp(-z))).sum(1)

    lower = k + prior.shift / 256 - 0.5
    likely = below(lower + 1) - below(lower)
    bits, seen = prior.bits(k), likely > 1e-4
    np.testing.assert_allclose(bits[seen], -np.log2(likely[seen]), atol=0.05)
    parts = lower[:, None] + np.linspace(0, 1, 257)
    held = np.diff(np.stack([below(edge) for edge in parts.T], 1), axis=1)
    expected = ((parts[:, :-1] + parts[:, 1:]) / 2 * held).sum(1) / held.sum(1)
    np.testing.assert_allclose(prior.means_of(k)[seen] / 256, expected[seen], atol=0.03)


def test_means_lie_in_their_cells() -> None:
    """Also of cells that no prior reaches."""
    rng = np.random.default_rng(2)
    prior = random_prior(rng, 400, 128)
    k = rng.integers(-CELLS, CELLS + 1, 400)
    assert np.abs(prior.means_of(k) - prior.centres(k)).max() <= 128


def test_shifted_grids_sample_without_bias() -> None:
    """Centres of cells are uniform around what was encoded, whatever that is."""
    u = shifts(32, 32, 96).reshape(-1)
    empty = np.zeros((u.size, 1), np.int32)
    prior = Prior.unshifted(empty, empty, empty).shifted(u)
    assert prior.sent.all()
    y = np.full(u.size, 0.3)
    error = prior.centres(prior.nearest(y)) / 256 - y
    assert np.abs(error).max() <= 0.5
    assert error.mean() == pytest.approx(-1 / 512, abs=6 * np.sqrt(1 / 12 / u.size))
    assert np.square(error).mean() == pytest.approx(1 / 12, abs=0.002)
    counts = np.histogram(error, 16, (-0.5, 0.5))[0]
    assert np.square(counts - counts.mean()).sum() / counts.mean() < 15 + 6 * np.sqrt(30)


def test_what_is_all_but_known_is_not_sent() -> None:
    """On shifted grids: such latents are where they are expected, and take no bits."""
    scales = np.array([[-384], [0]], np.int32)
    prior = Prior.unshifted(np.zeros_like(scales), np.zeros_like(scales), scales).shifted(np.array([77, 77]))
    assert prior.sent.tolist() == [False, True]
    k = prior.nearest(np.array([0.4, 5.3]))
    assert k.tolist() == [0, 5]
    assert prior.centres(k).tolist() == [0, 5 * 256 + 77]
    assert (prior.bits(k) > 0).tolist() == [False, True]
    nothing = prior.nearest(np.zeros(2))
    assert prior.means_of(nothing)[0] == 0
    message = Message()
    prior.push(message, k)
    assert prior.pop(message).tolist() == [0, 5]


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert MODEL.sha256[:12] == "1e85ec38183a"


@pytest.mark.parametrize("search", [True, False])
def test_payloads_are_as_long_as_what_they_tell(search: bool) -> None:
    photographs = Photographs(Photograph(MODEL), 1, search)
    x = noise_image(64, 48, 3)
    told = sum(prior.bits(k).sum() for prior, k in photographs.choose(x).parts)
    assert 8 * len(photographs.encode(x[None])) == pytest.approx(told, abs=0.01 * told + 80)


def test_search_costs_less_than_the_nearest_cells() -> None:
    photographs, x = Photographs(Photograph(MODEL), 1), noise_image(64, 48, 3)
    chosen = photographs.choose(x)
    first, k = chosen.parts[0]
    y = chosen.y[::4, ::4, :1].reshape(-1)
    near = first.nearest(y)
    assert (np.abs(k) <= np.abs(near)).all()
    assert first.bits(k).sum() <= first.bits(near).sum()


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "photographs"},
        {"kind": ["photograph"]},
        {"groups": []},
        {"groups": [3, 1]},
        {"groups": [1, 4]},
        {"groups": 3},
        {"groups": [1, 2, 3]},
        {"components": 0},
        {"components": 3},
    ],
)
def test_config_must_fit(changed: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        LossyCodec(model=remade({**MODEL.config, **changed})).check(ArraySpec((4, 4, 3), "uint8"))


def test_every_tensor_is_needed() -> None:
    Photograph(remade())
    for name in TENSORS:
        if not name.endswith((".probe", ".skip")):
            with pytest.raises(ModelError):
                Photograph(remade(**{name: None}))


HOSTILE: list[tuple[str, Any]] = [
    ("basis", np.full((8, 24), 8193)),
    ("basis", TENSORS["basis"][:, 1:]),
    ("colours", np.full((3, 3), -8193)),
    ("places", np.zeros((3, 3), np.int8)),
    ("places", np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0]])),
    ("places", np.array([[0, 0, 0], [1, 0, 0], [2, 8, 0]])),
    ("spacings", np.array([900, 0])),
    ("spacings", np.zeros(0, np.int16)),
    ("levels", np.zeros(3, np.int16)),
    ("levels", np.array([-1025, 0])),
    ("first.0.range", np.array([-32766, 32767])),
    ("first.1.0.high", np.full(6, 4097)),
    ("trunk.1.0.low", np.full(2, -1)),
    ("prior.1.0.0.low", np.full(12, -(1 << 19))),
    ("prior.1.1.0.high", np.full(12, 641)),
    ("refine.0.high", np.full(12, 2049)),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=[f"{n}{i}" for i, (n, _) in enumerate(HOSTILE)])
def test_hostile_tensors_are_refused(name: str, value: Any) -> None:
    """Also by who made a probe for them."""
    with pytest.raises(ModelError):
        Photograph(remade(**{name: value}))


@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize("prior", [(4096, 1 << 18, 640), (-4096, -(1 << 18), -384), (0, 0, -384), (0, 0, 640)])
def test_models_at_their_limits_code(prior: tuple[int, int, int], search: bool) -> None:
    """With priors that are the same everywhere: what is decoded is what the encoder saw."""
    limits: dict[str, Any] = {
        "basis": np.full((8, 24), 8192),
        "colours": np.full((3, 3), -8192),
        "spacings": np.array([1, 1 << 14]),
        "levels": np.array([-1024, 1024]),
    }
    for name, tensor in TENSORS.items():
        if name.startswith(("first", "prior")) and name.endswith((".low", ".high")):
            limits[name] = np.repeat(prior, len(tensor) // 3)
    photograph, x = Photograph(remade(**limits)), noise_image(9, 17, 3)
    for quality in range(2):
        photographs = Photographs(photograph, quality, search)
        y = photographs.choose(x).y
        z = photograph.latents_of((9, 17), quality, not search, Chosen(y, search))
        decoded = photographs.decode(photographs.encode(x[None]), (1, 9, 17, 3))
        np.testing.assert_array_equal(decoded[0], photograph.image(z, (9, 17), quality))


def test_training() -> None:
    """A few steps, and a model that codes."""
    from codecs_rec.photograph.network import layout
    from codecs_rec.photograph.train import Settings, learn

    from codecs_core.learn import Run

    rows, columns = np.mgrid[:40, :48]
    images = [np.stack([(rows * a + columns * b) % 256 for a, b in ((1, k), (3, 1), (k, k))], -1) for k in range(3)]
    settings_ = Settings(crop=32, batch=1, steps=2)
    network, model = learn([x.astype(np.uint8) for x in images], settings_, Run(name="tiny"), layout((0, 1), 1))
    assert network.spacings.tolist() == sorted(network.spacings.tolist(), reverse=True)
    photograph, x = Photograph(model), images[0].astype(np.uint8)
    assert (photograph.qualities, photograph.groups) == (16, (1, 3, 5))
    codec = LossyCodec(model=model, quality=8)
    assert codec.decode(codec.encode(x), ArraySpec.of(x)).shape == x.shape


def few_steps(size: int = 32, crop: int = 32, **run: Any) -> Model:
    """A small model of noise."""
    from codecs_rec.photograph.network import layout
    from codecs_rec.photograph.train import Settings, learn

    from codecs_core.learn import Run

    images = [noise_image(size, size, 3) for _ in range(2)]
    return learn(images, Settings(crop=crop, batch=1, steps=2), Run(**run), layout((0, 1), 1))[1]


def test_training_goes_on(tmp_path: Path) -> None:
    """From the checkpoint of one that was interrupted, to the same model."""

    def interrupt(done: float, message: str) -> None:
        if message.startswith("step 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        few_steps(checkpoint=tmp_path / "state", progress=interrupt)
    seen: list[str] = []
    resumed = few_steps(checkpoint=tmp_path / "state", progress=lambda _, message: seen.append(message))
    assert [message[:6] for message in seen] == ["step 2"]
    assert resumed.sha256 == few_steps().sha256


@pytest.mark.parametrize("crop", [31, 40, 1040])
def test_crops_must_be_whole_blocks(crop: int) -> None:
    with pytest.raises(ConfigError, match="crop must be"):
        few_steps(crop=crop)


def test_photographs_smaller_than_a_crop_are_no_training() -> None:
    with pytest.raises(UnsupportedArrayError, match="set a smaller crop"):
        few_steps(31)


def test_networks_see_what_integers_see() -> None:
    """The transform, its inverse, priors and means in floating point are those of the model."""
    import torch
    from codecs_rec.photograph.network import Network, expected, layout, nats

    network, image = Network(layout(), np.array([30.0])), noise_image(32, 40, 3)
    transform = Lapped(whole_transform().basis, whole_transform().colours, network.places)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() - 128
    y = network.analyse(x)
    np.testing.assert_allclose(y[0].permute(1, 2, 0), transform.forward(image - 128.0), atol=0.3)
    shown = network.synthesise(y)[0].permute(1, 2, 0).numpy()
    found = transform.inverse(np.rint(y[0].permute(1, 2, 0).numpy() * 16).astype(np.int64)) / 16
    np.testing.assert_allclose(shown, found, atol=0.5)
    prior = random_prior(np.random.default_rng(5), 300)
    k = prior.nearest(prior.means[:, 0] / 256)
    units = np.log(2) / 64, 1 / 256, np.log(2) / 64
    parts = [
        torch.from_numpy(p.T[None] * u)
        for p, u in zip((prior.logits, prior.means, prior.log_scales), units, strict=True)
    ]
    told = nats(torch.from_numpy(k[None].astype(float)), *parts)[0] / np.log(2)
    np.testing.assert_allclose(told, prior.bits(k), atol=0.05)
    np.testing.assert_allclose(
        expected(torch.from_numpy(k[None].astype(float)), *parts)[0], prior.means_of(k) / 256, atol=0.02
    )
