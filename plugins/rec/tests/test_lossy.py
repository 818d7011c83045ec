"""Whatever a lossy model holds, it is refused when it is loaded, or it codes."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from codecs_rec.latents import prices
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.lossy.detail import NOISE_BITS, NOISES, noise
from codecs_rec.lossy.model import SEARCHED, LossyVAE
from codecs_rec.lossy.plan import LARGEST, amplitudes, gains_of, plan, whole_plan
from codecs_rec.lossy.refine import SHORT, refined
from codecs_rec.testing import OlderLossyCodec, random_lossy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.entropy import exponents
from codecs_core.errors import ConfigError, ModelError
from codecs_core.exact import ExactNet
from codecs_core.models import Model

MODEL = random_lossy((2, 4, 3))


def remade(config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced and with a probe of its own; a tensor of None is left out."""
    merged = {k: v for k, v in (MODEL.tensors() | tensors).items() if v is not None}
    if not any(name.endswith("probe") for name in tensors):
        with contextlib.suppress(ModelError):
            merged |= ExactNet.from_tensors(merged, "decoder", probed=False).tensors("decoder")
    return Model.create(codec=MODEL.codec, config=MODEL.config if config is None else config, tensors=merged)


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert MODEL.sha256[:12] == "be387835c6b6"


def test_every_tensor_is_needed() -> None:
    LossyVAE(MODEL)
    for name in MODEL.tensors():
        with pytest.raises(ModelError):
            LossyVAE(remade(**{name: None}))


