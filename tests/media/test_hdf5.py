"""HDF5 and NetCDF 4: datasets as entries, and the same file back, whatever else is in it."""

import zlib

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codecs_core import media
from codecs_core.errors import OutputError
from codecs_core.media import hdf5, hdf5_chunks
from codecs_core.media.source import Part

from .conftest import check_identical, check_kept, same, there_and_back

rng = np.random.Generator(np.random.Philox(12))
DTYPES = [
    f"{order}{code}"
    for order in "<>"
    for code in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
]
LAYOUTS = {
    "contiguous": {},
    "chunks": {"chunks": (7, 4)},
    "gzip": {"chunks": (7, 4), "compression": "gzip", "compression_opts": 7, "shuffle": True, "fletcher32": True},
    "lzf": {"chunks": (5, 9), "compression": "lzf"},
    "growing": {"chunks": (7, 4), "maxshape": (None, None), "compression": 4},
}


def of(returned, path):
    """Arrays by the names of datasets."""
    return {name.removeprefix(f"{path.name}/"): array for name, array in returned.arrays.items()}


def check_file(path, folder, expected):
    returned = check_identical(path, folder)
    found = of(returned, path)
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert same(found[name], array.astype(array.dtype.newbyteorder("=")))
    return returned


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_every_dtype_and_layout(tmp_path, dtype, libver):
    data = rng.integers(0, 100, (20, 9)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        for name, options in LAYOUTS.items():
            file.create_dataset(f"group/{name}", data=data, **options)
    check_file(tmp_path / "a.h5", tmp_path / "there", {f"group/{name}": data for name in LAYOUTS})


def everything(path):
    """A file of all that HDF5 has beside numbers."""
    data = np.arange(600, dtype="i4").reshape(30, 20)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["title"] = "a file"
        file.attrs["nothing"] = h5py.Empty("f4")
        a = file.create_dataset("a", data=data, chunks=(10, 10), compression="gzip", fillvalue=-1)
        a.attrs.update(units="K", scale_factor=0.5, add_offset=np.float32(273.15), _FillValue=np.int32(-1), nan=np.nan)
        a.attrs["points"] = a.ref
        a.attrs["struct"] = np.zeros(2, [("x", "f4"), ("y", "S3")])
        x = file.create_dataset("x", data=np.arange(30.0))
        x.make_scale("x")
        a.dims[0].attach_scale(x)
        a.dims[1].label = "column"
        file.create_dataset("text", data=["one", "two"], dtype=h5py.string_dtype())
        file.create_dataset("fixed", data=np.array([b"ab", b"cd"]))
        file.create_dataset("records", data=np.zeros(5, [("n", "i4"), ("v", "f8", 3)]))
        file.create_dataset("flags", data=np.arange(600).reshape(30, 20) % 2 == 0, chunks=(10, 10), compression="lzf")
        colours = h5py.enum_dtype({"red": 1, "green": 2}, "u1")
        file.create_dataset("colours", data=np.array([1, 2, 1], "u1"), dtype=colours)
        ragged = file.create_dataset("ragged", 2, h5py.vlen_dtype(np.int32))
        ragged[0], ragged[1] = [1, 2, 3], [4]
        file.create_dataset("references", data=[a.ref, x.ref], dtype=h5py.ref_dtype)
        file.create_dataset("regions", data=[a.regionref[2:4]], dtype=h5py.regionref_dtype)
        file.create_dataset("opaque", data=np.void(b"\1\2\3"))
        file.create_dataset("empty", data=h5py.Empty("f8"))
        file.create_dataset("unwritten", (100, 100), "f4", chunks=(10, 10))
        file.create_dataset("none", (0, 3), "f4")
        file.create_dataset("scalar", data=2.5)
        file.create_dataset("part", (100, 10), "i2", chunks=(10, 10), compression="gzip")[25:35] = 7
        file["soft"] = h5py.SoftLink("/a")
        file["gone"] = h5py.SoftLink("/not/there")
        file["outside"] = h5py.ExternalLink("other.h5", "/b")
        file["hard"] = a
        file["z/within"] = file["scalar"]
        file["kind"] = np.dtype("f4")
        layout = h5py.VirtualLayout((30, 20), "i4")
        layout[...] = h5py.VirtualSource(a)
        file.create_virtual_dataset("virtual", layout)
        file.require_group("empty group").attrs["why"] = "there is nothing in it"
    part = np.zeros((100, 10), "i2")
    part[25:35] = 7
    flags = (data % 2 == 0).astype("i1")
    return {
        "a": data,
        "x": np.arange(30.0),
        "flags": flags,
        "colours": np.array([1, 2, 1], "u1"),
        "scalar": np.array(2.5),
        "part": part,
    }


def test_everything_else_stays_what_it_is(tmp_path):
    expected = everything(tmp_path / "a.h5")
    returned = check_file(tmp_path / "a.h5", tmp_path / "there", expected)
    held = returned.attrs["a.h5/a"]["media"]
    assert held["attributes"] == {
        "units": "K",
        "scale_factor": 0.5,
        "add_offset": float(np.float32(273.15)),
        "_FillValue": -1,
        "nan": "nan",
    }
    assert held["axes"] == ["x", "column"]
    assert held["chunks"] == [10, 10]


def test_external_data_and_odd_types_stay_in_the_skeleton(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=np.arange(10))
        file.create_dataset("elsewhere", (10,), "i4", external=[(str(tmp_path / "raw"), 0, 40)])
        odd = h5py.h5t.IEEE_F32LE.copy()
        odd.set_fields(14, 9, 5, 0, 9)
        odd.set_precision(15)
        odd.set_size(2)
        odd.set_ebias(53)
        space = h5py.h5s.create_simple((4,))
        h5py.h5d.create(file.id, b"odd", odd, space).write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4.0))
        scaled = file.create_dataset("scaled", (50,), "f4", chunks=(50,), scaleoffset=2)
        scaled[...] = np.arange(50)
    check_file(tmp_path / "a.h5", tmp_path / "there", {"a": np.arange(10)})


