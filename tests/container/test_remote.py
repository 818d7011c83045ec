"""Containers behind URLs: what is asked for, what is left behind when it goes wrong, and what is said."""

import errno
import http.server
import shutil
import sys
import threading
import zipfile
from functools import partial

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

import codecs_core as cc
from codecs_core.container import Reader
from codecs_core.container.remote import UrlSource
from codecs_core.container.source import is_url
from codecs_core.errors import (
    InputError,
    MissingDependencyError,
    MissingReaderError,
    OutputError,
    TruncatedFileError,
    UnsupportedArrayError,
)

KEY = "counting://bucket/x.ccf"
ARRAY = np.random.Generator(np.random.Philox(0)).integers(0, 256, (500, 40, 20), np.uint8)
SPEC = cc.ArraySpec((4, 5), "uint8")


class Counting(MemoryFileSystem):
    """Notes every range that is asked for, and refuses to open files, which would read ahead."""

    protocol = "counting"
    store: dict = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012
    ranges: list = []  # noqa: RUF012
    cachable = False

    def cat_file(self, path, start=None, end=None, **kwargs):
        self.ranges.append((start, end))
        return super().cat_file(path, start=start, end=end, **kwargs)

    def _open(self, path, mode="rb", **kwargs):
        assert mode == "wb"
        return super()._open(path, mode, **kwargs)


class Growing(LocalFileSystem):
    """A file system on which a file grows under its name, and whose connection breaks."""

    protocol = "growing"
    breaks = False
    cachable = False

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("growing://"))

    def put_file(self, lpath, rpath, **kwargs):
        if Growing.breaks:
            with open(lpath, "rb") as source, open(rpath, "wb") as target:
                target.write(source.read(100))
            raise OSError(errno.ECONNRESET, "the connection broke")
        return super().put_file(lpath, rpath, **kwargs)


fsspec.register_implementation("counting", Counting, clobber=True)
fsspec.register_implementation("growing", Growing, clobber=True)


@pytest.fixture
def url():
    url = "counting://bucket/x.ccf"
    cc.save(url, {"images": ARRAY}, codec="classic.zlib", chunk=10)
    Counting.ranges.clear()
    yield url
    Counting.store.clear()


@pytest.mark.parametrize(
    "text", ["memory://a", "s3://b/c.ccf", "simplecache::https://d/e", "zip://a::/b.zip", "S3://b"]
)
def test_urls(text):
    assert is_url(text)


@pytest.mark.parametrize(
    "text", ["x.ccf", "/a/b", "a:b.ccf", "a::b.ccf", r"C:\x.ccf", "C://x", "./s3://x", "", None, b"s3://x"]
)
def test_paths_are_no_urls(text):
    assert not is_url(text)


def test_one_item_takes_the_tail_the_header_and_its_chunk(url):
    with cc.open(url) as file, Reader.open(url) as reader:
        Counting.ranges.clear()
        stored = reader.stored("images", 7)
        assert np.array_equal(file["images"][75], ARRAY[75])
        ((start, end),) = Counting.ranges
        assert stored < end - start <= stored + 64  # the frame of the chunk: its head, and its payload
        size = file.info()["bytes"]["total"]
    Counting.ranges.clear()
    with cc.open(url):
        assert Counting.ranges == [(0, UrlSource.head_read), (size - UrlSource.tail_read, size)]
    assert size > 20 * (UrlSource.head_read + UrlSource.tail_read)


def test_an_index_larger_than_the_tail_takes_one_more_request(url):
    cc.save(url, {"images": ARRAY.reshape(10000, 40)}, codec="classic.zlib", chunk=1)
    Counting.ranges.clear()
    with cc.open(url) as file:
        sizes = file.info()["bytes"]
        assert sizes["index"] > UrlSource.tail_read
        assert len(Counting.ranges) == 3
        assert (
            sum(end - start for start, end in Counting.ranges)
            < UrlSource.head_read + UrlSource.tail_read + sizes["index"]
        )
        assert np.array_equal(file["images"][5000], ARRAY.reshape(10000, 40)[5000])


def test_inspect_reads_no_chunk(url):
    assert cc.inspect(url)["entries"][0]["chunks"] == 50
    assert len(Counting.ranges) == 2


def test_the_whole_file(url):
    assert np.array_equal(cc.load(url, jobs=3)["images"], ARRAY)
    with cc.open(url) as file:
        assert file.verify(decode=True)["ok"]


