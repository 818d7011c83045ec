"""Train the profiles of ``ar.array`` that this plugin ships: ``python train_profiles.py FOLDER OUT [NAME ...]``.

FOLDER holds .npz files with one array each, or .npy files; OUT is the .safetensors file to write. Of each array the first
megabyte is learnt from.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar.array.train import PIECE, train
from numpy.typing import NDArray

from codecs_core import Model


def load(file: Path) -> NDArray[Any]:
    """The first megabyte of an array, or all of it."""
    loaded = np.load(file)
    array = loaded if isinstance(loaded, np.ndarray) else loaded[loaded.files[0]]
    return np.ascontiguousarray(array[: max(1, PIECE * len(array) // array.nbytes)])


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", help="only these arrays")
    chosen = parser.parse_args()
    files = sorted((*chosen.folder.glob("*.npy"), *chosen.folder.glob("*.npz")))
    taken = [file for file in files if not chosen.names or file.stem in chosen.names]
    found = train([load(file) for file in taken], budget=3600, progress=lambda _, text: print(text, flush=True))
    attrs = {
        "command": "train_profiles.py FOLDER OUT " + " ".join(file.stem for file in taken),
        "data": "the first megabyte of each of these public arrays of science, medicine and photography",
    }
    model = Model.create(codec=found.codec, config=found.config, tensors=found.tensors(), attrs=attrs)
    model.save(chosen.out)
    print(f"{chosen.out}: {len(model.data)} bytes, sha256 {model.sha256}, of {', '.join(f.stem for f in taken)}")


if __name__ == "__main__":
    main()
