"""`inr.sound`: channels, lengths, how bits go where they are needed, and what is refused."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_inr.groups import Groups
from codecs_inr.hierarchy import Family
from codecs_inr.kinds import SOUND
from codecs_inr.model import INR
from codecs_inr.sound.codec import SoundCodec, left_and_right, middle_and_side
from codecs_inr.testing import DrawnSound, random_model
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app
from codecs_core.errors import ModelError, UnsupportedArrayError
from codecs_core.testing import Draw

MODEL = random_model((16, 1), groups=6)
CODEC = SoundCodec(model=MODEL, effort="fast")


def tones(*shape: int) -> Any:
    """Sound that gets louder."""
    time = np.arange(shape[0])
    sound = 8000 * time[:, None] / shape[0] * np.sin(time[:, None] / 5 + np.arange(math.prod(shape[1:])))
    return (sound + Draw(1)(-9, 9, *sound.shape)).astype(np.int16).reshape(shape)


@pytest.mark.parametrize("shape", [(1,), (100,), (90, 1), (70, 2), (50, 3)])
def test_any_length_and_any_channels(shape: tuple[int, ...]) -> None:
    x = tones(*shape)
    payload, spec = CODEC.encode(x), cc.ArraySpec.of(x)
    assert CODEC.decode(payload, spec).shape == shape
    patches = -(-shape[0] // 16) * math.prod(shape[1:])
    assert len(payload) == min(x.nbytes, -(-patches * 4 // 8) + -(-patches * 6 * 6 // 8))


def test_every_patch_has_the_indices_of_its_rows() -> None:
    """Number j of patch i is that of row i + j."""
    groups = CODEC._inr.groups
    index = Draw(2)(0, 63, 5, groups.count)
    mixed, plain = groups.values(index), Groups(groups.group, groups.bits).values(index)
    for i, j in np.ndindex(mixed.shape):
        assert mixed[i, j] == plain[(i + j) % 5, j]
    np.testing.assert_array_equal(groups.rows(mixed), plain)
    np.testing.assert_array_equal(groups.signals(groups.rows(mixed)), mixed)


def test_sums_of_mixed_groups_are_spread_over_the_same_numbers() -> None:
    groups = Groups(np.array([0, 1, -1, 0, 1, 1]), 4, mixed=True)
    values = Draw(3)(0, 99, 4, 6).astype(np.float32)
    sums = groups.sums(values)
    back = groups.spread(sums)
    for i, j in np.ndindex(4, 6):
        g = groups.group[j]
        assert back[i, j] == (1 if g < 0 else sums[(i + j) % 4, g])
    assert sums.sum() == values[:, groups.group >= 0].sum()


def test_the_best_proposal_of_a_row_is_chosen() -> None:
    groups = Groups(np.array([0, 1, 0, 1]), 8, mixed=True)
    mean = Draw(4)(-9, 9, 3, 4).astype(np.float32) / 9
    deviation = np.full_like(mean, 0.3)
    index = np.concatenate([groups.choose(stage, np.zeros((3, 0)), mean, deviation) for stage in groups.stages], 1)
    z = groups.values(index) / 2**16
    assert np.square(z - mean).mean() < 0.3 * np.square(mean).mean()


def test_exponents_are_those_of_the_loudness() -> None:
    x = np.stack([np.full((16, 1), value, np.int16) for value in (0, 1, 3, 100, -(1 << 15))])
    exponents = SOUND.exponents(x)
    assert exponents.tolist() == [0, 0, 2, 7, 15]
    y = SOUND.standardised(x, exponents)
    np.testing.assert_allclose(y[:, 0, 0] * 2.0**exponents, x[:, 0, 0] + 0.5)
    assert SOUND.decibels(float(SOUND.weight(np.array([15]))[0])) == pytest.approx(6.02, abs=0.01)


@given(st.lists(st.tuples(*[st.integers(-(1 << 15), (1 << 15) - 1)] * 2), min_size=1))
def test_two_channels_come_back_to_a_step(both: list[tuple[int, int]]) -> None:
    x = np.array(both, np.int16).T
    y = left_and_right(middle_and_side(x))
    assert np.abs(x.astype(int) - y).max() <= 1


def test_a_longer_fit_comes_nearer_and_so_do_more_groups() -> None:
    model = random_model((16, 1), groups=8, index_bits=10, hidden=(8, 8), steps=(100, 5))
    x = tones(160)
    spec, errors = cc.ArraySpec.of(x), []
    for effort in "fast", "smallest":
        codec = SoundCodec(model=model, effort=effort)
        payload = codec.encode(x)
        errors.append([np.square(x - codec.preview(payload, spec, k).astype(float)).mean() for k in (0, 4, 8)])
    assert errors[1][2] < errors[0][2]
    assert errors[1][2] < errors[1][1] < errors[1][0]


def test_any_resolution_is_evaluated_at_the_same_places(tmp_path: Path) -> None:
    x, path = np.zeros((100, 2), np.int16), tmp_path / "x.ccf"
    cc.save(path, x, codec=DrawnSound(model=MODEL), chunk=32)
    with cc.open(path, models=[MODEL]) as file:
        whole, fine = file[""][...], file[""].scaled(3)
        assert fine.shape == (300, 2)
        np.testing.assert_array_equal(fine[1::3], whole)
        assert file[""].scaled("1/2").shape == (50, 2)


def test_decoded_samples_are_near_to_floating_point() -> None:
    inr = CODEC._inr
    index = Draw(5)(0, 63, 9, inr.groups.count)
    w = (inr.weights([index], Family.alone(9)) * inr.units).astype(np.float32)
    exponents = np.arange(4, 13)
    expected = 2.0 ** exponents[:, None, None] * inr.network(w, inr.features) - 0.5
    assert (
        np.abs(expected - inr.values([index], exponents, Family.alone(9)).reshape(expected.shape)).max()
        < 1 + 1e-3 * np.abs(expected).max()
    )


def test_a_wav_file_comes_back_as_sound(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(tones(90, 2).tobytes())
    MODEL.save(tmp_path / "m.safetensors")
    model = ("--codec", "inr.sound", "--model", tmp_path / "m.safetensors", "--embed-model")
    for args in (
        ("encode", tmp_path / "x.wav", tmp_path / "x.ccf", *model),
        ("decode", tmp_path / "x.ccf", tmp_path / "y.wav"),
    ):
        result = CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")
        assert result.exit_code == 0, result.stderr
    with wave.open(str(tmp_path / "y.wav")) as file:
        assert file.getparams()[:4] == (2, 2, 8000, 90)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.full(20, np.nan, np.float32), "takes int16"),
        (np.zeros(20, np.uint8), "takes int16"),
        (np.zeros((3, 4, 5), np.int16), "1 or 2 dimensions"),
        (np.zeros((4, 65), np.int16), "with 1 to 64 channels"),
    ],
)
def test_other_arrays_are_refused(x: Any, words: str) -> None:
    with pytest.raises(UnsupportedArrayError, match=words):
        CODEC.encode(x)


@pytest.mark.parametrize("shape", [[16], [16, 2], [1 << 13, 1], [4, 4, 1]])
def test_models_that_do_not_fit(shape: list[int]) -> None:
    model = cc.Model.create(codec="inr.sound", config=MODEL.config | {"item_shape": shape}, tensors=MODEL.tensors())
    with pytest.raises(ModelError, match=r"does not fit codec inr\.sound"):
        INR(model, SoundCodec.kind)


def test_a_model_of_images_is_refused() -> None:
    with pytest.raises(cc.CodecsError, match=r"inr\.image"):
        SoundCodec(model=random_model()).encode(tones(40))


def test_a_payload_of_another_length_is_damaged() -> None:
    x = tones(40)
    with pytest.raises(cc.errors.CorruptDataError, match="must have"):
        CODEC.decode(CODEC.encode(x)[:-1], cc.ArraySpec.of(x))
