"""What trainings of images draw, and what they look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codecs_core.exact import colour_forward
from codecs_core.learn import Crops, stacks


def images(n: int, h: int, w: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(seed).integers(0, 256, (n, h, w, 3), np.uint8))


def test_crops_are_parts_of_images() -> None:
    image = images(1, 9, 14)
    batch = Crops(image, 4).draw(np.random.default_rng(0), 20, 6).numpy()
    assert batch.shape == (20, 3, 4, 4)
    whole = np.moveaxis(colour_forward(image[0]), -1, 0)
    parts = np.lib.stride_tricks.sliding_window_view(whole, (4, 4), axis=(1, 2))
    known = {part.tobytes() for part in np.moveaxis(parts, 0, 2).astype(np.float32).reshape(-1, 3, 4, 4)}
    assert all(x.tobytes() in known or x[:, :, ::-1].tobytes() in known for x in batch)


def test_a_crop_is_at_least_a_unit_and_at_most_an_image() -> None:
    crops, rng = Crops([*images(1, 8, 20), *images(1, 16, 12)], 8), np.random.default_rng(0)
    assert crops.draw(rng, 30, 4).shape[2:] == (8, 8)
    assert crops.draw(rng, 30, 64).shape[2:] == (8, 8)
    assert Crops(images(2, 8, 20)).draw(rng, 5, 64).shape[2:] == (8, 20)


def test_stacks_keep_every_image() -> None:
    some = [*images(3, 4, 4), *images(2, 5, 4), *images(1, 4, 4)]
    assert [len(b) for b in stacks(some, 10_000)] == [3, 2, 1]
    assert sum(len(b) for b in stacks(some, 50)) == 2
    assert [b.shape for b in stacks(some, 10_000, 4)] == [(6, 4, 4, 3)]


def test_stacks_are_of_one_dtype_and_a_million_values() -> None:
    """As codecs make chunks: in order, and values are kept."""
    data = [*images(3, 4, 5), *[x.astype(np.uint16) for x in images(2, 4, 5)], *images(400, 32, 32)]
    found = stacks(data, 1 << 30)
    assert [(x.shape, x.dtype) for x in found] == [
        ((3, 4, 5, 3), np.uint8),
        ((2, 4, 5, 3), np.uint16),
        ((341, 32, 32, 3), np.uint8),
        ((59, 32, 32, 3), np.uint8),
    ]
    assert all(np.array_equal(a, b) for a, b in zip([x for stack in found for x in stack], data, strict=True))
