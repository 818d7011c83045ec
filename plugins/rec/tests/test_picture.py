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
from codecs_core.errors import ModelError
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


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "pictures"},
        {"kind": ["picture"]},
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
