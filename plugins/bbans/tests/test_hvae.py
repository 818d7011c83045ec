"""The hierarchical codec: images it takes, previews, its first bits, damaged payloads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.phases import GROUPS, join, split
from codecs_bbans.testing import random_hierarchy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ModelError, UnsupportedArrayError
from codecs_core.exact import colour_forward
from codecs_core.testing import unstored

CODECS = {c: HierarchicalCodec(model=random_hierarchy(c)) for c in (1, 3, 4)}
shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))
images = shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape))


def pixels(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def check_round_trip(codec: HierarchicalCodec, x: NDArray[np.uint8]) -> bytes:
    payload = unstored(codec).encode(x)
    assert np.array_equal(unstored(codec).decode(payload, ArraySpec.of(x)), x)
    return payload


@given(images)
def test_phases_are_those_of_the_image(x: NDArray[np.uint8]) -> None:
    groups = split(x)
    assert [len(group) for group in groups] == [len(group) for group in GROUPS]
    assert sum(phase.size for group in groups for phase in group) == x.size
    assert np.array_equal(join(groups, x.shape[1:3]), x)


@settings(max_examples=40, deadline=None)
@given(images)
def test_round_trip(x: NDArray[np.uint8]) -> None:
    check_round_trip(CODECS[x.shape[3]], x)


@pytest.mark.parametrize("shape", [(7, 5), (6, 7, 1), (3, 8, 8), (1, 40), (1, 1), (0, 0), (0, 8, 8), (8, 0)])
def test_grey(shape: tuple[int, ...]) -> None:
    check_round_trip(CODECS[1], pixels(*shape))


@pytest.mark.parametrize(("shape", "dtype"), [((8, 8), "uint8"), ((8, 8, 4), "uint8"), ((8, 8, 3), "int8")])
def test_what_it_does_not_take(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedArrayError):
        CODECS[3].encode(np.zeros(shape, dtype))


def test_previews() -> None:
    """Level by level, and with one more than there are levels the image itself; the finer levels are not looked at."""
    codec, x = unstored(CODECS[3]), pixels(2, 13, 10, 3)
    payload, spec = codec.encode(x), ArraySpec.of(x)
    shown = [codec.preview(payload, spec, levels) for levels in (1, 2, 3)]
    assert all((y.shape, y.dtype) == (x.shape, x.dtype) for y in shown)
    assert not np.array_equal(shown[0], shown[1])
    assert np.array_equal(shown[2], x)


def test_an_image_draws_its_latents_with_its_own_bits() -> None:
    """What a message takes beyond the evidence bound is its end, since no bits have to be there before the image."""
    hierarchy = Hierarchy(CODECS[3].learnt.config, CODECS[3].learnt.tensors())
    z = colour_forward(pixels(1, 32, 32, 3))
    message, codec = Message(), hierarchy.codec(1, 32, 32)
    bound = codec.push_counted(message, z)
    assert 8 * len(message.to_bytes()) <= bound + 48


def test_samples_are_what_random_bits_decode_to() -> None:
    found = CODECS[3].sample(2, (8, 4), seed=1)
    assert (found.shape, found.dtype) == ((2, 8, 4, 3), np.uint8)
    assert np.array_equal(found, CODECS[3].sample(2, (8, 4), seed=1))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damaged_payloads_are_refused_or_differ(data: Any) -> None:
    codec, x = unstored(CODECS[3]), pixels(6, 5, 3)
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert found.shape == x.shape


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 2},
        {"latents": [2]},
        {"latents": []},
        {"features": 4},
        {"components": 3},
    ],
)
def test_models_that_do_not_fit(change: dict[str, Any]) -> None:
    model = random_hierarchy(3)
    with pytest.raises(ModelError):
        Hierarchy({**model.config, **change}, model.tensors())
