"""Chunks of HDF5 datasets by codecs: h5py and xarray read and write them, and damage is told."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from codecs_core.adapters import hdf5
from codecs_core.errors import ConfigError, UnsupportedArrayError

h5py = pytest.importorskip("h5py")
ARRAY = np.cumsum(np.random.default_rng(0).integers(-3, 4, (100, 300)), axis=1)


@pytest.mark.parametrize("dtype", ["<i4", ">i4", "<u2", "<f8", ">f4", "|u1"])
@pytest.mark.parametrize("codec", ["classic.lzma", {"id": "classic.zstd", "level": 3}])
def test_datasets_come_back(tmp_path, dtype, codec):
    array = ARRAY.astype(dtype)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset("a", data=array, dtype=dtype, **hdf5.encoding(codec, dtype=dtype, chunks=(33, 100)))
        assert made.id.get_storage_size() < array.nbytes
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["a"].dtype == np.dtype(dtype)
        assert np.array_equal(file["a"][...], array)
        assert np.array_equal(file["a"][31:70, 5], array[31:70, 5])


def test_a_learned_codec_with_its_model(tmp_path):
    images = (np.random.default_rng(1).random((20, 28, 28)) < 0.1).astype("u1")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        keywords = hdf5.encoding("bbans.vae", model="mnist-binary", dtype="u1", chunks=(10, 28, 28))
        file.create_dataset("a", data=images, **keywords)
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.array_equal(file["a"][...], images)


def test_xarray_writes_and_reads(tmp_path):
    data = xr.Dataset({"v": (("y", "x"), ARRAY.astype("f4"))}, attrs={"title": "test"})
    encoding = hdf5.variable_encoding("classic.zstd", dtype="f4", chunks=(50, 300))
    data.to_netcdf(tmp_path / "x.nc", engine="h5netcdf", encoding={"v": encoding})
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        xr.testing.assert_identical(back.load(), data)


def test_another_process_needs_only_the_import(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a", data=ARRAY, **hdf5.encoding("classic.zlib", dtype=ARRAY.dtype, chunks=(100, 300)))
    code = "import h5py, sys; import {}\nprint(h5py.File(sys.argv[1])['a'][...].sum())"
    for module, fine in (("codecs_core.adapters.hdf5", True), ("numpy", False)):
        command = [sys.executable, "-c", code.format(module), str(tmp_path / "x.h5")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is fine, done.stderr
        assert int(done.stdout) == ARRAY.sum() if fine else "OSError" in done.stderr


def test_damage_is_told(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a", data=ARRAY, **hdf5.encoding("classic.raw", dtype=ARRAY.dtype, chunks=(10, 300)))
    data = bytearray((tmp_path / "x.h5").read_bytes())
    data[data.index(ARRAY[55].tobytes())] ^= 1
    (tmp_path / "x.h5").write_bytes(data)
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.array_equal(file["a"][:50], ARRAY[:50])
        with pytest.warns(RuntimeWarning, match="CRC32C"), pytest.raises(OSError, match="filter"):
            file["a"][55]


def test_a_chunk_that_cannot_be_encoded_is_stored_as_it_is(tmp_path):
    keywords = hdf5.encoding("classic.lzma", dtype="f8", chunks=(100, 300))

    def write():
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file.create_dataset("a", data=ARRAY.astype("f4"), **keywords)

    with pytest.warns(RuntimeWarning, match="give it the dtype and the chunks"):
        write()
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.array_equal(file["a"][...], ARRAY)
        assert file["a"].id.get_storage_size() == 4 * ARRAY.size


def test_what_the_codec_cannot_take():
    with pytest.raises(UnsupportedArrayError):
        hdf5.encoding("classic.webp", dtype="f8", chunks=(10, 300))
    with pytest.raises(ConfigError):
        hdf5.encoding("classic.zstd", dtype="f8", chunks=(10, 300), level=99)
