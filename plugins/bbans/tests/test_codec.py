"""The codec gives back what it got, or an error that says why not."""

from __future__ import annotations

import copy
import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest
from codecs_bbans.codec import BATCH, VAECodec, item_bits
from codecs_bbans.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, FormatError, UnsupportedArrayError
from codecs_core.testing import unstored

SHAPES = [(3,), (2, 2), (4, 3, 2)]
LIKELIHOODS = ["bernoulli", "mixture"]


@cache
def make_codec(likelihood: str, shape: tuple[int, ...]) -> VAECodec:
    return VAECodec(model=random_model(likelihood, shape))


def make_items(codec: VAECodec, n: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, codec._vae.largest + 1, (n, *codec._vae.item_shape)).astype(np.uint8)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_samples_are_what_random_bits_decode_to(likelihood: str) -> None:
    codec = make_codec(likelihood, (4, 3, 2))
    found = codec.sample(30, seed=1)
    assert found.shape == (30, 4, 3, 2)
    assert found.dtype == np.uint8
    assert found.max() <= codec._vae.largest
    assert np.array_equal(found, codec.sample(30, seed=1))
    assert not np.array_equal(found, codec.sample(30, seed=2))
    # what the model holds likely costs less than what it does not
    assert item_bits(codec, found) < item_bits(codec, make_items(codec, 30))


@pytest.mark.parametrize(("items", "seed"), [(0, 0), (2.0, 0), (1, -1), (1, 1 << 31)])
def test_numbers_of_samples_that_are_refused(items: Any, seed: Any) -> None:
    with pytest.raises(ConfigError, match="must be an integer from"):
        make_codec("bernoulli", (3,)).sample(items, seed=seed)


def check_round_trip(codec: VAECodec, x: NDArray[Any]) -> bytes:
    """The array comes back with dtype and shape, is not written to, and has one code."""
    codec = unstored(codec)
    before = x.copy()
    payload = codec.encode(x)
    np.testing.assert_array_equal(x, before)
    decoded = codec.decode(payload, ArraySpec.of(x))
    assert decoded.dtype == x.dtype
    np.testing.assert_array_equal(decoded, x)
    assert codec.encode(x) == payload
    return payload


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("shape", SHAPES)
@given(seed=st.integers(0, 2**32 - 1), items=st.integers(0, 40), flat=st.booleans())
@settings(deadline=None, max_examples=25)
def test_round_trip(likelihood: str, shape: tuple[int, ...], seed: int, items: int, flat: bool) -> None:
    codec = make_codec(likelihood, shape)
    x = make_items(codec, items, seed)
    check_round_trip(codec, np.full_like(x, seed % (codec._vae.largest + 1)) if flat else x)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("items", [0, 1, 2, 300, 4 * BATCH + 200])
def test_few_and_many_items(likelihood: str, shape: tuple[int, ...], items: int) -> None:
    codec = make_codec(likelihood, shape)
    check_round_trip(codec, make_items(codec, items))


def test_items_wide_enough_for_all_lanes() -> None:
    codec = make_codec("mixture", (14, 14))
    check_round_trip(codec, make_items(codec, 700))


def test_bool_costs_what_uint8_costs() -> None:
    codec = make_codec("bernoulli", (2, 2))
    x = make_items(codec, 100)
    assert check_round_trip(codec, x.astype(bool)) == check_round_trip(codec, x)


