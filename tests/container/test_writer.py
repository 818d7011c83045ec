import io
import os
import threading

import numpy as np
import pytest

from codecs_core.arrays import ArraySpec
from codecs_core.container import Entry, Reader, Writer, atomic_write
from codecs_core.errors import ConfigError, OutputError

D = bytes(16)


@pytest.fixture
def file():
    return io.BytesIO()


def entry(name="x", shape=(3,), chunk=1, **fields):
    return Entry(name=name, spec=ArraySpec(shape, "uint8"), chunk=chunk, codec="test.c", **fields)


class Stream:
    """What can be written to and nothing else, a few bytes at a time."""

    def __init__(self, step=None):
        self.data = bytearray()
        self.step = step

    def write(self, data):
        taken = bytes(data)[: self.step]
        self.data += taken
        return len(taken) if self.step else None


@pytest.mark.parametrize("step", [None, 1, 7])
def test_streams(kit, file, step):
    stream = Stream(step)
    for out in (file, stream):
        writer = Writer(out, [entry()], models={kit.SHA: "m"})
        writer.write_model(kit.SHA, kit.MODEL)
        for i in range(3):
            writer.write_chunk("x", i, b"payload", D)
        writer.close()
    assert bytes(stream.data) == file.getvalue()


def test_a_pipe(kit):
    out, into = os.pipe()
    got = []
    with open(out, "rb") as reading, open(into, "wb") as writing:
        thread = threading.Thread(target=lambda: got.append(reading.read()))
        thread.start()
        writer = Writer(writing, [entry(shape=(1,))])
        writer.write_chunk("x", 0, b"p" * 300000, D)
        writer.close()
        writing.close()
        thread.join(10)
    assert Reader(kit.Memory(got[0])).payload("x", 0) == b"p" * 300000


def test_chunks_in_any_order(kit, file):
    writer = Writer(file, [entry("a"), entry("b")])
    for name, i in [("b", 2), ("a", 0), ("b", 0), ("a", 2), ("a", 1), ("b", 1)]:
        writer.write_chunk(name, i, f"{name}{i}".encode(), D)
    writer.close()
    reader = Reader(kit.Memory(file.getvalue()))
    assert [reader.payload(n, i) for n in "ab" for i in range(3)] == [b"a0", b"a1", b"a2", b"b0", b"b1", b"b2"]


def test_what_was_written_is_known_without_reading_it(kit, file):
    writer = Writer(file, [entry("a"), entry("b", shape=(0,))], models={kit.SHA: "m"}, attrs={"k": 1})
    with pytest.raises(ConfigError, match="not complete yet"):
        writer.contents()
    writer.write_model(kit.SHA, kit.MODEL)
    for i in (2, 0, 1):
        writer.write_chunk("a", i, bytes(i), D)
    writer.close()
    contents, reader = writer.contents(), Reader(kit.Memory(file.getvalue()))
    for key in ("version", "attrs", "models", "sizes", "incomplete"):
        assert getattr(contents, key) == getattr(reader, key)
    assert dict(contents.entries) == dict(reader.entries)
    assert list(contents.totals()) == list(reader.totals())
    assert [held for _, *held in contents.totals()] == [[3, 3], [0, 0]]
    assert [contents.stored("a", i) for i in range(3)] == [0, 1, 2]


def test_the_same_input_gives_the_same_file(kit):
    arrays = {"x": np.arange(9), "y": np.zeros(3)}
    a = kit.build(arrays, models={kit.SHA: "m", "0" * 64: "n"}, config={"p": 1, "q": 2})
    b = kit.build(arrays, models={"0" * 64: "n", kit.SHA: "m"}, config={"q": 2, "p": 1})
    assert a == b


