"""Models of rec.vae for images of any size, of both kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.testing import random_photograph, random_picture

from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.models import Model

MODELS = [random_photograph(), random_picture()]
both = pytest.mark.parametrize("model", MODELS, ids=["photograph", "picture"])


def noise_image(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


@both
@pytest.mark.parametrize("shape", [(1, 1, 3), (37, 20, 3), (2, 16, 33, 3), (0, 5, 5, 3), (2, 0, 5, 3)])
@pytest.mark.parametrize("more", [{}, {"quality": 1}, {"search": False}, {"effort": "smallest"}])
def test_any_size(model: Model, shape: tuple[int, ...], more: dict[str, Any]) -> None:
    """What is decoded has the shape of what was encoded, and is the same again from the same payload."""
    codec, x = LossyCodec(model=model, **more), noise_image(*shape)
    payload = codec.encode(x)
    decoded = codec.decode(payload, ArraySpec.of(x))
    assert decoded.shape == shape
    again = LossyCodec(model=model, quality=codec.quality, search=codec.search)
    np.testing.assert_array_equal(again.decode(payload, ArraySpec.of(x)), decoded)


@both
def test_an_image_decodes_as_in_a_stack(model: Model) -> None:
    codec, x = LossyCodec(model=model), noise_image(2, 20, 35, 3)
    together = codec.decode(codec.encode(x), ArraySpec.of(x))
    alone = [codec.decode(codec.encode(one), ArraySpec.of(one)) for one in x]
    np.testing.assert_array_equal(together, np.stack(alone))


@both
@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x00" * 9, b"\xff" * 40])
def test_other_bytes_are_refused(model: Model, payload: bytes) -> None:
    with pytest.raises(CorruptDataError):
        LossyCodec(model=model).decode(payload, ArraySpec((40, 40, 3), "uint8"))


@both
def test_damage_is_told(model: Model) -> None:
    """A payload that is cut, one that is longer, one of another size, and one of another quality."""
    codec, x = LossyCodec(model=model), noise_image(64, 64, 3)
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
    with pytest.raises(CorruptDataError):
        LossyCodec(model=model, quality=1).decode(payload, spec)


@both
def test_other_arrays_and_settings_are_refused(model: Model) -> None:
    codec = LossyCodec(model=model)
    for spec in (
        ArraySpec((40, 40), "uint8"),
        ArraySpec((40, 40, 4), "uint8"),
        ArraySpec((40, 40, 3), "bool"),
        ArraySpec((40, 40, 3), "uint16"),
    ):
        with pytest.raises(UnsupportedArrayError):
            codec.check(spec)
    with pytest.raises(ConfigError, match="qualities 1 to 2, not 3"):
        LossyCodec(model=model, quality=3).check(ArraySpec((40, 40, 3), "uint8"))
    with pytest.raises(ConfigError, match="draws no detail"):
        LossyCodec(model=model, detail=1).check(ArraySpec((40, 40, 3), "uint8"))


@both
def test_a_file_of_a_large_image_is_bands(model: Model) -> None:
    codec = LossyCodec(model=model)
    assert codec.default_chunk(ArraySpec((512, 768, 3), "uint8")) == 512
    assert codec.default_chunk(ArraySpec((3000, 4000, 3), "uint8")) == 250
    assert codec.default_chunk(ArraySpec((50, 512, 768, 3), "uint8")) == 1