def test_a_user_block(tmp_path):
    data = np.arange(600.0).reshape(30, 20)
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file.create_dataset("a", data=data, chunks=(7, 20), compression="gzip")
        file.create_dataset("b", data=data)
    held = bytearray((tmp_path / "a.mat").read_bytes())
    held[:19] = b"MATLAB 7.3 MAT-file"
    (tmp_path / "a.mat").write_bytes(held)
    check_file(tmp_path / "a.mat", tmp_path / "there", {"a": data, "b": data})


def odd_chunks(path, libver):
    """Chunks that zlib does not make of their values: as those of another zlib would be."""
    data = np.arange(2000, dtype="i4").reshape(50, 40) // 7
    with h5py.File(path, "w", libver=libver) as file:
        for name, more in (("fixed", {}), ("growing", {"maxshape": (None, 40)})):
            made = file.create_dataset(name, (50, 40), "i4", chunks=(10, 40), compression="gzip", **more)
            for at in range(0, 50, 10):
                deflater = zlib.compressobj(1, zlib.DEFLATED, 15, 1, zlib.Z_HUFFMAN_ONLY)
                chunk = deflater.compress(data[at : at + 10].tobytes()) + deflater.flush()
                made.id.write_direct_chunk((at, 0), chunk)
            made.attrs["units"] = "K"
        file.create_dataset("text", data=["a", "b"], dtype=h5py.string_dtype())
        file.create_dataset("behind", data=data, chunks=(10, 40), compression="gzip")
    return data


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_chunks_of_other_sizes_are_written_anew(tmp_path, libver):
    data = odd_chunks(tmp_path / "a.h5", libver)
    returned = there_and_back(tmp_path / "a.h5", tmp_path / "there")
    assert not returned.kept
    assert returned.path.read_bytes() != (tmp_path / "a.h5").read_bytes()
    assert returned.path.stat().st_size <= (tmp_path / "a.h5").stat().st_size
    with h5py.File(returned.path) as file:
        for name in ("fixed", "growing", "behind"):
            assert same(file[name][...], data)
            assert file[name].compression == "gzip"
            assert file[name].chunks == (10, 40)
        assert file["growing"].maxshape == (None, 40)
        assert dict(file["fixed"].attrs) == {"units": "K"}
        assert file["text"].asstr()[...].tolist() == ["a", "b"]