def test_threads_share_a_source(url):
    source, whole = UrlSource(url), bytes(Counting.store[KEY].getbuffer())
    with cc.open(url, jobs=4) as file:
        assert np.array_equal(file["images"][::3], ARRAY[::3])
    assert source.read_at(5, 3) == whole[5:8]
    assert source.read_at(source.size - 2, 10) == whole[-2:]
    assert source.read_at(source.size + 2, 10) == b""
    assert source.stamp == UrlSource(url).stamp
    assert str(source) == repr(url)


def test_a_file_cut_short_says_so(url):
    whole = bytes(Counting.store[KEY].getbuffer())
    fsspec.filesystem("counting").pipe_file(KEY, whole[:100_000])
    with pytest.raises(TruncatedFileError, match=r"'counting://bucket/x.ccf'.* of 50 chunks are whole"):
        cc.open(url)


# --- writing -----------------------------------------------------------------------------------------


def test_a_failure_before_the_end_leaves_what_was_there(url):
    before = bytes(Counting.store[KEY].getbuffer())
    with pytest.raises(UnsupportedArrayError), cc.create(url, SPEC, codec="classic.zlib") as writer:
        writer.append("", np.zeros((4, 6), "u1"))
    assert bytes(Counting.store[KEY].getbuffer()) == before
    assert list(Counting.store) == [KEY]


def test_a_broken_connection_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "x.ccf"
    cc.save(f"growing://{path}", ARRAY[:2], codec="classic.zlib")
    monkeypatch.setattr(Growing, "breaks", True)
    with pytest.raises(OutputError, match=r"cannot write 'growing://.*': the upload failed: Connection reset by peer"):
        cc.save(f"growing://{path}", ARRAY, codec="classic.zlib")
    assert list(tmp_path.iterdir()) == [path]
    assert np.array_equal(cc.load(path), ARRAY[:2])


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nosuch://x.ccf", "Protocol not known: nosuch"),
        ("https://example.org/x.ccf", "https can only be read"),
        ("simplecache::memory://x.ccf", "a chain of file systems can only be read"),
        ("zip://x.ccf::a.zip", "a chain of file systems can only be read"),
    ],
)
def test_what_cannot_be_written(url, why):
    with pytest.raises(OutputError, match=f"cannot write '{url}': {why}"):
        cc.save(url, ARRAY[:1], codec="classic.zlib")


def test_object_stores_take_it_as_one_object(tmp_path, monkeypatch):
    put = []
    monkeypatch.setattr(Growing, "protocol", ("growing", "s3"))
    monkeypatch.setattr(Growing, "mv", None)
    monkeypatch.setattr(Growing, "put_file", lambda self, local, path: put.append(path) or shutil.copy(local, path))
    cc.save(f"growing://{tmp_path}/x.ccf", ARRAY[:2], codec="classic.zlib")
    assert put == [f"{tmp_path}/x.ccf"]
    assert np.array_equal(cc.load(tmp_path / "x.ccf"), ARRAY[:2])


# --- other file systems ------------------------------------------------------------------------------


def test_a_file_in_an_archive(tmp_path):
    cc.save(tmp_path / "x.ccf", ARRAY, codec="classic.zlib", chunk=50)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "x.ccf", "in/x.ccf")
    with cc.open(f"zip://in/x.ccf::{tmp_path}/a.zip", jobs=3) as file:
        assert np.array_equal(file[""][120:330], ARRAY[120:330])