def test_layouts() -> None:
    codec = make_codec("mixture", (4, 3, 2))
    x = make_items(codec, 20)
    payload = codec.encode(x)
    assert codec.encode(np.asfortranarray(x)) == payload
    assert codec.encode(np.repeat(x, 2, 0)[::2]) == payload
    assert codec.encode(x[::-1][::-1]) == payload


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_items_cost_their_evidence_bound(likelihood: str) -> None:
    """Beside what the model itself costs, a payload has the posterior of the first item and no more."""
    codec = unstored(make_codec(likelihood, (4, 3, 2)))
    x = make_items(codec, 600)
    assert 0 <= 8 * len(codec.encode(x)) - item_bits(codec, x) < 250
    assert item_bits(codec, x[:0]) == 0


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("effort", ["standard", "smallest"])
def test_information_says_where_the_bits_of_a_payload_are(likelihood: str, effort: str) -> None:
    codec = VAECodec(model=make_codec(likelihood, (4, 3, 2)).model, effort=effort)
    x = make_items(codec, 60)
    bits = codec.information(x)
    assert bits.shape == x.shape
    assert np.isclose(bits.sum(), item_bits(codec, x))
    assert np.ptp(bits[0]) > 1  # pixels differ
    assert codec.information(x[:0]).shape == x[:0].shape


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_parameters_do_not_depend_on_batch_mates(likelihood: str) -> None:
    codec = make_codec(likelihood, (12, 12))
    vae = codec._vae
    x = make_items(codec, 64).reshape(64, -1)
    z = np.random.default_rng(0).integers(0, 256, (64, vae.latents))
    posterior = vae.posterior(x).information(z)
    likelihood_bits = vae.likelihood(z).information(x)
    for batch in (1, 3, 63):
        for i in range(0, 64, batch):
            part = slice(i, i + batch)
            np.testing.assert_array_equal(vae.posterior(x[part]).information(z[part]), posterior[part])
            np.testing.assert_array_equal(vae.likelihood(z[part]).information(x[part]), likelihood_bits[part])


