"""The mini reader decodes what ``inr.image``, ``inr.sound`` and ``inr.coin`` encode: two programs, one written from the text."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr.codec import InrCodec
from codecs_inr.coin import CoinCodec
from codecs_inr.kinds import MOST_EXPONENT
from codecs_inr.sine import table
from codecs_inr.sound.codec import SoundCodec
from codecs_inr.testing import random_model
from codecs_inr.weights import WeightsCodec

import codecs_core as cc
from codecs_core.testing import Draw, unstored

MINI = Path(__file__).parents[2] / "spec" / "mini"


@pytest.fixture(scope="module")
def mini() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(MINI))
        spec = importlib.util.spec_from_file_location("mini_inr", MINI / "inr.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        for name in ("entropy", "exact", "rec"):
            patch.delitem(sys.modules, name, raising=False)
        spec.loader.exec_module(module)
        for name in ("entropy", "exact", "rec"):
            del sys.modules[name]
        yield module


def test_the_same_sines(mini: Any) -> None:
    np.testing.assert_array_equal(mini.sines(), table())


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        ((2, 7, 6, 3), {}),
        ((9, 4, 1), {"item_shape": (3, 4, 1)}),
        ((4, 9, 3), {"linear": True, "seed": 3}),
        ((2, 9, 8, 3), {"item_shape": (4, 8, 3), "latents": (3, 2, 4), "linear": True, "index_bits": 3, "window": 9}),
        ((5, 5), {"item_shape": (4, 4, 1), "latents": (2, 3)}),
        ((8, 9), {"item_shape": (4, 5, 1), "index_bits": 11, "hidden": (7,), "groups": 3}),
        ((2, 9, 11), {"item_shape": (2, 3, 1), "shared": (2, 3), "linear": True}),
        ((5, 4, 3), {"item_shape": (8, 8, 3), "shared": (1, 1), "latents": (2, 3), "index_bits": 2, "window": 7}),
        ((5, 5, 3), {"item_shape": (8, 8, 3), "frequencies": 5, "hidden": (9, 2, 9)}),
    ],
)
def test_the_same_images(mini: Any, shape: tuple[int, ...], more: dict[str, Any]) -> None:
    check_any_indices(mini.decode, InrCodec(model=random_model(**more)), cc.ArraySpec(shape, "uint8"))


@pytest.mark.parametrize("more", [{"index_bits": 4, "window": 9}, {"latents": (2, 3)}])
def test_the_same_images_of_models_at_their_limits(mini: Any, more: dict[str, Any]) -> None:
    """Numbers of each level, their sums and the weights are all too large, and cut off."""
    model = random_model((4, 4, 3), linear=True, shared=(2, 1), **more)
    limits = {"mean": 1 << 28, "scale": 1 << 28, "basis": 127, "up": (1 << 15) - 1}
    tensors = {name: np.array(tensor, np.int64) for name, tensor in model.tensors().items()}
    tensors |= {
        name: np.where(tensor < 0, -1, 1) * limits[kind]
        for name, tensor in tensors.items()
        if (kind := name.split(".")[0]) in limits
    }
    made = cc.Model.create(codec="inr.image", config=model.config, tensors=tensors)
    check_any_indices(mini.decode, InrCodec(model=made), cc.ArraySpec((2, 9, 11, 3), "uint8"))


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        ((31,), {"item_shape": (9, 1)}),
        ((9, 2), {"item_shape": (4, 1), "linear": True, "index_bits": 11}),
        ((5, 3), {"item_shape": (8, 1), "frequencies": 5, "hidden": (7,), "groups": 3}),
    ],
)
def test_the_same_sound(mini: Any, shape: tuple[int, ...], more: dict[str, Any]) -> None:
    check_any_indices(mini.decode_sound, SoundCodec(model=random_model(**more)), cc.ArraySpec(shape, "int16"))


def check_any_indices(decode: Any, codec: WeightsCodec, spec: cc.ArraySpec) -> None:
    """Any indices decode; those of an encoder are no others."""
    model, inr, rows = codec.learnt, codec._inr, codec._family(spec).rows
    draw = Draw(3)
    most = (1 << inr.groups.bits) - 1
    index = [draw(0, most, count, groups.count) for groups, count in zip(inr.levels, rows, strict=True)]
    payload = codec._payload(index, draw(0, MOST_EXPONENT, rows[-1]))
    found = decode((model.codec, model.config, model.tensors()), {}, payload, spec.shape, spec.dtype)
    np.testing.assert_array_equal(found, codec._decode(payload, spec))


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((5, 6, 3), {"steps": 3}),
        ((2, 5, 6), {"steps": 2, "digits": 12, "width": 3, "depth": 1}),
        ((3, 4), {"steps": 1, "frequencies": 11, "digits": 1}),
        ((0, 4, 4, 1), {"steps": 1}),
    ],
)
def test_the_same_rounded_weights(mini: Any, shape: tuple[int, ...], settings: dict[str, int]) -> None:
    x = Draw(4)(0, 255, *shape).astype(np.uint8)
    codec = CoinCodec(**settings)
    payload = unstored(codec).encode(x)
    found = mini.decode_coin(payload, shape, "uint8", settings)
    np.testing.assert_array_equal(found, codec._decode(payload, cc.ArraySpec.of(x)))
