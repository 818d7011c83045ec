"""What is wrong with a machine, a model or a request is not called damage; `CorruptDataError` is for bytes."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import numpy as np
import pytest

from codecs_core import ArraySpec, Codec, CodecInfo, Model
from codecs_core.errors import (
    CodecsError,
    CorruptDataError,
    ExhaustedMessageError,
    MachineError,
    ModelError,
    OutOfMemoryError,
    PluginLoadError,
)

SPEC = ArraySpec((3,), "uint8")


def raising(error: Exception, *, when: str = "decode") -> Codec:
    """A codec that raises while it decodes, or while it is built."""

    @dataclass(frozen=True, kw_only=True)
    class Raising(Codec):
        id = "test.raising"
        info = CodecInfo(summary="raises")

        def check(self, spec):
            if when == "check":
                raise error

        def _encode(self, chunk):
            return chunk.tobytes()

        def _decode(self, payload, spec):
            raise error

    return Raising(model=Model.create(codec="test.raising", config={}, tensors={}, name="small"))


class NumbaLike(Exception):
    __module__ = "numba.core.errors"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (MemoryError(), OutOfMemoryError, "not enough memory"),
        (np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype("u1")), OutOfMemoryError, "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device"), MachineError, "No space left"),
        (PermissionError(errno.EACCES, "Permission denied"), MachineError, "Permission denied"),
        (ImportError("no libjxl here"), PluginLoadError, "no libjxl here"),
        (NumbaLike("no backend"), MachineError, "no backend"),
        (OSError("image file is truncated"), CorruptDataError, "image file is truncated"),
        (ValueError("bad marker"), CorruptDataError, "bad marker"),
        (IndexError("past the end"), CorruptDataError, "past the end"),
        (ExhaustedMessageError("at its end"), CorruptDataError, "at its end"),
    ],
)
def test_who_is_to_blame_for_what_a_decoder_raises(error, kind, words):
    with pytest.raises(CodecsError, match=words) as caught:
        raising(error).decode(b"abc", SPEC)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("weights"), ModelError),
        (ValueError("3 layers and 2 widths"), ModelError),
        (MemoryError(), OutOfMemoryError),
        (ImportError("no torch"), PluginLoadError),
    ],
)
def test_a_model_that_cannot_be_built(error, kind):
    with pytest.raises(kind) as caught:
        raising(error, when="check").decode(b"abc", SPEC)
    assert type(caught.value) is kind
    if kind is ModelError:
        assert "small" in str(caught.value)


def test_no_memory_is_both():
    with pytest.raises(MemoryError):
        raising(MemoryError()).decode(b"abc", SPEC)