def test_bytes_behind_the_end_that_hdf5_would_cut_off(tmp_path):
    odd_chunks(tmp_path / "a.h5", "latest")
    (tmp_path / "a.h5").write_bytes((tmp_path / "a.h5").read_bytes() + b"words")
    check_kept(tmp_path / "a.h5", tmp_path / "1", "would not have the same values once it is written again")
    everything(tmp_path / "b.h5")
    (tmp_path / "b.h5").write_bytes((tmp_path / "b.h5").read_bytes() + b"words")
    check_identical(tmp_path / "b.h5", tmp_path / "2")


def test_a_filter_that_was_left_out_of_a_chunk(tmp_path):
    data = np.arange(40, dtype="i4").reshape(2, 20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("a", data=data, chunks=(1, 20), compression="gzip")
        made.id.write_direct_chunk((1, 0), data[1].tobytes(), filter_mask=1)
    returned = there_and_back(tmp_path / "a.h5", tmp_path / "there")
    with h5py.File(returned.path) as file:
        assert same(file["a"][...], data)


def dataset():
    times = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(6, "h")
    values = rng.normal(280, 10, (4, 5, 6)).astype("f4")
    values[0, 0, 0] = np.nan
    return xr.Dataset(
        {"t2m": (("time", "lat", "lon"), values, {"units": "K"}), "name": ("lat", list("abcde")), "n": ((), 5)},
        {"time": times, "lat": np.linspace(-90, 90, 5), "lon": np.arange(6.0)},
        {"title": "weather", "history": "made"},
    )


@pytest.mark.parametrize("packed", [False, True])
def test_netcdf_4(tmp_path, packed):
    encoding = {"t2m": {"zlib": True, "complevel": 5, "shuffle": True, "chunksizes": (2, 5, 6)}}
    if packed:
        encoding["t2m"] |= {"dtype": "int16", "scale_factor": 0.01, "add_offset": 280.0, "_FillValue": -32768}
    dataset().to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding=encoding)
    returned = check_identical(tmp_path / "a.nc", tmp_path / "there")
    held = returned.attrs["a.nc/t2m"]["media"]
    assert held["axes"] == ["time", "lat", "lon"]
    assert held["attributes"]["units"] == "K"
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf", mask_and_scale=False, decode_times=False) as raw:
        assert same(of(returned, tmp_path / "a.nc")["t2m"], raw.t2m.values)
        assert raw.t2m.dtype == (np.int16 if packed else np.float32)
        with xr.open_dataset(returned.path, engine="h5netcdf", mask_and_scale=False, decode_times=False) as again:
            xr.testing.assert_identical(again.load(), raw.load())


