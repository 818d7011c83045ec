"""Patches that share what they have in common: their family, its prior, its training, and the codec with such a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr.codec import InrCodec
from codecs_inr.em import Alternation
from codecs_inr.hierarchy import Family, Shared
from codecs_inr.model import INR
from codecs_inr.network import Siren
from codecs_inr.testing import DrawnCodec, random_model
from hypothesis import given, settings
from hypothesis import strategies as st

import codecs_core as cc
from codecs_core.errors import ConfigError, CorruptDataError, ModelError
from codecs_core.testing import Draw

MODEL = random_model((3, 4, 1), hidden=(3,), shared=(2, 3), linear=True)
CODEC = InrCodec(model=MODEL, effort="fast")
#: Its indices do not matter.
DRAWN = DrawnCodec(model=MODEL)


def pixels(*shape: int) -> Any:
    return Draw(9)(0, 255, *shape).astype(np.uint8)


def test_a_patch_has_its_own_its_groups_and_its_images() -> None:
    family = Family.of((2, 3, 4), (2, 3))
    image, group, patch = (at.reshape(2, 3, 4) for at in family.at)
    assert family.rows == [2, 8, 24]
    assert image[1].tolist() == [[1] * 4] * 3
    assert group[0].tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [2, 2, 2, 3]]
    assert group[1, 0, 0] == 4
    assert patch.reshape(-1).tolist() == list(range(24))


@given(st.tuples(*[st.integers(0, 4)] * 3), st.tuples(*[st.integers(1, 3)] * 2))
@settings(max_examples=25, deadline=None)
def test_what_is_taken_apart_is_the_total(many: tuple[int, ...], group: tuple[int, ...]) -> None:
    family = Family.of(many, group)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((family.rows[-1], 5)).astype(np.float32)
    levels = family.apart(x)
    assert [len(level) for level in levels] == family.rows
    np.testing.assert_allclose(family.total(levels), x, atol=1e-5)
    assert np.abs(levels[-1].sum(0)).max(initial=0) < 1e-4


def test_gradients_are_pulled_back_to_every_level() -> None:
    rng = np.random.default_rng(1)
    family = Family.of((1, 3, 2), (2, 2))
    mean, basis = rng.standard_normal(4).astype(np.float32), (rng.standard_normal((4, 4)).astype(np.float32),)
    prior = Shared(mean, rng.uniform(1, 2, (3, 4)).astype(np.float32), basis, family)
    z, step = rng.standard_normal((2, sum(family.rows), 4)).astype(np.float32)
    slope = rng.standard_normal((6, 4)).astype(np.float32)
    change = ((prior.place(z + step) - prior.place(z)) * slope).sum()
    np.testing.assert_allclose((prior.pull(slope) * step).sum(), change, rtol=1e-3)


def test_each_level_gets_the_moments_of_its_own() -> None:
    """Lines whose slopes are sums of three numbers of known deviations."""
    rng = np.random.default_rng(6)
    x = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    family = Family.of((24, 4, 4), (2, 2))
    slopes = family.total([rng.normal(0, s, (n, 1, 1)) for s, n in zip((1.0, 0.5, 0.25), family.rows, strict=True)])
    y = (slopes * x).astype(np.float32)
    alternation = Alternation(Siren((1, 1)), x, y, 4.0, rng, group=(2, 2))
    alternation.share = 1.0
    for _ in range(80):
        alternation.expect(25, 0.03)
        alternation.maximise()
        alternation.variance = 0.002
    np.testing.assert_allclose(alternation.prior.std[:, 0], (1.0, 0.5, 0.25), rtol=0.35)
    assert alternation.information().shape == (3, 2)


@given(st.integers(0, 2), st.integers(0, 10), st.integers(0, 14))
@settings(max_examples=15, deadline=None)
def test_any_size_is_coded_and_comes_back(n: int, height: int, width: int) -> None:
    x, inr = pixels(n, height, width), DRAWN._inr
    payload, spec = DRAWN._encode(x), cc.ArraySpec.of(x)
    rows = DRAWN._family(spec).rows
    bits = sum(count * groups.count for count, groups in zip(rows, inr.levels, strict=True)) * inr.groups.bits
    assert len(payload) == -(-bits // 8)
    whole = DRAWN._decode(payload, spec)
    assert whole.shape == x.shape
    index, exponents = DRAWN._parsed(payload, spec)
    assert DRAWN._payload(index, exponents) == payload
    for damaged in (payload + b"\0", *([payload[:-1]] if payload else [])):
        with pytest.raises(CorruptDataError, match="it is damaged"):
            DRAWN._decode(damaged, spec)


def test_any_resolution_and_previews() -> None:
    x = pixels(2, 8, 13)
    payload, spec = DRAWN._encode(x), cc.ArraySpec.of(x)
    whole = DRAWN._decode(payload, spec)
    np.testing.assert_array_equal(DRAWN.scaled(payload, spec, 3)[:, 1::3, 1::3], whole)
    counts = [groups.count for groups in DRAWN._inr.levels]
    assert counts == [2, 1, 4]
    previews = [DRAWN.preview(payload, spec, k) for k in range(sum(counts) + 2)]
    for last in previews[-2:]:
        np.testing.assert_array_equal(last, whole)
    shared = [p[0, :6, :12].reshape(2, 3, 3, 4).swapaxes(1, 2).reshape(6, -1) for p in previews]
    for each in shared[:4]:  # a group of patches has nothing else yet
        assert len(np.unique(each, axis=0)) == 1
    assert len(np.unique(shared[4], axis=0)) > 1


def test_what_patches_share_is_fitted() -> None:
    """Patches that are alike come near by groups of weights of their image and their group alone."""
    model = random_model((4, 4, 1), hidden=(6,), shared=(2, 2), groups=2, index_bits=10, steps=(200, 20))
    x = np.tile(np.arange(16, dtype=np.uint8).reshape(4, 4) * 8 + 40, (2, 2))
    codec = InrCodec(model=model)
    payload, spec = codec.encode(x), cc.ArraySpec.of(x)
    errors = [np.square(x - codec.preview(payload, spec, k).astype(float)).mean() for k in (0, 3, 5)]
    assert errors[1] < 0.8 * errors[0]
    assert errors[2] < errors[0]


def test_chunks_have_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codecs_inr.codec.SHARING", 20)
    # rows of pixels: two groups of two rows of five patches
    assert CODEC.default_chunk(cc.ArraySpec((100, 20), "uint8")) == 12
    assert CODEC.default_chunk(cc.ArraySpec((100, 200), "uint8")) == 6
    assert CODEC.default_chunk(cc.ArraySpec((50, 3, 4, 1), "uint8")) == 20


@pytest.mark.parametrize(
    ("config", "tensors"),
    [
        ({"shared": [2]}, {}),
        ({"shared": [0, 3]}, {}),
        ({"shared": 2}, {}),
        ({"shared": None}, {}),
        ({"shared": [2, 257]}, {}),
        ({"shared": [2, 3.0]}, {}),
        ({"shared": [True, 3]}, {}),
        ({}, {"scale": MODEL.tensors()["scale"][0]}),
        ({}, {"group": MODEL.tensors()["group"][:2]}),
        ({}, {"group": np.where([[0], [0], [1]], -1, MODEL.tensors()["group"])}),
    ],
)
def test_models_that_do_not_fit(config: dict[str, Any], tensors: dict[str, Any]) -> None:
    made = cc.Model.create(codec="inr.image", config=MODEL.config | config, tensors=MODEL.tensors() | tensors)
    with pytest.raises(ModelError, match=r"does not fit codec inr\.image"):
        INR(made)


def test_training_learns_what_patches_share(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from codecs_inr.train import Settings, learn

    from codecs_core.learn import Run

    rng = np.random.default_rng(2)
    images = np.clip(rng.integers(40, 216, (12, 1, 1, 1)) + rng.normal(0, 6, (12, 18, 16, 1)), 0, 255).astype(np.uint8)
    small = {"hidden": [3], "frequencies": 2, "linear": False, "index_bits": 4, "bpp": 0.75, "steps": 20, "side": 4}
    given = small | {"shared": [2, 2], "rounds": 20, "signals": 160}
    alternation, model = learn(images, Settings(**given), Run())
    assert len(alternation.y) == 160  # ten crops of 16 x 16
    codec = InrCodec(model=model, effort="fast")
    image, group, patch = (groups.count for groups in codec._inr.levels)
    assert image > 0
    assert abs(16 * 0.75 - 4 * (patch + group / 4 + image / 16)) <= 2
    model.save(tmp_path / "m")
    again, _ = learn(images, Settings(**given | {"start": str(tmp_path / "m"), "rounds": 1}), Run())
    np.testing.assert_allclose(again.prior.std, codec._inr.prior.std, rtol=0.5)
    for wrong, words in (({"shared": [2]}, "two numbers"), ({"side": 9}, "at least 2 crops of 36 x 36 pixels, got 0")):
        with pytest.raises(ConfigError, match=words):
            learn(images, Settings(**given | wrong), Run())
