"""The codec: what it takes and refuses, previews, efforts, and models that do not fit."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr import decoder
from codecs_inr.codec import InrCodec
from codecs_inr.coin import CoinCodec
from codecs_inr.hierarchy import Family
from codecs_inr.model import INR
from codecs_inr.packing import packed
from codecs_inr.testing import random_model

import codecs_core as cc
from codecs_core.errors import ConfigError, CorruptDataError, ModelError, UnsupportedArrayError
from codecs_core.testing import Draw

MODEL = random_model()
CODEC = InrCodec(model=MODEL, effort="fast")
LATENTS = InrCodec(
    model=random_model((4, 8, 3), latents=(2, 3, 2), linear=True, index_bits=2, window=6, groups=12), effort="fast"
)
#: Exponents of images.
ZEROS = np.zeros(70, np.int64)
ONE = Family.alone(1)


def waves(*shape: int) -> Any:
    """Images that a network of random weights can come near to."""
    return np.clip(Draw(1)(-9, 9, *shape) + 128 + 40 * np.sin(np.arange(shape[-1])), 0, 255).astype(np.uint8)


def error(codec: InrCodec, x: Any) -> float:
    y = codec.decode(codec.encode(x), cc.ArraySpec.of(x))
    return float(np.square(x.astype(float) - y).mean())


def test_every_image_takes_the_same_number_of_bytes() -> None:
    groups = CODEC._inr.groups
    for shape, patches in (((2, 9, 11, 3), 18), ((4, 10, 3), 2), ((1, 8, 5, 3), 2)):
        assert len(CODEC.encode(waves(*shape))) == -(-patches * groups.count * groups.bits // 8)


def test_a_longer_fit_comes_nearer() -> None:
    model = random_model((8, 8, 3), groups=8, index_bits=10, hidden=(8, 8), steps=(100, 5))
    x = waves(2, 8, 8, 3)
    found = [error(InrCodec(model=model, effort=effort), x) for effort in ("fast", "smallest")]
    assert found[1] < found[0] < np.square(x.astype(float) - x.mean()).mean() * 50


def test_an_encoder_tells_the_rate_and_the_distortion_so_far(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    cc.save(tmp_path / "x.ccf", waves(2, 4, 5, 3), codec=CODEC, progress=lambda *each: told.append(each))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 1
    assert told[-1] == (1.0, "inr.image")
    assert re.fullmatch(r"inr.image: [0-9.]+ bits per pixel, -?[0-9.]+ dB, 0 of 4 groups", told[0][1])
    assert "3 of 4 groups" in told[-2][1]


def test_previews_come_nearer_group_by_group() -> None:
    model = random_model((8, 8, 3), groups=8, index_bits=10, hidden=(8, 8), steps=(100, 5))
    codec, x = InrCodec(model=model), waves(3, 8, 8, 3)
    payload, spec = codec.encode(x), cc.ArraySpec.of(x)
    errors = [np.square(x.astype(float) - codec.preview(payload, spec, k)).mean() for k in (0, 4, 8)]
    assert errors[2] < errors[1] < errors[0]
    np.testing.assert_array_equal(codec.preview(payload, spec, 8), codec.decode(payload, spec))


def test_patches_do_not_depend_on_each_other_in_a_decoder() -> None:
    index = Draw(2)(0, 63, 70, CODEC._inr.groups.count)
    together = CODEC._inr.values([index], ZEROS[:70], Family.alone(70))
    for i in (0, 33, 69):
        np.testing.assert_array_equal(CODEC._inr.values([index[i : i + 1]], ZEROS[:1], ONE)[0], together[i])


def test_a_finer_grid_shows_the_same_image() -> None:
    index = Draw(3)(0, 63, 1, CODEC._inr.groups.count)
    coarse, fine = (CODEC._inr.values([index], ZEROS[:1], ONE, grid) for grid in ((4, 5), (12, 15)))
    assert fine.shape == (1, 12, 15, 3)
    np.testing.assert_array_equal(fine[:, 1::3, 1::3], coarse)


@pytest.mark.parametrize("codec", [CODEC, LATENTS])
def test_integers_are_near_to_floating_point(codec: InrCodec) -> None:
    inr = codec._inr
    index = Draw(4)(0, 63, 9, inr.groups.count)
    w = (inr.weights([index], Family.alone(9)) * inr.units).astype(np.float32)
    expected = np.clip(64 * inr.network(w, inr.features) + 127.5, 0, 255)
    assert np.abs(expected - inr.values([index], ZEROS[:9], Family.alone(9)).reshape(expected.shape)).max() < 1


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((4, 5), np.uint8), "3 channels"),
        (np.zeros((4, 5, 4), np.uint8), "3 channels"),
        (np.full((4, 5, 3), np.nan), "uint8"),
        (np.zeros((4, 5, 3), np.int16), "uint8"),
        (np.zeros(60, np.uint8), "dimensions"),
    ],
)
def test_other_arrays_are_refused(x: Any, words: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=words):
        CODEC.encode(x)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="effort must be one of fast, standard, smallest, got 'slow'"):
        InrCodec(effort="slow")


def test_damaged_payloads_are_refused() -> None:
    x = waves(4, 5, 3)
    payload = CODEC.encode(x)
    for damaged in (payload[:-1], payload + b"\0"):
        with pytest.raises(CorruptDataError, match="must have 3 bytes"):
            CODEC.decode(damaged, cc.ArraySpec.of(x))


def remade(config: dict[str, Any] | None = None, **tensors: Any) -> Any:
    every = {k: v for k, v in (MODEL.tensors() | tensors).items() if v is not None}
    return cc.Model.create(codec="inr.image", config=MODEL.config | (config or {}), tensors=every)


@pytest.mark.parametrize(
    "config",
    [
        {"item_shape": [4, 5]},
        {"item_shape": [4, 5, 2]},
        {"item_shape": [4, 5, 1]},
        {"item_shape": [4, 1 << 13, 3]},
        {"item_shape": [1 << 12, 1 << 12, 3]},
        {"hidden": []},
        {"hidden": [4, 4]},
        {"hidden": [4, 1024]},
        {"hidden": [4, 3.0]},
        {"index_bits": 0},
        {"index_bits": 21},
        {"index_bits": True},
        {"linear": 1},
        {"linear": True},
        {"steps": [5]},
        {"steps": [5, 0]},
        {"variance": 0},
        {"variance": None},
        {"variance": [25]},
    ],
)
def test_configs_that_do_not_fit(config: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"does not fit codec inr\.image"):
        INR(remade(config))


MEAN, GROUP = MODEL.tensors()["mean"], MODEL.tensors()["group"]


@pytest.mark.parametrize(
    "tensors",
    [
        {"mean": None},
        {"mean": MEAN[1:]},
        {"mean": MEAN.astype(np.float32)},
        {"mean": MEAN.astype(np.int64) + (1 << 29)},
        {"scale": -np.ones_like(MEAN)},
        {"group": np.full_like(GROUP, -1)},
        {"group": np.where(GROUP == 1, 2, GROUP)},
        {"group": np.full_like(GROUP, len(GROUP))},
        {"frequencies": np.zeros(0, np.int32)},
        {"frequencies": np.full(2, -1)},
        {"frequencies": np.full(300, 5)},
    ],
)
def test_tensors_that_do_not_fit(tensors: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"does not fit codec inr\.image"):
        INR(remade(**tensors))


def test_a_model_of_another_codec() -> None:
    with pytest.raises(cc.CodecsError):
        InrCodec(model=cc.Model.create(codec="other", config={}, tensors={})).encode(waves(4, 5, 3))


def test_neither_encoding_nor_decoding_needs_torch(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", waves(2, 4, 5, 3))
    code = (
        "import sys, numpy as np, codecs_core as cc; x = np.load(sys.argv[2]); "
        "cc.save('a.ccf', x, codec='inr.image', model=sys.argv[1], embed_model=True); assert cc.load('a.ccf').shape == x.shape; "
        "assert 'torch' not in sys.modules"
    )
    run = [sys.executable, "-c", code, "m.safetensors", "x.npy"]
    subprocess.run(run, check=True, timeout=120, cwd=tmp_path)


def test_any_resolution_is_evaluated_at_the_same_places() -> None:
    """The middle one of three places is that of the item itself: patches, chunks and borders do not move it."""
    x = waves(2, 9, 11, 3)
    payload, spec = CODEC.encode(x), cc.ArraySpec.of(x)
    whole, fine = CODEC.decode(payload, spec), CODEC.scaled(payload, spec, 3)
    assert fine.shape == (2, 27, 33, 3)
    np.testing.assert_array_equal(fine[:, 1::3, 1::3], whole)
    np.testing.assert_array_equal(CODEC.scaled(payload, spec, 9)[:, 1::3, 1::3], fine)
    np.testing.assert_array_equal(CODEC.scaled(payload, spec, "1/3"), whole[:, 1::3, 1::3][:, :3, :4])


def test_a_lower_resolution_evaluates_fewer_places(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        decoder,
        "_values",
        lambda n, w, x, *rest, values=decoder._values: seen.append(len(w) * len(x)) or values(n, w, x, *rest),
    )
    x = waves(2, 8, 10, 3)
    payload, spec = CODEC.encode(x), cc.ArraySpec.of(x)
    for scale, places in ((1, 160), ("1/2", 40), (2, 640)):
        seen.clear()
        CODEC.scaled(payload, spec, scale)
        assert sum(seen) == places


@pytest.mark.parametrize("shape", [(8, 10, 3), (2, 5, 9, 3)])
def test_channels_between_cells_are_those_of_the_cells_where_these_are(shape: tuple[int, ...]) -> None:
    x = waves(*shape)
    payload, spec = LATENTS.encode(x), cc.ArraySpec.of(x)
    whole = LATENTS.decode(payload, spec)
    np.testing.assert_array_equal(LATENTS.scaled(payload, spec, 1), whole)
    np.testing.assert_array_equal(LATENTS.scaled(payload, spec, 3)[..., 1::3, 1::3, :], whole)
    np.testing.assert_array_equal(LATENTS.preview(payload, spec, 12), whole)


def test_a_fit_with_latents_comes_near() -> None:
    model = random_model((8, 8, 3), latents=(4, 3), hidden=(6,), index_bits=4, window=10, groups=30, steps=(100, 10))
    x = waves(2, 8, 8, 3)
    errors = [error(InrCodec(model=model, effort=effort), x) for effort in ("fast", "smallest")]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("codec", [CODEC, LATENTS, CoinCodec(width=3, depth=1, steps=3)])
def test_blocks_of_places_are_as_all_at_once(codec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x = waves(8, 10, 3)
    payload, spec = codec.encode(x), cc.ArraySpec.of(x)
    whole = codec.scaled(payload, spec, "7/2")
    monkeypatch.setattr(decoder, "_PLACES", 40)
    np.testing.assert_array_equal(codec.scaled(payload, spec, "7/2"), whole)


def test_a_file_has_any_resolution_whatever_its_chunks_are(tmp_path: Path) -> None:
    x, path = waves(23, 10, 3), tmp_path / "x.ccf"
    shown = []
    for chunk in (4, 12, 23):
        cc.save(path, x, codec=DrawnRows(model=MODEL), chunk=chunk)
        with cc.open(path, models=[MODEL]) as file:
            shown.append([file[""].scaled(scale) for scale in (1, "3/5", 2.5)])
            part = file[""].scaled(2.5, np.s_[5:20, 2:7])
            np.testing.assert_array_equal(part, shown[-1][2][12:50, 5:17])
            np.testing.assert_array_equal(shown[-1][0], file[""][...])
            with pytest.raises(ConfigError, match="nothing is left; take a larger scale"):
                file[""].scaled("1/100")
            with pytest.raises(IndexError, match="slices without a step"):
                file[""].scaled(2, np.s_[::2])
    assert [one.shape for one in shown[0]] == [(23, 10, 3), (14, 6, 3), (57, 25, 3)]
    for others in shown[1:]:
        for one, other in zip(shown[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


@dataclass(frozen=True, kw_only=True)
class DrawnRows(InrCodec):
    """Every patch has the same indices, so that chunks do not matter."""

    def _encode(self, chunk: Any) -> bytes:
        groups, patches = self._inr.groups, self._patches(cc.ArraySpec.of(chunk))
        index = np.repeat(Draw(3)(0, (1 << groups.bits) - 1, groups.count)[:, None], patches, 1)
        return packed(index, groups.bits)
