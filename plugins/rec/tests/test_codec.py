"""The codecs give back what they got, or what their latents say, or an error that says why not."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest
from codecs_rec import codecs_register
from codecs_rec.codec import BATCH, LosslessCodec, RecCodec
from codecs_rec.ladder import LatentsCodec
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.testing import random_lossy, random_model
from codecs_rec.weights.codec import WeightsCodec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import (
    CodecsError,
    ConfigError,
    CorruptDataError,
    FormatError,
    ModelError,
    UnsupportedArrayError,
)
from codecs_core.testing import unstored

LOSSLESS = ["bernoulli", "mixture", "colour"]
KINDS = [*LOSSLESS, "values"]
SHAPE = (3, 2, 3)


@cache
def make_codec(kind: str, shape: tuple[int, ...] = SHAPE, search: bool = True) -> RecCodec:
    if kind == "values":
        return LossyCodec(model=random_lossy(shape), search=search)
    return LosslessCodec(model=random_model(kind, shape), search=search)


def make_items(codec: RecCodec, n: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, codec._vae.largest + 1, (n, *codec._vae.item_shape)).astype(np.uint8)


def check_round_trip(codec: RecCodec, x: NDArray[Any]) -> bytes:
    """The array comes back with dtype and shape (if the codec is lossless, the same), is not written to, and has one encoding."""
    codec = unstored(codec)
    before = x.copy()
    payload = codec.encode(x)
    np.testing.assert_array_equal(x, before)
    decoded = codec.decode(payload, ArraySpec.of(x))
    assert decoded.dtype == x.dtype
    assert decoded.shape == x.shape
    if codec.info.kind == "lossless":
        np.testing.assert_array_equal(decoded, x)
    np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(x)), decoded)
    assert codec.encode(x) == payload
    return payload


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("search", [True, False])
@given(seed=st.integers(0, 2**32 - 1), items=st.integers(0, 2 * BATCH + 1), flat=st.booleans())
@settings(deadline=None, max_examples=6)
def test_round_trip(kind: str, search: bool, seed: int, items: int, flat: bool) -> None:
    codec = make_codec(kind, SHAPE, search)
    x = make_items(codec, items, seed)
    check_round_trip(codec, np.full_like(x, seed % (codec._vae.largest + 1)) if flat else x)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        *((kind, shape) for kind in LOSSLESS for shape in ((3,), (2, 3), (1, 1, 1, 3))),
        ("values", (4, 2)),
        ("values", (1, 1)),
    ],
)
def test_items_of_any_shape(kind: str, shape: tuple[int, ...]) -> None:
    codec = make_codec(kind, shape)
    check_round_trip(codec, make_items(codec, 5))


@pytest.mark.parametrize("kind", ["bernoulli", "values"])
def test_more_items_than_one_head_codes(kind: str) -> None:
    codec = make_codec(kind, (2, 2), search=False)
    for items in (4095, 4096, 17000):
        check_round_trip(codec, make_items(codec, items))
    check_round_trip(codec, np.zeros((9000, 2, 2), np.uint8))


def test_bool_costs_what_uint8_costs() -> None:
    codec = make_codec("bernoulli", (2, 2))
    x = make_items(codec, 40)
    assert check_round_trip(codec, x.astype(bool)) == check_round_trip(codec, x)
    lossy = LossyCodec(model=random_lossy((2, 2), largest=1))
    assert check_round_trip(lossy, x.astype(bool)) == check_round_trip(lossy, x)


@pytest.mark.parametrize("kind", KINDS)
def test_items_decode_alike_whatever_follows_them(kind: str) -> None:
    """The latents of an item depend on it alone."""
    codec = make_codec(kind)
    x = make_items(codec, 20)
    if isinstance(codec, LossyCodec):
        both = [codec.decode(codec.encode(part), ArraySpec.of(part)) for part in (x, x[:7])]
        np.testing.assert_array_equal(both[0][:7], both[1])
    elif isinstance(codec, LosslessCodec):
        flat = x.reshape(20, -1)
        np.testing.assert_array_equal(codec._indices(flat)[:3], codec._indices(flat[:3]))
        np.testing.assert_array_equal(codec._indices(flat)[5:6], codec._indices(flat[5:6]))


def test_qualities() -> None:
    model = random_lossy(SHAPE)
    x = make_items(make_codec("values"), 50)
    low, high = (LossyCodec(model=model, quality=q) for q in (1, 2))
    assert low.encode(x) != high.encode(x)
    assert LossyCodec(model=model).encode(x) == high.encode(x)
    assert low.config() == {"quality": 1}
    assert LossyCodec.from_config({"quality": 1}, model=model) == low
    with pytest.raises(ConfigError, match="1 to 2, not 3"):
        LossyCodec(model=model, quality=3).encode(x)
    for quality in (-1, 65, 1.0, True, "2"):
        with pytest.raises(ConfigError):
            LossyCodec(model=model, quality=quality)  # type: ignore[arg-type]
    for cls in (LossyCodec, LosslessCodec):
        with pytest.raises(ConfigError, match="true or false"):
            cls(model=model, search=1)  # type: ignore[arg-type]


def test_searching_costs_less() -> None:
    x = make_items(make_codec("bernoulli"), 200)
    searched, sampled = (len(make_codec("bernoulli", SHAPE, search).encode(x)) for search in (True, False))
    assert searched < sampled


def test_a_message_grows_by_its_symbols_alone() -> None:
    """A binary item costs its indices and pixels, and the fraction of a byte at the end: no seed words."""
    codec = make_codec("bernoulli", (14, 14))
    assert isinstance(codec, LosslessCodec)
    excess = []
    for seed in range(30):
        x = make_items(codec, 1, seed)
        index = codec._indices(x.reshape(1, -1))
        content = codec._blocks.code(1).information(index).sum()
        content += codec._vae.information(codec._blocks.latents(index), x.reshape(1, -1)).sum()
        excess.append(8 * len(codec.encode(x)) - content)
    assert max(excess) < 12
    assert np.mean(excess) < 6


@pytest.mark.parametrize(
    ("kind", "x"),
    [
        ("mixture", np.zeros((5, 2, 2), np.int16)),
        ("values", np.zeros((5, 2, 2), np.float32)),
        ("mixture", np.zeros((5, 2, 2), bool)),
        ("values", np.zeros((5, 2, 2), bool)),
        ("mixture", np.zeros((5, 2, 3), np.uint8)),
        ("values", np.zeros((2, 2), np.uint8)),
        ("values", np.zeros((), np.uint8)),
        ("bernoulli", np.full((5, 2, 2), 2, np.uint8)),
    ],
)
def test_other_arrays_are_refused(kind: str, x: NDArray[Any]) -> None:
    with pytest.raises(UnsupportedArrayError):
        make_codec(kind, (2, 2)).encode(x)


def test_the_error_names_the_item() -> None:
    x = np.zeros((9, 2, 2), np.uint8)
    x[6, 1, 0] = 7
    with pytest.raises(UnsupportedArrayError, match=r"0 to 1; item 6 .* 7"):
        make_codec("bernoulli", (2, 2)).encode(x)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_damaged_payloads(kind: str, data: st.DataObject) -> None:
    """Either an error of the tree or an array of the spec (which the digest of a container catches); never another error."""
    codec = unstored(make_codec(kind, (2, 3)))
    x = make_items(codec, 12)
    payload = bytearray(codec.encode(x))
    what = data.draw(st.sampled_from(["cut", "flip", "extend", "random", "items"]))
    items = 12
    if what == "cut":
        payload = payload[: data.draw(st.integers(0, len(payload) - 1))]
    elif what == "flip":
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    elif what == "extend":
        payload += data.draw(st.binary(min_size=1, max_size=20))
    elif what == "random":
        payload = bytearray(data.draw(st.binary(max_size=100)))
    else:
        items = data.draw(st.integers(0, 60).filter(lambda n: n != 12))
    spec = ArraySpec(dtype="uint8", shape=(items, 2, 3))
    try:
        decoded = codec.decode(bytes(payload), spec)
    except CodecsError as error:
        assert error.code in ("corrupt", "exhausted", "entropy", "format")  # noqa: PT017
    else:
        assert decoded.shape == spec.shape
        assert decoded.max(initial=0) <= codec._vae.largest


def test_a_spec_of_another_shape_is_corrupt() -> None:
    codec = make_codec("mixture", (2, 2))
    with pytest.raises(CorruptDataError):
        codec.decode(codec.encode(make_items(codec, 3)), ArraySpec(dtype="uint8", shape=(3, 4)))


@pytest.mark.parametrize("used", [False, True])
def test_clones(used: bool) -> None:
    codec = LosslessCodec(model=random_model("bernoulli", (2, 2)))
    x = make_items(make_codec("bernoulli", (2, 2)), 5)
    if used:
        codec.encode(x)
    twin = pickle.loads(pickle.dumps(codec))
    assert twin == codec
    assert twin.encode(x) == codec.encode(x)


def test_models_are_for_one_of_the_codecs() -> None:
    for codec in (LossyCodec(model=random_model("bernoulli")), LosslessCodec(model=random_lossy())):
        with pytest.raises(ModelError, match="loss"):
            codec.encode(np.zeros((1, 4, 3), np.uint8))
    with pytest.raises(ConfigError):
        LossyCodec().encode(np.zeros((1, 4, 3), np.uint8))


def test_registration() -> None:
    classes = {spec.id: spec for spec in codecs_register()}
    assert classes.keys() == {LossyCodec.id, LosslessCodec.id, LatentsCodec.id, WeightsCodec.id}
    for cls in (LossyCodec, LosslessCodec, LatentsCodec, WeightsCodec):
        assert classes[cls.id].info is cls.info
        assert cls.info.exactness == "portable"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_files(kind: str, jobs: int, tmp_path: Any) -> None:
    codec = make_codec(kind)
    x = make_items(codec, 50)
    cc.save(tmp_path / "a.ccf", x, codec=codec.id, model=codec.model, chunk=20, jobs=jobs, embed_model=True)
    loaded = cc.load(tmp_path / "a.ccf", jobs=jobs)
    if codec.info.kind == "lossless":
        np.testing.assert_array_equal(loaded, x)
    with cc.open(tmp_path / "a.ccf") as file:
        np.testing.assert_array_equal(file[""][19:22], loaded[19:22])
    damaged = bytearray((tmp_path / "a.ccf").read_bytes())
    damaged[-len(damaged) // 3] ^= 4
    (tmp_path / "b.ccf").write_bytes(damaged)
    with pytest.raises(FormatError):
        cc.load(tmp_path / "b.ccf")
