"""A library that is missing: the file is kept whole, and the line for pip is said; likewise where a file is to be written."""

import importlib.util
import sys

import h5py
import nibabel
import numpy as np
import pytest
import zarr

from codecs_core import media
from codecs_core.errors import MissingReaderError, OutputError

from .conftest import there_and_back
from .test_dicom import write_dicom


def nifti(path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4)), path)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.arange(10), chunks=(5,))


def store(path):
    zarr.create_array(path, data=np.arange(10))


FILES = {
    "a.dcm": ("pydicom", "medical", lambda path: write_dicom(path, bytes(40), Rows=4, Columns=5)),
    "a.nii": ("nibabel", "medical", nifti),
    "a.nii.gz": ("nibabel", "medical", nifti),
    "a.h5": ("h5py", "science", hdf5),
    "a.zarr": ("zarr", "zarr", store),
}


def without(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    find = importlib.util.find_spec
    for module in ("hdf5", "zarr_store"):
        monkeypatch.setattr(
            f"codecs_core.media.{module}.find_spec", lambda name: None if name == library else find(name)
        )


@pytest.mark.parametrize("name", FILES)
def test_reading(tmp_path, monkeypatch, name):
    library, extra, make = FILES[name]
    make(tmp_path / name)
    without(monkeypatch, library)
    with pytest.raises(MissingReaderError, match=rf"takes {library}: pip install 'codecs-core\[{extra}\]'"):
        media.read([tmp_path / name])
    if name != "a.zarr":
        data = (tmp_path / name).read_bytes()
        returned = there_and_back(tmp_path / name, tmp_path / "there")
        assert returned.kept
        assert returned.path.read_bytes() == data


@pytest.mark.parametrize("name", FILES)
def test_writing(tmp_path, monkeypatch, name):
    library, extra, make = FILES[name]
    make(tmp_path / name)
    sources = media.read([tmp_path / name])
    arrays = {key: source.read() for key, source in sources.items()}
    attrs = {key: source.attrs for key, source in sources.items()}
    without(monkeypatch, library)
    if name in ("a.h5", "a.zarr"):
        with pytest.raises(OutputError, match=rf"takes {library}: pip install 'codecs-core\[{extra}\]'"):
            media.write(tmp_path / "out", arrays, attrs)
    else:
        media.write(tmp_path / "out", arrays, attrs)
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()
