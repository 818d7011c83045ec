"""Golden vectors: payloads that were written once and have to decode for ever, each a JSON file beside the tests.

``pytest --codecs-write-vectors`` writes those that are missing. Nothing rewrites one: a stream that decodes differently is another
`format_version`. Models lie beside them, under their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec
from codecs_core.models import Model

if TYPE_CHECKING:
    from codecs_core.codec import Codec

#: Whether missing vectors are written; pytest's option sets it.
writing = False


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One payload and what it stands for.

    Parameters
    ----------
    codec, format_version, config
        Who wrote it.
    model
        SHA-256 of the model, if there is one.
    shape, dtype, sha256
        Of the decoded array; the hash is of its values in C order, little endian.
    payload
        The bytes.
    """

    codec: str
    format_version: int
    config: dict[str, Any]
    model: str | None
    shape: tuple[int, ...]
    dtype: str
    sha256: str
    payload: bytes

    @classmethod
    def of(cls, codec: Codec, array: NDArray[Any]) -> Self:
        """What the codec makes of an array, today."""
        payload, spec = codec.encode(array), ArraySpec.of(array)
        return cls(
            codec=codec.id,
            format_version=codec.format_version,
            config=codec.config(),
            model=codec.model.sha256 if codec.model else None,
            shape=spec.shape,
            dtype=spec.dtype,
            sha256=sha256(codec.decode(payload, spec)),
            payload=payload,
        )

    @property
    def spec(self) -> ArraySpec:
        """Of the decoded array."""
        return ArraySpec(self.shape, self.dtype)

    @property
    def stem(self) -> str:
        """Name of its file: codec, version, and the start of a hash of what is asked, so that a vector is written once."""
        asked = [self.config, self.model, self.shape, self.dtype, self.sha256]
        start = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.codec}-v{self.format_version}-{start}"

    def save(self, folder: Path, model: Model | None) -> bool:
        """Write it, and its model, where they are missing; whether the vector was."""
        folder.mkdir(parents=True, exist_ok=True)
        if model is not None and not model_path(folder, model.sha256).exists():
            model.save(model_path(folder, model.sha256))
        path = folder / f"{self.stem}.json"
        if path.exists():
            return False
        said = {**vars(self), "payload": base64.b64encode(self.payload).decode()}
        path.write_text(json.dumps(said, indent=1) + "\n", "utf-8")
        return True


def read(folder: Path, codec: str) -> Iterator[tuple[Vector, Model | None]]:
    """The vectors of a codec, each with its model."""
    models: dict[str, Model] = {}
    for path in sorted(folder.glob(f"{codec}-v*.json")):
        said = json.loads(path.read_text("utf-8"))
        said |= {"payload": base64.b64decode(said["payload"]), "shape": tuple(said["shape"])}
        vector = Vector(**said)
        if vector.model is not None and vector.model not in models:
            models[vector.model] = Model.from_file(model_path(folder, vector.model), expect=vector.model)
        yield vector, models[vector.model] if vector.model else None


def model_path(folder: Path, sha256: str) -> Path:
    """Where a model lies beside the vectors."""
    return folder / f"model-{sha256[:16]}.safetensors"


def sha256(array: NDArray[Any]) -> str:
    """Hash of the values in C order, little endian."""
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()
