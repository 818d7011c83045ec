import os
import sys
import threading

import pytest

from codecs_core.container import FileSource
from codecs_core.errors import InputError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 64)
    return path


def test_reads(path):
    source = FileSource(path)
    assert source.size == 256 * 64
    assert source.read_at(5, 3) == b"\5\6\7"
    assert source.read_at(source.size - 2, 10) == b"\xfe\xff"
    assert source.read_at(source.size + 2, 10) == b""
    assert source.read_at(0, 0) == b""
    assert str(source) == repr(str(path))
    source.close()


def test_pieces_are_joined(path, monkeypatch):
    monkeypatch.setattr("codecs_core.container.source._STEP", 7)
    source = FileSource(path)
    assert source.read_at(3, 500) == path.read_bytes()[3:503]
    source.close()


@pytest.mark.parametrize("pread", [True, False])
def test_threads_do_not_disturb_one_another(path, monkeypatch, pread):
    if not pread:
        monkeypatch.delattr(os, "pread")
    source = FileSource(path)
    wrong = []

    def work(start):
        for i in range(300):
            at = (start * 31 + i * 7) % 16000
            if source.read_at(at, 4) != bytes((at + k) % 256 for k in range(4)):
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    source.close()
    assert wrong == []


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        FileSource(tmp_path / "none")
    with pytest.raises(InputError, match="cannot open"):
        FileSource("a\0b")


def test_not_a_file(tmp_path):
    with pytest.raises(InputError, match="not a regular file"):
        FileSource(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        FileSource(tmp_path / "pipe")


def test_a_read_that_fails_names_the_file(path):
    source = FileSource(path)
    os.close(source._file.fileno())
    with pytest.raises(InputError, match=r"cannot read .*data"):
        source.read_at(0, 1)
    with pytest.raises(OSError, match="descriptor"):
        source.close()


def test_control_characters_in_a_path_are_escaped(tmp_path):
    with pytest.raises(InputError) as e:
        FileSource(str(tmp_path / "a\x1b[31m"))
    assert "\x1b" not in str(e.value)


# --- a file that changes while it is open -------------------------------------------------------


@pytest.mark.parametrize("size", [16384, 100, 20000], ids=["as long", "shorter", "longer"])
def test_a_file_that_is_written_to_is_read_no_further(path, size):
    source = FileSource(path)
    assert source.read_at(0, 3) == b"\0\1\2"
    path.write_bytes(b"x" * size)
    os.utime(path, ns=(0, 5))  # written at another time, however coarse the clock
    for offset in (0, 50, 16000):
        with pytest.raises(InputError, match=r"data' changed since it was opened; open it again"):
            source.read_at(offset, 3)
    source.close()


@pytest.mark.skipif(sys.platform == "win32", reason="what is open cannot be replaced there")
def test_a_file_that_is_replaced_is_read_on(path, tmp_path):
    source = FileSource(path)
    (tmp_path / "other").write_bytes(b"x" * 16384)
    os.replace(tmp_path / "other", path)
    assert source.read_at(5, 3) == b"\5\6\7"
    source.close()


def test_a_source_that_was_closed(path):
    source = FileSource(path)
    source.close()
    with pytest.raises(InputError, match=r"data' is closed; open it again"):
        source.read_at(0, 3)