class Ranges(http.server.BaseHTTPRequestHandler):
    """Serves one file, by ranges if it is asked nicely."""

    data, ranges, asked = b"", True, []

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def do_GET(self):
        wanted, status = self.data, 200
        if self.ranges and "Range" in self.headers:
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            wanted, status = self.data[first : last + 1], 206
            self.asked.append(len(wanted))
        self.send_response(status)
        self.send_header("Content-Length", str(len(wanted)))
        self.end_headers()
        self.wfile.write(wanted)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    cc.save(tmp_path / "x.ccf", ARRAY, codec="classic.zlib", chunk=50)
    handler = type("Handler", (Ranges,), {"data": (tmp_path / "x.ccf").read_bytes(), "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}/x.ccf"
        server.shutdown()
        thread.join()


def test_a_web_server(server):
    handler, url = server
    with cc.open(url) as file:
        assert np.array_equal(file[""][120], ARRAY[120])
        assert sum(handler.asked) < len(handler.data) / 5


def test_a_web_server_that_does_not_answer():
    with pytest.raises(InputError, match=r"no such file or folder \(Cannot connect to host"):
        cc.open("http://127.0.0.1:1/x.ccf")


def test_a_web_server_that_knows_no_ranges(server):
    handler, url = server
    handler.ranges = False
    with pytest.raises(InputError, match=rf"does not serve ranges: .*; read it as simplecache::{url}"):
        cc.open(url)
    assert np.array_equal(cc.load(f"simplecache::{url}"), ARRAY)


# --- what is missing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["memory://none.ccf", "counting://none/x.ccf"])
def test_there_is_no_such_file(url):
    with pytest.raises(InputError, match=f"cannot open '{url}': no such file or folder"):
        cc.open(url)


def test_a_folder_is_no_file(url):
    with pytest.raises(InputError, match="it is a folder"):
        cc.open("counting://bucket")


def test_without_fsspec(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingReaderError, match=r"pip install 'codecs-core\[remote\]'"):
        cc.open("s3://bucket/x.ccf")
    with pytest.raises(MissingDependencyError, match=r"pip install 'codecs-core\[remote\]'"):
        cc.save("s3://bucket/x.ccf", ARRAY[:1], codec="classic.zlib")


@pytest.mark.parametrize(
    ("url", "package"),
    [("s3://b/x", "s3fs"), ("gs://b/x", "gcsfs"), ("simplecache::https://b/x", r"'codecs-core\[remote\]'")],
)
def test_without_what_a_scheme_takes(monkeypatch, url, package):
    def refuse(url):
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    with pytest.raises(InputError, match=f"cannot open '{url}': Install it: pip install {package}$"):
        cc.open(url)


# --- a file that changes while it is open --------------------------------------------------------


def other(n=50):
    """Another version, whose frames lie where those of the first lie."""
    path = "memory://other.ccf"
    cc.save(path, ARRAY[::-1].copy(), codec="classic.raw", chunk=n)
    return fsspec.filesystem("memory").cat_file("/other.ccf")


def test_an_object_that_is_replaced_is_read_no_further():
    url = "counting://bucket/y.ccf"
    cc.save(url, ARRAY, codec="classic.raw", chunk=50)
    with cc.open(url) as file:
        assert np.array_equal(file[""][0], ARRAY[0])
        fsspec.filesystem("counting").pipe_file(url, other())
        for read in (lambda: file[""][120], file.load):
            with pytest.raises(InputError, match=f"'{url}' changed since it was opened"):
                read()
    assert np.array_equal(cc.load(url), ARRAY[::-1])
    Counting.store.clear()


class Versions(Ranges):
    """Says which version it serves, in the headers named, and keeps to conditions or does not."""

    version, says, keeps = 1, ("ETag", "Last-Modified"), True

    def marks(self):
        return {
            "ETag": f'"{self.version}"',
            "Weak": f'W/"{self.version}"',
            "Last-Modified": f"Sat, 28 Nov 2026 19:00:0{self.version} GMT",
        }

    def send_response(self, code, message=None):
        super().send_response(code, message)
        for name in self.says:
            self.send_header({"Weak": "ETag"}.get(name, name), self.marks()[name])

    def do_GET(self):
        tag, since = self.headers.get("If-Match"), self.headers.get("If-Unmodified-Since")
        met = tag in (None, self.marks()["ETag"]) and since in (None, self.marks()["Last-Modified"])
        if self.keeps and not met:
            self.send_response(412)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()


@pytest.fixture
def versions(tmp_path):
    cc.save(tmp_path / "x.ccf", ARRAY, codec="classic.raw", chunk=50)
    handler = type("Handler", (Versions,), {"data": (tmp_path / "x.ccf").read_bytes(), "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}/x.ccf"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize(
    "says", [("ETag",), ("ETag", "Last-Modified"), ("Last-Modified",), ("Weak", "Last-Modified"), ("Weak",)]
)
def test_a_web_server_whose_file_is_replaced(versions, keeps, says):
    handler, url = versions
    handler.keeps, handler.says = keeps, says
    with cc.open(url) as file:
        assert np.array_equal(file[""][120], ARRAY[120])
        handler.data, handler.version = other(), 2
        with pytest.raises(InputError, match=f"'{url}' changed since it was opened"):
            file[""][320]
    assert np.array_equal(cc.load(url), ARRAY[::-1])


def test_a_condition_costs_no_second_request(versions):
    handler, url = versions
    with cc.open(url) as file:
        handler.do_HEAD = lambda self: pytest.fail("asked twice")
        assert np.array_equal(file[""][120], ARRAY[120])
