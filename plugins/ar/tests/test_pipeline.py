"""Planes that are coded at the same time: by any number of threads they give the bytes, and the values, of one."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
from codecs_ar import pipeline
from codecs_ar.codec import ImageCodec
from codecs_ar.passes import Pass
from codecs_ar.testing import random_model
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.api.parallel import aside
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CorruptDataError
from codecs_core.testing import unstored


class Apart(ImageCodec):
    """Planes have messages of their own, however few values there are."""

    LEAST_APART: ClassVar[int] = 1


CODECS = {effort: unstored(Apart(model=random_model(3), effort=effort)) for effort in ("standard", "smallest")}


def waves(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 7, shape)
    return (sum(np.indices(shape)[-3:-1]) * 5 + noise).astype(np.uint8)


@pytest.mark.parametrize("effort", CODECS)
@pytest.mark.parametrize("shape", [(40, 12, 3), (3, 15, 9, 3), (9, 3, 8, 3), (30, 11, 4), (25, 8, 6), (1, 300, 3)])
def test_any_number_of_threads(effort: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Slabs of few rows, images of fewer rows than a plane is ahead of the next, alpha, six bands."""
    codec, x = CODECS[effort], waves(*shape)
    alone = codec.encode(x)
    monkeypatch.setattr(pipeline, "SLAB", 30)
    for jobs in 1, 2, 3, 9:
        assert aside(partial(codec.encode, x), jobs=jobs) == alone
        assert np.array_equal(aside(partial(codec.decode, alone, ArraySpec.of(x)), jobs=jobs), x)


@pytest.mark.parametrize("jobs", [1, 4])
def test_damage_in_any_plane(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other planes come to a halt, and the error is told."""
    codec, x = CODECS["standard"], waves(40, 12, 3)
    payload = codec.encode(x)
    monkeypatch.setattr(pipeline, "SLAB", 30)
    for i in range(1, len(payload), 97):
        damaged = payload[:i] + bytes([payload[i] ^ 5]) + payload[i + 1 :]
        with pytest.raises(CorruptDataError):
            aside(partial(codec.decode, damaged, ArraySpec.of(x)), jobs=jobs)


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_of_a_pass_is_raised(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Pass, until: int) -> None:
        if self.done > 20:
            raise MemoryError("none left")
        go_on(self, until)

    go_on = Pass.go_on
    monkeypatch.setattr(Pass, "go_on", fail)
    monkeypatch.setattr(pipeline, "SLAB", 30)
    with pytest.raises(MemoryError, match="none left"):
        aside(partial(CODECS["smallest"].encode, waves(60, 9, 3)), jobs=jobs)


def test_images_of_many_values_are_written_so(tmp_path: Any) -> None:
    """Whoever writes them, with as many threads as there are: the file is the same."""
    codec = ImageCodec(model=random_model(3))
    x = waves(160, 140, 3)
    assert codec.encode(x)[0] == 4
    assert codec.encode(x[:150])[0] == 0
    files = [tmp_path / f"{jobs}.ccf" for jobs in (1, 2)]
    for jobs, file in enumerate(files, start=1):
        cc.save(file, x, codec=codec, embed_model=True, jobs=jobs)
        assert np.array_equal(cc.load(file, jobs=3 - jobs), x)
        with cc.open(file, jobs=2) as opened:
            assert np.array_equal(opened[""][3:9], x[3:9])
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("payload", [b"\x05", b"\x05\x00" + bytes(40), b"\x04", b"\x04\xff\x7f", b"\x08" + bytes(30)])
def test_what_is_no_payload(payload: bytes) -> None:
    """The level fast has one message; messages are within the payload."""
    with pytest.raises(CorruptDataError):
        CODECS["standard"].decode(payload, ArraySpec((9, 9, 3), "uint8"))


def test_messages_of_planes_are_of_version_4() -> None:
    x = waves(9, 8, 3)
    payload = CODECS["standard"].encode(x)
    with pytest.raises(CorruptDataError, match="begins with 4"):
        CODECS["standard"].decode(payload, ArraySpec.of(x), version=3)
