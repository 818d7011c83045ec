"""Files of every codec: ``files.py write FOLDER`` on one machine, ``files.py read FOLDER`` on another.

There is a file for each codec and each model that ships, and one for each model of the golden vectors beside the tests of the plugins,
which the file holds.
Codecs, models and vectors are found, not listed. ``read`` prints a line of JSON for each file: whether every entry decodes to the same
bits, and whether the same arrays are encoded to the same file, unless its encoder is one of `FREE`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.codec import Codec
from codecs_core.container import Reader
from codecs_core.container.folding import unfold
from codecs_core.container.layout import FOLDED
from codecs_core.errors import CodecsError, UnsupportedArrayError
from codecs_core.models import Model
from codecs_core.registry import default
from codecs_core.testing import vectors

ROOT = Path(__file__).parents[2]
#: Values in the largest array of a file.
VALUES = 256
#: Codecs whose encoders fit a network in floating point, with settings for a short fit: what they find may differ, and only what is decoded
#: is compared.
FREE: dict[str, dict[str, Any]] = {
    "inr.coin": {"steps": 20},
    "inr.image": {"effort": "fast"},
    "inr.sound": {"effort": "fast"},
}

Arrays = dict[str, NDArray[Any]]


def main() -> None:
    """Do as the command line says."""
    verb, folder = sys.argv[1], Path(sys.argv[2])
    {"write": write, "read": read}[verb](folder)


# --- here ----------------------------------------------------------------------------------------


def write(folder: Path) -> None:
    """Write the files, the arrays that are in them, and the digests of what they decode to."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.process_time()
    for number, (codec, arrays) in enumerate(chain(shipped(), golden())):
        where = folder / f"{number:02}-{codec.id}"
        where.mkdir()
        save(where / "file.ccf", codec, arrays)
        np.savez(where / "arrays.npz", allow_pickle=False, **arrays)
        with cc.open(where / "file.ccf") as file:
            digests = {name: vectors.sha256(entry[...]) for name, entry in file.items()}
        model = "" if codec.model is None else codec.model.name
        said = {"codec": codec.id, "model": model, "file": sha256(where / "file.ccf"), "arrays": digests}
        (where / "said.json").write_text(json.dumps(said))
        end = time.process_time()
        wrote = {"codec": codec.id, "model": model, "entries": len(arrays), "seconds": round(end - start, 1)}
        print(json.dumps(wrote), flush=True)
        start = end


def shipped() -> Iterator[tuple[Codec, Arrays]]:
    """Every portable codec with every model that ships, and arrays such as it takes; one that has none and needs one is in `golden`."""
    registry = default()
    for codec_id in sorted(registry.codecs):
        info = registry.codecs[codec_id].info
        models = [model.name for model in registry.models_for(codec_id)]
        if info.exactness != "portable" or (info.needs_model and not models):
            continue
        for model in models or [None]:
            codec = cc.get_codec(codec_id, model=model, **FREE.get(codec_id, {}))
            yield codec, samples(codec)


def samples(codec: Codec) -> Arrays:
    """A smooth array of each dtype that the codec takes, of one number of dimensions after the other; and a small one of noise."""
    from codecs_core.testing import Domain

    domain = Domain.of(codec)
    held = [spec for spec in domain.specs if spec.size]
    kinds = {(len(s.shape), s.dtype): s for s in held if s.size <= VALUES} or {
        (len(held[0].shape), held[0].dtype): held[0]
    }
    axes, dtypes = (sorted(set(part)) for part in zip(*kinds, strict=True))
    chosen = [(axes[i % len(axes)], dtypes[i % len(dtypes)]) for i in range(max(len(axes), len(dtypes)))]
    specs = [kinds[kind] for kind in chosen if kind in kinds] or [*kinds.values()]
    if len(dtypes) == 1:  # networks of images, most of them, which take their time there
        specs = specs[-1:]
    arrays = {f"{i}": domain.smooth(spec, i) for i, spec in enumerate(specs)}
    largest = max(specs, key=lambda spec: spec.size)
    if codec.id in FREE:  # what they take is known, and each encoding is a fit
        return arrays
    if largest.size <= VALUES:
        arrays |= {"noise": domain.noise(largest)}
    return {name: array for name, array in arrays.items() if takes(codec, array)}