def test_what_is_kept_whole(tmp_path):
    with h5py.File(tmp_path / "text.h5", "w") as file:
        file.create_dataset("a", data=["x"], dtype=h5py.string_dtype())
    check_kept(tmp_path / "text.h5", tmp_path / "1", "without datasets of numbers")
    with h5py.File(tmp_path / "big.h5", "w") as file:
        file.create_dataset("a", data=np.arange(10))
        file.create_dataset("b", data=np.frombuffer(rng.bytes(6_000_000), "S6"))
    check_kept(tmp_path / "big.h5", tmp_path / "2", "beside its values")
    data = (tmp_path / "big.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(data[:1000])
    check_kept(tmp_path / "cut.h5", tmp_path / "3", "is not an HDF5 file that can be read")


def test_datasets_that_share_their_values(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "ab":
            file.create_dataset(name, data=np.arange(1000, dtype="i4") + ord(name))
        a, b = (file[name].id.get_offset() for name in "ab")
    data = (tmp_path / "a.h5").read_bytes()
    assert data.count(b.to_bytes(8, "little")) == 1
    (tmp_path / "a.h5").write_bytes(data.replace(b.to_bytes(8, "little"), (a + 8).to_bytes(8, "little")))
    check_kept(tmp_path / "a.h5", tmp_path / "there", "share their values")


def test_chunks_where_the_indices_are(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("a", data=np.arange(100, dtype="i4"), chunks=(50,))
        offset = made.id.get_chunk_info(1).byte_offset
    data = (tmp_path / "a.h5").read_bytes()
    assert data.count(offset.to_bytes(8, "little")) == 1
    (tmp_path / "a.h5").write_bytes(data.replace(offset.to_bytes(8, "little"), (96).to_bytes(8, "little")))
    check_kept(tmp_path / "a.h5", tmp_path / "there", "cannot be written again")


def test_attributes_that_do_not_fit_are_refused(tmp_path):
    everything(tmp_path / "a.h5")
    sources = list(media.read([tmp_path / "a.h5"]).values())
    parts = [Part(name=source.name, array=source.read(), attrs=source.attrs) for source in sources]
    with pytest.raises(OutputError, match="some are missing"):
        hdf5.write(tmp_path / "b.h5", parts[1:])
    for key, value in (("skeleton", b"x"), ("holes", [[1, -5]]), ("size", 7), ("holes", "what")):
        whole = {**parts[0].media["file"], key: value}
        wrong = Part(name="a", array=parts[0].array, attrs={"media": {**parts[0].media, "file": whole}})
        with pytest.raises(OutputError, match="skeleton"):
            hdf5.write(tmp_path / "b.h5", [wrong, *parts[1:]])
    wrong = Part(name="a", array=parts[0].array[:-1], attrs=parts[0].attrs)
    with pytest.raises(OutputError, match="is not what its skeleton has a place for"):
        hdf5.write(tmp_path / "b.h5", [wrong, *parts[1:]])


def test_no_other_file_is_written_into(tmp_path):
    """A member that is a link to another file, or a dataset whose values are in one, is none."""
    data = np.arange(40, dtype="i4").reshape(4, 10)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.create_dataset("b", data=data, chunks=(2, 10), compression="gzip")
    before = (tmp_path / "other.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=data, chunks=(2, 10), compression="gzip")
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/b")
        file["soft"] = h5py.SoftLink("/link")
        file.create_group("g")["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        file.create_dataset("raw", (4, 10), "i4", external=[(str(tmp_path / "raw"), 0, 160)])
    (source,) = media.read([tmp_path / "a.h5"]).values()
    for member in ("link", "soft", "g/link/b", "raw", "", "/", "a/", "g", "gone"):
        attrs = {"media": {**source.attrs["media"], "member": member}}
        with pytest.raises(OutputError, match="its skeleton"):
            hdf5.write(tmp_path / "b.h5", [Part(name="a", array=data + 1, attrs=attrs)])
    assert (tmp_path / "other.h5").read_bytes() == before
    assert not (tmp_path / "raw").exists()


def test_chunks_that_another_version_of_hdf5_finds_elsewhere(tmp_path, monkeypatch):
    """Of a file with a user block it may count from its end: they are written again by HDF5 instead of put in place."""
    data = np.arange(600.0).reshape(30, 20)
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file.create_dataset("a", data=data, chunks=(7, 20), compression="gzip")
    (source,) = hdf5.read(tmp_path / "a.h5")
    stored = hdf5_chunks.stored_chunks
    monkeypatch.setattr(
        hdf5_chunks,
        "stored_chunks",
        lambda identity: [one._replace(byte_offset=one.byte_offset - 512) for one in stored(identity)],
    )
    hdf5.write(tmp_path / "b.h5", [Part(name="a", array=source.read(), attrs=source.attrs)])
    with h5py.File(tmp_path / "b.h5") as file:
        assert same(file["a"][...], data)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=1, max_dims=3, max_side=6)),
    st.sampled_from([None, "gzip", "lzf"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["earliest", "latest"]),
    st.data(),
)
def test_any_values(tmp_path_factory, array, compression, shuffle, grows, libver, data):
    folder = tmp_path_factory.mktemp("hdf5")
    chunks = tuple(data.draw(st.integers(1, n)) for n in array.shape)
    more = {"maxshape": (None,) * array.ndim} if grows else {}
    with h5py.File(folder / "a.h5", "w", libver=libver) as file:
        file.create_dataset("a", data=array, chunks=chunks, compression=compression, shuffle=shuffle, **more)
    check_file(folder / "a.h5", folder / "there", {"a": array})