def test_missing_chunks(file):
    writer = Writer(file, [entry("a"), entry("b")])
    for i in range(3):
        writer.write_chunk("a", i, b"", D)
    writer.write_chunk("b", 0, b"", D)
    with pytest.raises(ConfigError, match="'b' lacks 2 of 3 chunks, the first is 1"):
        writer.close()
    writer.write_chunk("b", 2, b"", D)
    writer.write_chunk("b", 1, b"", D)
    writer.close()


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("no", 0, b"", D), "no entry 'no'"),
        (("x", 3, b"", D), "no chunk 3"),
        (("x", -1, b"", D), "no chunk -1"),
        (("x", 1, b"", D), "written twice"),
        (("x", 0, b"", D[:15]), "digest of 16"),
        (("x", 0, b"", "d" * 16), "digest of 16"),
        (("x", 0, bytearray(3), D), "needs bytes"),
    ],
)
def test_chunks_that_are_refused_leave_the_file_as_it_was(kit, file, args, why):
    writer = Writer(file, [entry()])
    writer.write_chunk("x", 1, b"", D)
    before = file.getvalue()
    with pytest.raises(ConfigError, match=why):
        writer.write_chunk(*args)
    assert file.getvalue() == before
    writer.write_chunk("x", 0, b"0", D)
    writer.write_chunk("x", 2, b"2", D)
    writer.close()
    assert Reader(kit.Memory(file.getvalue())).payload("x", 0) == b"0"


def test_models(kit, file):
    writer = Writer(file, [entry()], models={kit.SHA: "m"})
    with pytest.raises(ConfigError, match="not among"):
        writer.write_model("0" * 64, b"")
    with pytest.raises(ConfigError, match="SHA-256"):
        writer.write_model(kit.SHA, b"other")
    writer.write_model(kit.SHA, kit.MODEL)
    with pytest.raises(ConfigError, match="twice"):
        writer.write_model(kit.SHA, kit.MODEL)


def test_models_come_first(kit, file):
    writer = Writer(file, [entry()], models={kit.SHA: "m"})
    writer.write_chunk("x", 0, b"", D)
    with pytest.raises(ConfigError, match="models first"):
        writer.write_model(kit.SHA, kit.MODEL)


def test_nothing_after_close(kit, file):
    writer = Writer(file, [entry(shape=(0,))], models={kit.SHA: "m"})
    writer.close()
    whole = file.getvalue()
    writer.close()
    with pytest.raises(ConfigError, match="complete"):
        writer.write_model(kit.SHA, kit.MODEL)
    with pytest.raises(ConfigError, match="complete"):
        writer.write_chunk("x", 0, b"", D)
    assert file.getvalue() == whole
    assert not file.closed


def test_what_cannot_be_stored_is_said_before_the_first_byte(file):
    with pytest.raises(ConfigError):
        Writer(file, [entry(), entry()])
    with pytest.raises(ConfigError):
        Writer(file, [entry(attrs={"a": {1}})])
    with pytest.raises(ConfigError):
        Writer(file, [], attrs={"a": float("inf")})
    assert file.getvalue() == b""


class Full(io.BytesIO):
    """A disk with room for this number of bytes."""

    room = 300

    def write(self, data):
        if self.tell() + len(data) > self.room:
            super().write(bytes(data)[: max(0, self.room - self.tell())])
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_failed_write_is_never_signed_off():
    disk = Full()
    writer = Writer(disk, [entry()])
    writer.write_chunk("x", 0, b"", D)
    with pytest.raises(OSError, match="No space"):
        writer.write_chunk("x", 1, bytes(300), D)
    disk.room = 1 << 20
    for call in (writer.close, lambda: writer.write_chunk("x", 2, b"", D)):
        with pytest.raises(ConfigError, match="start it again"):
            call()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_dev_full():
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        Writer(full, [entry()])


def test_a_full_disk_under_a_writer(tmp_path, monkeypatch):
    def work():
        with atomic_write(tmp_path / "x.ccf") as file:
            writer = Writer(file, [entry(shape=(1,))])
            monkeypatch.setattr(writer, "_file", Full())
            writer.write_chunk("x", 0, bytes(400), D)

    with pytest.raises(OutputError, match=r"x\.ccf.*No space left"):
        work()
    assert list(tmp_path.iterdir()) == []
