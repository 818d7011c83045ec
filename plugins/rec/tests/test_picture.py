"""The kind "picture" of rec.vae: latents whose priors follow from those already decoded."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.picture.blocks import LEAST, Blocks
from codecs_rec.picture.codec import Chosen, Pictures
from codecs_rec.picture.model import Picture, Place, steps
from codecs_rec.testing import random_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Bits, exponents
from codecs_core.errors import ConfigError, CorruptDataError, ModelError, UnsupportedArrayError
from codecs_core.exact import ExactNet
from codecs_core.models import Model

MODEL = random_picture()
TENSORS = MODEL.tensors()


def noise_image(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


def remade(config: dict[str, Any] | None = None, **tensors: Any) -> Model:
    """The model with some of it replaced and with probes of its own; a tensor of None is left out."""
    merged = {k: v for k, v in (TENSORS | tensors).items() if v is not None}
    for name in {k.removesuffix(".range") for k in merged if k.endswith(".range")}:
        with contextlib.suppress(ModelError):
            merged |= ExactNet.from_tensors(merged, name, probed=False).tensors(name)
    return Model.create(codec=MODEL.codec, config=MODEL.config if config is None else config, tensors=merged)


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert MODEL.sha256[:12] == "05f525f9194a"


@pytest.mark.parametrize("shape", [(1, 1, 3), (37, 20, 3), (2, 16, 33, 3), (0, 5, 5, 3), (2, 0, 5, 3)])
@pytest.mark.parametrize("more", [{}, {"quality": 1}, {"search": False}, {"effort": "smallest"}])
def test_any_size(shape: tuple[int, ...], more: dict[str, Any]) -> None:
    """What is decoded has the shape of what was encoded, and is the same again from the same payload."""
    codec, x = LossyCodec(model=MODEL, **more), noise_image(*shape)
    payload = codec.encode(x)
    decoded = codec.decode(payload, ArraySpec.of(x))
    assert decoded.shape == shape
    np.testing.assert_array_equal(
        LossyCodec(model=MODEL, quality=codec.quality).decode(payload, ArraySpec.of(x)), decoded
    )


def test_an_image_decodes_as_in_a_stack() -> None:
    codec, x = LossyCodec(model=MODEL), noise_image(2, 20, 35, 3)
    together = codec.decode(codec.encode(x), ArraySpec.of(x))
    alone = [codec.decode(codec.encode(one), ArraySpec.of(one)) for one in x]
    np.testing.assert_array_equal(together, np.stack(alone))


class Replayed:
    """What was chosen, once more."""

    def __init__(self, chosen: Chosen) -> None:
        self.kinds, self.found = iter(chosen.kinds), iter(chosen.blocks)
        self.boxes_of = iter([rest for codec, rest in chosen.parts if isinstance(codec, Bits)])

    def classes(self, step: int, place: Place, means: Any, told: Any) -> Any:
        known, k = next(self.kinds)
        assert known == step
        return k

    def boxes(self, blocks: Blocks, place: Place | None, means: Any) -> Any:
        """As they were, for blocks that are what they were."""
        (known, number), rest = next(self.found), next(self.boxes_of)
        np.testing.assert_array_equal(known.members, blocks.members)
        np.testing.assert_array_equal(known.numbers, blocks.numbers)
        return rest >> exponents(number), number


def test_decoding_repeats_what_the_encoder_saw() -> None:
    """Latents, step by step."""
    picture, image = Picture(MODEL), noise_image(50, 41, 3)
    again = Replayed(Pictures(picture, 1).choose(image))
    z = picture.latents_of((50, 41), 1, again)
    assert z.shape == (8, 6, picture.latents)
    assert next(again.found, None) is None


def test_every_latent_is_in_one_step() -> None:
    seen = np.zeros((7, 9, 3), np.int64)
    for group, phases in steps(3):
        place, values = Place(phases, slice(group, group + 1)), seen.copy()
        place.put(values, place.take(values) + 1)
        assert np.abs(values - seen).sum() == place.take(seen).size
        seen = values
    assert (seen == 1).all()


@given(told=st.lists(st.integers(0, 511), max_size=200), bits=st.integers(1, 17))
@settings(deadline=None)
def test_blocks_hold_what_is_told(told: list[int], bits: int) -> None:
    information = np.array(told, np.int64)
    blocks = Blocks.of(information, 300, bits, 5)
    sent = blocks.members[blocks.members >= 0]
    np.testing.assert_array_equal(np.sort(sent), np.flatnonzero(information >= LEAST))
    np.testing.assert_array_equal(blocks.information[blocks.members >= 0], information[sent])
    loads = blocks.information.sum(1)
    assert blocks.count == 0 or loads.max() - loads.min() <= information.max()
    # a box and the rest of an index of 21 octaves are one integer
    assert blocks.bits().max(initial=0) <= 42
    assert blocks.numbers.tolist() == list(range(5, 5 + blocks.count))


def test_samples_have_the_deviation_of_the_noise() -> None:
    """Without search, what is decoded is a sample: of the posterior's mean and variance."""
    rng = np.random.default_rng(4)
    information = rng.integers(64, 200, 3000)
    blocks = Blocks.of(information, 256, 12, 0)  # noise of deviation 16
    scale = 16 * np.sqrt(4.0 ** (information / 64))
    away = rng.standard_normal(information.size) * scale
    box, number = blocks.choose(blocks.standardised(away), 1 << 14, np.empty(0))
    z = blocks.values(box, number, information.size) / 16
    share = (16 / scale) ** 2
    error = (z - away * (1 - share)) / (16 * np.sqrt(1 - share))
    assert abs(error.mean()) < 6 / np.sqrt(error.size)
    assert np.square(error).mean() == pytest.approx(1, abs=6 * np.sqrt(2 / error.size))