@pytest.mark.parametrize(
    ("likelihood", "x"),
    [
        ("mixture", np.zeros((5, 2, 2), np.int16)),
        ("mixture", np.zeros((5, 2, 2), np.float32)),
        ("mixture", np.zeros((5, 2, 2), np.int8)),
        ("mixture", np.zeros((5, 2, 2), bool)),
        ("mixture", np.zeros((5, 2, 3), np.uint8)),
        ("mixture", np.zeros((5, 4), np.uint8)),
        ("mixture", np.zeros((2, 2), np.uint8)),
        ("mixture", np.zeros((), np.uint8)),
        ("mixture", np.zeros((5, 1, 2, 2), np.uint8)),
        ("bernoulli", np.full((5, 2, 2), 2, np.uint8)),
        ("bernoulli", np.pad(np.zeros((4, 2, 2), np.uint8), ((0, 1), (0, 0), (0, 0)), constant_values=255)),
    ],
)
def test_other_arrays_are_refused_before_anything_is_encoded(
    likelihood: str, x: NDArray[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = make_codec(likelihood, (2, 2))

    def fail(*_: Any) -> None:
        pytest.fail("something was pushed")

    monkeypatch.setattr(Message, "to_bytes", fail)
    monkeypatch.setattr(Message, "_reserve", fail)
    with pytest.raises(UnsupportedArrayError):
        codec.encode(x)


def test_the_error_names_the_item() -> None:
    x = np.zeros((9, 2, 2), np.uint8)
    x[6, 1, 0] = 7
    with pytest.raises(UnsupportedArrayError, match=r"0 to 1; item 6 .* 7"):
        make_codec("bernoulli", (2, 2)).encode(x)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_damaged_payloads(likelihood: str, data: st.DataObject) -> None:
    """Either an error of the tree or an array of the spec (which the digest of a container catches); never another error."""
    codec = unstored(make_codec(likelihood, (2, 2)))
    x = make_items(codec, 30)
    payload = bytearray(codec.encode(x))
    kind = data.draw(st.sampled_from(["cut", "flip", "extend", "random", "items"]))
    items = 30
    if kind == "cut":
        payload = payload[: data.draw(st.integers(0, len(payload) - 1))]
    elif kind == "flip":
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "extend":
        payload += data.draw(st.binary(min_size=1, max_size=20))
    elif kind == "random":
        payload = bytearray(data.draw(st.binary(max_size=200)))
    else:
        items = data.draw(st.integers(0, 100).filter(lambda n: n != 30))
    spec = ArraySpec(dtype="uint8", shape=(items, 2, 2))
    try:
        decoded = codec.decode(bytes(payload), spec)
    except CodecsError as error:
        assert error.code in ("corrupt", "exhausted", "entropy", "format")  # noqa: PT017
    else:
        assert decoded.shape == spec.shape
        assert decoded.max(initial=0) <= codec._vae.largest
        assert not np.array_equal(decoded, x)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_flipped_bit_is_noticed(likelihood: str) -> None:
    """The seed words beneath a message are a check of 32 bits and more, so that no flip gets by."""
    codec = unstored(make_codec(likelihood, (3,)))
    x = make_items(codec, 12)
    payload = codec.encode(x)
    for bit in range(8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CodecsError):
            codec.decode(bytes(damaged), ArraySpec.of(x))


def test_another_model_is_noticed() -> None:
    x = make_items(make_codec("mixture", (2, 2)), 50)
    payload = unstored(make_codec("mixture", (2, 2))).encode(x)
    with pytest.raises(CodecsError):
        unstored(VAECodec(model=random_model("mixture", (2, 2), seed=1))).decode(payload, ArraySpec.of(x))


def test_a_spec_of_another_shape_is_corrupt() -> None:
    codec = make_codec("mixture", (2, 2))
    with pytest.raises(CorruptDataError):
        codec.decode(codec.encode(make_items(codec, 3)), ArraySpec(dtype="uint8", shape=(3, 4)))


def test_config_round_trip() -> None:
    codec = make_codec("mixture", (2, 2))
    assert codec.config() == {}
    assert VAECodec.from_config({}, model=codec.model) == codec
    with pytest.raises(ConfigError, match="no setting"):
        VAECodec.from_config({"level": 9}, model=codec.model)
    with pytest.raises(ConfigError, match="model"):
        VAECodec.from_config({})


@pytest.mark.parametrize("clone", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy, copy.copy])
@pytest.mark.parametrize("used", [False, True])
def test_clones(clone: Any, used: bool) -> None:
    codec = VAECodec(model=random_model("mixture", (2, 2)))
    x = make_items(make_codec("mixture", (2, 2)), 20)
    payload = make_codec("mixture", (2, 2)).encode(x)
    if used:
        codec.encode(x)
    twin = clone(codec)
    assert twin == codec
    assert twin.encode(x) == payload


def test_chunks() -> None:
    codec = make_codec("mixture", (2, 2))
    assert codec.default_chunk(ArraySpec(dtype="uint8", shape=(0, 2, 2))) == 1
    assert codec.default_chunk(ArraySpec(dtype="uint8", shape=(70, 2, 2))) == 70
    assert 1000 <= codec.default_chunk(ArraySpec(dtype="uint8", shape=(10**6, 2, 2))) <= 10**5


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_files(likelihood: str, jobs: int, tmp_path: Any) -> None:
    codec = make_codec(likelihood, (4, 3, 2))
    x = make_items(codec, 1000)
    cc.save(tmp_path / "a.ccf", x, codec="bbans.vae", model=codec.model, chunk=300, jobs=jobs, embed_model=True)
    np.testing.assert_array_equal(cc.load(tmp_path / "a.ccf", jobs=jobs), x)
    with cc.open(tmp_path / "a.ccf") as file:
        np.testing.assert_array_equal(file[""][299:302], x[299:302])
    content = (tmp_path / "a.ccf").read_bytes()
    cc.save(tmp_path / "b.ccf", x, codec=codec, chunk=300, jobs=1, embed_model=True)
    assert (tmp_path / "b.ccf").read_bytes() == content
    damaged = bytearray(content)
    damaged[-len(content) // 3] ^= 4
    (tmp_path / "c.ccf").write_bytes(damaged)
    with pytest.raises(FormatError):
        cc.load(tmp_path / "c.ccf")