@pytest.mark.parametrize(
    "changed",
    [
        {"item_shape": 6},
        {"item_shape": [24]},
        {"item_shape": [2, 4]},
        {"item_shape": [2, 4, -3]},
        {"item_shape": [2, 4, 3.0]},
        {"item_shape": [2, 1 << 20, 3]},
        {"largest": 2},
        {"largest": True},
        {"squeeze": 3},
        {"squeeze": 4},
        {"block_bits": 0},
        {"block_bits": 18},
        {"block_bits": None},
    ],
)
def test_config_must_fit(changed: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        LossyVAE(remade({**MODEL.config, **changed}))


TENSORS = MODEL.tensors()
HOSTILE: list[tuple[str, Any]] = [
    ("rows", np.full((2, 2), 1 << 14)),
    ("rows", np.zeros((4, 4), np.int16)),
    ("colours", np.zeros((3, 3), np.float32)),
    ("places", TENSORS["places"][::-1].copy()),
    ("places", TENSORS["places"] + 24),
    ("places", np.zeros(0, np.int32)),
    ("deviations", TENSORS["deviations"][:, 1:]),
    ("deviations", TENSORS["deviations"] + 1024),
    ("deviations", TENSORS["deviations"] * -1),
    ("noises", np.zeros(65, np.int16)),
    ("noises", np.full(2, 1024)),
    ("classes", TENSORS["classes"] * 2),
    ("octaves", TENSORS["octaves"] * 2),
    ("octaves", TENSORS["octaves"][:-1]),
    ("octaves", np.full((TENSORS["octaves"].shape[0], 32), 1 << 15)),
    ("decoder.range", np.array([-4096, 4095])),
    ("decoder.1.high", np.full(len(TENSORS["decoder.1.high"]), 1 << 16)),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=[f"{n}{i}" for i, (n, _) in enumerate(HOSTILE)])
def test_hostile_tensors_are_refused(name: str, value: Any) -> None:
    """Also by who made a probe for them."""
    with pytest.raises(ModelError):
        LossyVAE(remade(**{name: value}))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_damaged_tensors(seed: int) -> None:
    """Whatever a model holds: an error when it is loaded, or a codec that works."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(sorted(TENSORS)))
    damaged = TENSORS[name].copy()
    view = damaged.reshape(-1).view(np.uint8)
    view[rng.integers(0, view.size)] ^= 1 << int(rng.integers(0, 8))
    codec = LossyCodec(model=remade(**{name: damaged}))
    try:
        _ = codec._vae
    except ModelError:
        return
    x = rng.integers(0, 256, (3, 2, 4, 3)).astype(np.uint8)
    decoded = codec.decode(codec.encode(x), ArraySpec.of(x))
    assert decoded.shape == x.shape


@given(
    deviations=st.lists(st.integers(0, 1023), min_size=1, max_size=80),
    noise=st.integers(0, 1023),
    bits=st.integers(1, 17),
)
def test_blocks_hold_about_equal_information(deviations: list[int], noise: int, bits: int) -> None:
    d = np.array(deviations)
    for how in (plan(d, noise, bits), whole_plan(d, noise, bits)):
        sent = sorted(i for block in how.blocks for i in block.tolist())
        assert sent == np.flatnonzero(d > noise).tolist()
        assert (how.gains[d <= noise] == 0).all()
        loads = [int((d[block] - noise).sum()) for block in how.blocks]
        if not loads:
            continue
        # dealt forwards and backwards, two blocks differ by the largest latent at most
        assert max(loads) - min(loads) <= int(d.max()) - noise
        assert 0 <= how.row <= bits
        if how.whole:
            assert how.row == min(sum(loads) // (64 * len(loads)), bits)
            assert len(loads) == len(sent) or sum(loads) <= 64 * bits * len(loads)
        else:
            # a box and the rest of an index of 21 octaves are one integer
            assert max(how.bits()) <= LARGEST + 6
            assert (np.abs(64 * how.cuts - np.maximum(d - noise, 0))[d - noise <= 384] <= 32).all()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("quality", [1, 2])
def test_older_payloads(version: int, quality: int) -> None:
    """They decode to what they decoded to: blocks were not cut then."""
    x = np.random.default_rng(5).integers(0, 256, (30, 2, 4, 3)).astype(np.uint8)
    older, codec = OlderLossyCodec(model=MODEL, quality=quality), LossyCodec(model=MODEL, quality=quality)
    payload, spec = older.encode(x), ArraySpec.of(x)
    decoded = codec.decode(payload, spec, version=version)
    np.testing.assert_array_equal(decoded, older.decode(payload, spec))
    assert codec.encode(x) != payload


def test_samples_have_the_deviation_of_the_noise() -> None:
    """Without search, decoded latents are samples of the posterior: of its variance."""
    vae = LossyVAE(MODEL)
    y = np.random.default_rng(6).integers(-900, 900, (150, vae.deviations.shape[1]))
    k, ratios = np.arange(150) % 3, []
    box, number = vae.indices(y, k, 1, search=0)
    z = vae.latents(box[..., 0], number[..., 0], k, 1) / 16
    for c in range(3):
        mean, scale = vae.posterior(y[k == c], 1, c)
        unit = vae.plan(1, c).gains / 256
        within = (np.abs(mean) < 3.5) & (unit > 0)  # what the grid reaches
        ratios.append(((z[k == c] / np.where(unit > 0, unit, 1) - mean) / scale)[within])
    errors = np.concatenate(ratios)
    assert np.square(errors).mean() == pytest.approx(1, abs=6 * np.sqrt(2 / errors.size))


def test_the_decoded_image_decides_between_proposals() -> None:
    """By squared error and price together. Neither the linear decoder nor the order of the proposals knows them."""
    vae, x = LossyVAE(MODEL), np.random.default_rng(7).integers(0, 256, (6, 24)).astype(np.uint8)
    y = vae.coefficients(x)
    k = vae.classify(y, 1)
    box, number = vae.indices(y, k, 1, search=SEARCHED["smallest"], length=SHORT)
    nats, unit = prices(vae.octaves), 0.5 * 4.0 ** (-vae.noises[1] / 64)

    def loss(box: Any, number: Any, i: int) -> float:
        how, sent = vae.plan(1, int(k[i])), number[i] > 0
        z = vae.latents(box[i : i + 1], number[i : i + 1], k[i : i + 1], 1)
        return float(vae.errors(z, x[i], 1)[0] * unit + nats[how.row][exponents(number[i, sent])].sum())

    better = refined(vae, x, k, 1, box, number)
    gains = [loss(box[..., 0], number[..., 0], i) - loss(*better, i) for i in range(len(x))]
    assert min(gains) >= 0
    assert max(gains) > 0
    for a, b in zip(better, (box, number), strict=True):
        assert (a[..., None] == b).any(2).all()


def test_effort_is_of_encoders_alone() -> None:
    """More effort finds latents with less of rate and distortion together, and any codec decodes them."""
    x = np.random.default_rng(8).integers(0, 256, (40, 2, 4, 3)).astype(np.uint8)
    vae, codec = LossyVAE(MODEL), LossyCodec(model=MODEL, quality=2)
    unit, losses = 0.5 * 4.0 ** (-vae.noises[1] / 64), []
    for effort in SEARCHED:
        payload = LossyCodec(model=MODEL, quality=2, effort=effort).encode(x)
        error = np.square(codec.decode(payload, ArraySpec.of(x)).astype(float) - x).sum()
        losses.append(float(error * unit + 8 * len(payload) * np.log(2)))
    assert losses[1] < losses[0]


def test_gains() -> None:
    d = np.arange(300, 1024, 7)
    noise = 290
    exact = np.sqrt(4.0 ** (d / 64) - 4.0 ** (noise / 64))
    np.testing.assert_allclose(gains_of(d, d - noise) / 256, exact, rtol=2e-3)
    assert amplitudes()[0] == 0
    assert (np.diff(amplitudes()) >= 0).all()


ARTIST = random_lossy((4, 6, 3), detail=True)


def shown(detail: int) -> NDArray[np.int64]:
    x = np.random.default_rng(9).integers(0, 256, (5, 4, 6, 3)).astype(np.uint8)
    codec = LossyCodec(model=ARTIST, quality=1, detail=detail)
    assert codec.encode(x) == LossyCodec(model=ARTIST, quality=1).encode(x)
    return codec.decode(codec.encode(x), ArraySpec.of(x)).astype(np.int64)


def test_detail_is_added_by_hundredths() -> None:
    """To payloads that are the same: of values that are within their range, half of the detail lies half way."""
    none, half, whole = shown(0), shown(50), shown(100)
    inside = (whole > 0) & (whole < 255) & (none > 0) & (none < 255)
    assert inside.any()
    assert (none != whole).any()
    assert np.abs(2 * half - none - whole)[inside].max() <= 2


def test_detail_does_not_depend_on_other_items() -> None:
    codec = LossyCodec(model=ARTIST, detail=100)
    x = np.random.default_rng(10).integers(0, 256, (3, 4, 6, 3)).astype(np.uint8)
    alone = [codec.decode(codec.encode(one[None]), ArraySpec.of(x[:1])) for one in x]
    np.testing.assert_array_equal(codec.decode(codec.encode(x), ArraySpec.of(x)), np.concatenate(alone))


def test_noise_is_normal() -> None:
    drawn = noise(40, 50) / (1 << NOISE_BITS)
    assert drawn.shape == (40, 50, NOISES)
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
    assert np.abs(np.corrcoef(drawn.reshape(-1, NOISES).T) - np.eye(NOISES)).max() < 0.1


def test_a_model_without_detail_says_so() -> None:
    with pytest.raises(ConfigError, match="draws no detail"):
        LossyCodec(model=MODEL, detail=1).check(ArraySpec.of(np.zeros((1, 2, 4, 3), np.uint8)))
    payload = LossyCodec(model=MODEL).encode(np.zeros((1, 2, 4, 3), np.uint8))
    with pytest.raises(ConfigError, match="draws no detail"):
        LossyCodec(model=MODEL, detail=1).decode(payload, ArraySpec((1, 2, 4, 3), "uint8"))


@pytest.mark.parametrize("lost", ["detail.0.weight", "detail.1.high", "detail.range", "detail.probe"])
def test_a_part_of_a_network_is_refused(lost: str) -> None:
    tensors = {name: tensor for name, tensor in ARTIST.tensors().items() if name != lost}
    with pytest.raises(ModelError):
        LossyVAE(Model.create(codec=ARTIST.codec, config=ARTIST.config, tensors=tensors))