def takes(codec: Codec, array: NDArray[Any]) -> bool:
    """Whether a codec takes these values: some want finite ones."""
    try:
        codec.encode(array)
    except UnsupportedArrayError:
        return False
    return True


def golden() -> Iterator[tuple[Codec, Arrays]]:
    """Every model of the golden vectors, and the arrays that they hold."""
    for folder in sorted(ROOT.glob("plugins/*/tests/vectors")):
        codecs: dict[str, tuple[Codec, Arrays]] = {}
        for codec_id in sorted({path.name.split("-v")[0] for path in folder.glob("*.json")}):
            for vector, model in vectors.read(folder, codec_id):
                codec = default().codec_class(codec_id).from_config(vector.config, model=model)
                array = codec.decode(vector.payload, vector.spec, version=vector.format_version)
                key = json.dumps([codec_id, vector.config, vector.model], sort_keys=True)
                if takes(codec, array):  # what a lossy codec gives back need not be
                    codecs.setdefault(key, (codec, {}))[1][vector.stem] = array
        yield from codecs.values()


# --- there ---------------------------------------------------------------------------------------


def read(folder: Path) -> None:
    """Decode each file, encode its arrays again, and say what came out."""
    for where in sorted(folder.iterdir()):
        start, said = time.process_time(), json.loads((where / "said.json").read_text())
        result: dict[str, Any] = {"codec": said["codec"], "model": said["model"], **decoded(where, said)}
        if said["codec"] not in FREE:
            result["encodes"] = encoded(where, said) if "missing" not in result else False
        print(json.dumps({**result, "seconds": round(time.process_time() - start, 1)}), flush=True)


def decoded(where: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Whether every entry decodes to the digest that was written down, or why that cannot be tried."""
    try:
        with cc.open(where / "file.ccf") as file:
            found = {name: vectors.sha256(entry[...]) for name, entry in file.items()}
    except CodecsError as error:
        text = f"{type(error).__name__}: {error}"
        return {"decodes": False, "missing" if error.code in ("missing-dependency", "unknown-codec") else "error": text}
    return {"decodes": found == said["arrays"]}


def encoded(where: Path, said: dict[str, Any]) -> bool | str:
    """Whether the same arrays become the same file."""
    again = where / "again.ccf"
    try:
        codecs = codecs_of(where / "file.ccf", said["model"])
        with np.load(where / "arrays.npz") as arrays:
            save(again, next(iter(codecs.values())), {name: arrays[name] for name in codecs})
        return sha256(again) == said["file"]
    except CodecsError as error:
        return f"{type(error).__name__}: {error}"


def codecs_of(path: Path, model: str) -> dict[str, Codec]:
    """The codec of every entry of a file, with the model called `model`, which the file holds if it does not ship."""
    with Reader.open(path) as reader:
        held = {sha256: reader.model(sha256) for sha256 in reader.models}
        models = {sha256: Model.from_bytes(data, model) if data else model for sha256, data in held.items()}
        return {
            name: cc.get_codec(entry.codec, model=models.get(entry.model or ""), **entry.config)
            for name, entry in reader.entries.items()
        }


def save(path: Path, codec: Codec, arrays: Arrays) -> None:
    """Write arrays by one codec, with its model unless that ships."""
    ships = {model.sha256 for model in default().models}
    embed = codec.model is not None and codec.model.sha256 not in ships
    cc.save(path, arrays, codec=dict.fromkeys(arrays, codec), embed_model=embed, jobs=1)


def sha256(path: Path) -> str:
    """Hash of a file; of a small one, that of the container that it stands for: zlibs may fold it to different bytes."""
    data = path.read_bytes()
    return hashlib.sha256(unfold(data) if data.startswith(FOLDED) else data).hexdigest()


if __name__ == "__main__":
    main()