def test_search_is_nearer_than_a_sample() -> None:
    image, picture = noise_image(64, 48, 3), Picture(MODEL)
    y = picture.analyse(image)

    def error(**more: Any) -> float:
        z = picture.latents_of((64, 48), 1, Replayed(Pictures(picture, 1, **more).choose(image)))
        return float(np.square(z / 16 - y).mean())

    assert error() < error(search=False)


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x00" * 9, b"\xff" * 40])
def test_other_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(CorruptDataError):
        LossyCodec(model=MODEL).decode(payload, ArraySpec((40, 40, 3), "uint8"))


def test_damage_is_told() -> None:
    """A payload that is cut, one that is longer, and one of another size."""
    codec, x = LossyCodec(model=MODEL), noise_image(64, 64, 3)
    payload, spec = codec.encode(x), ArraySpec.of(x)
    for other in (payload[:-1], payload[: len(payload) // 2], payload + b"\x01"):
        with pytest.raises(CorruptDataError):
            codec.decode(other, spec)
    for shape in ((64, 80, 3), (32, 64, 3), (2, 64, 64, 3)):
        with pytest.raises(CorruptDataError):
            codec.decode(payload, ArraySpec(shape, "uint8"))
    for version in (1, 2):
        with pytest.raises(CorruptDataError):
            codec.decode(payload, spec, version=version)


def test_what_is_no_picture_is_refused() -> None:
    codec = LossyCodec(model=MODEL)
    for spec in (
        ArraySpec((40, 40), "uint8"),
        ArraySpec((40, 40, 4), "uint8"),
        ArraySpec((40, 40, 3), "bool"),
        ArraySpec((40, 40, 3), "uint16"),
    ):
        with pytest.raises(UnsupportedArrayError):
            codec.check(spec)
    with pytest.raises(ConfigError, match="qualities 1 to 2, not 3"):
        LossyCodec(model=MODEL, quality=3).check(ArraySpec((40, 40, 3), "uint8"))


def test_a_file_of_a_large_image_is_bands() -> None:
    codec = LossyCodec(model=MODEL)
    assert codec.default_chunk(ArraySpec((512, 768, 3), "uint8")) == 512
    assert codec.default_chunk(ArraySpec((3000, 4000, 3), "uint8")) == 250
    assert codec.default_chunk(ArraySpec((50, 512, 768, 3), "uint8")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "pictures"},
        {"groups": []},
        {"groups": [2, 1]},
        {"groups": [1, 3]},
        {"groups": 2},
        {"groups": [1, 2, 3]},
        {"hyper": 0},
        {"hyper": 3},
        {"block_bits": 18},
        {"block_bits": 5},
    ],
)
def test_config_must_fit(changed: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        LossyCodec(model=remade({**MODEL.config, **changed})).check(ArraySpec((4, 4, 3), "uint8"))


def test_every_tensor_is_needed() -> None:
    Picture(remade())
    for name in TENSORS:
        if not name.endswith((".probe", ".skip")):
            with pytest.raises(ModelError):
                Picture(remade(**{name: None}))


HOSTILE: list[tuple[str, Any]] = [
    ("noises", np.full(2, 512)),
    ("noises", np.zeros(0, np.int16)),
    ("units", np.full(2, 13)),
    ("signs", np.full((2, 2), 2)),
    ("hyper_information", np.full(2, 512)),
    ("octaves", TENSORS["octaves"][:-1]),
    ("octaves", TENSORS["octaves"] * 2),
    ("boosts", np.full(3, 512)),
    ("classes", TENSORS["classes"][1:]),
    ("classes", TENSORS["classes"][:, 1:]),
    ("analysis", TENSORS["analysis"][..., 1:]),
    ("synthesis.range", np.array([-32767, 32766])),
    ("synthesis.0.high", np.full(192, 4097)),
    ("prior.0.0.low", np.array([-16383, -1])),
    ("prior.0.0.high", np.array([16383, 512])),
    ("prior.2.0.high", np.array([16384, 511])),
    ("refine.0.high", np.full(12, 2049)),
    ("hyper_decoder.range", np.array([-2047, 2048])),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=[f"{n}{i}" for i, (n, _) in enumerate(HOSTILE)])
def test_hostile_tensors_are_refused(name: str, value: Any) -> None:
    """Also by who made a probe for them."""
    with pytest.raises(ModelError):
        Picture(remade(**{name: value}))


def test_training() -> None:
    """A few steps, and a model that codes."""
    from codecs_rec.picture.cosines import Layout
    from codecs_rec.picture.train import Settings, learn

    from codecs_core.learn import Run

    rows, columns = np.mgrid[:40, :48]
    images = [np.stack([(rows * a + columns * b) % 256 for a, b in ((1, k), (3, 1), (k, k))], -1) for k in range(3)]
    settings_ = Settings(crop=32, batch=1, steps=2)
    few = Layout(((0, 0), (1, 0)))
    network, model = learn([x.astype(np.uint8) for x in images], settings_, Run(name="tiny"), few)
    assert network.noises.tolist() == sorted(network.noises.tolist(), reverse=True)
    picture, x = Picture(model), images[0].astype(np.uint8)
    assert (picture.qualities, picture.groups) == (8, (3, 5))
    codec = LossyCodec(model=model, quality=1)
    assert codec.decode(codec.encode(x), ArraySpec.of(x)).shape == x.shape


def test_lapped_cosines_are_orthonormal() -> None:
    """Also at the edges of an image, where latents are mirrored with their signs: what is analysed comes back."""
    import torch
    from codecs_rec.picture.cosines import Layout
    from codecs_rec.picture.network import Transform

    whole = Layout(((14, 14),))
    assert len(whole.latents) == 64 + 2 * 16
    network, x = Transform(whole, np.array([300])), torch.randn(1, 3, 48, 32, generator=torch.manual_seed(0))
    with torch.no_grad():
        kept = network.synthesise(network.analyse(x))
        again = network.synthesise(network.analyse(kept))
    torch.testing.assert_close(again, kept, atol=1e-4, rtol=0)
    brightness = kept.sum(1) - x.sum(1)
    assert float(brightness.abs().max()) < 1e-4
