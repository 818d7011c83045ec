"""The probe of a model: an image that is decoded from nothing, and the digest of its values.

It is compared each time a model is loaded, as `codecs_core.exact.probe` is for the networks of other codecs: a machine that computes other
numbers is found out before it writes a file that nobody can read, or decodes noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from codecs_ar.model import Autoregression
from codecs_ar.smallest import coding
from codecs_core import Model
from codecs_core.entropy import Message
from codecs_core.errors import CorruptDataError, ModelError

#: Rows and columns of the image.
SHAPE = (6, 8)
#: Digests of the shipped models that were made before models had a probe, by the SHA-256 of their files.
SHIPPED = {
    "5e9e0951cb62adf32ff4faee798a64be094dad0e2552dca8d01b792258bcbd71": "cd77bb39a2cfe740e1189664d49a0586",
    "9d36b498cbdf23534a62032f8382a6cc7f9ab76c2f9bf738bbcafc269e419217": "c0d1c7d92db418e34863f0a9809e69b4",
    "b85e493ebd3e1b01ca73eaed2f15384483daa72bac3d661074d2041fc94e3d61": "9d3c960b0660436ea43cca772feab7eb",
}


def digest(coder: Autoregression) -> bytes:
    """The 16 bytes of XXH3-128 of the values of an image that is popped from a new message, uint8.

    Raises
    ------
    CorruptDataError
        If pushing the image does not leave a new message.
    """
    message = Message()
    if coder.second is None:
        image = coder.pop(message, (1, *SHAPE, coder.channels), "uint8")
        coder.push(message, image)
    else:
        planes = coding.pop(message, coder, (coder.channels, 1, *SHAPE), 255, alone=False)
        coding.push(message, coder, planes, 255)
        image = np.moveaxis(planes, 0, -1).astype(np.uint8)
    message.verify_end()
    return xxhash.xxh3_128_digest(np.ascontiguousarray(image).tobytes())


def tensor(coder: Autoregression) -> NDArray[np.uint8]:
    """The digest as a new model holds it, under the name ``probe``."""
    return np.frombuffer(digest(coder), np.uint8)


def check(coder: Autoregression, model: Model) -> None:
    """Raise `ModelError` unless the digest is the one in the model.

    A model without one, made before there were any, is taken as it is, unless it is one of those that ship.
    """
    expected = _expected(model)
    if expected is None:
        return
    try:
        found = digest(coder)
    except CorruptDataError:
        found = b""
    if found != expected:
        raise ModelError(
            f"model {model.label} fails its probe: this machine computes other numbers than the one that made the "
            "model, and would decode something else than was encoded. Please report the processor and the output of codecs doctor"
        )


def _expected(model: Model) -> bytes | None:
    held: NDArray[Any] | None = model.tensors().get("probe")
    if held is None:
        known = SHIPPED.get(model.sha256)
        return None if known is None else bytes.fromhex(known)
    if held.shape != (16,) or held.dtype != np.uint8:
        raise ModelError(f"the probe of a model of ar.image must be 16 bytes, got {held.dtype} of shape {held.shape}")
    return held.tobytes()
