import contextlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from codecs_core.container import atomic_write
from codecs_core.errors import CorruptDataError, OutputError

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("old", [None, b"old"])
def test_writes(tmp_path, old):
    path = tmp_path / "x.ccf"
    if old:
        path.write_bytes(old)
    with atomic_write(path) as file:
        file.write(b"new")
        assert (path.read_bytes() if old else path.exists()) == (old or False)
        (hidden,) = [n for n in names(tmp_path) if n != "x.ccf"]
        assert hidden.startswith(".x.ccf.")
        assert hidden.endswith(".tmp")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x.ccf"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), CorruptDataError("y")])
@pytest.mark.parametrize("old", [None, b"old"])
def test_an_exception_leaves_what_was_there(tmp_path, old, error):
    path = tmp_path / "x.ccf"
    if old:
        path.write_bytes(old)

    def work():
        with atomic_write(path) as file:
            file.write(b"new" * 100000)
            raise error

    with pytest.raises(type(error)) as caught:
        work()
    assert caught.value is error
    assert names(tmp_path) == (["x.ccf"] if old else [])
    assert not old or path.read_bytes() == old


def test_an_os_error_is_an_output_error_that_names_the_path(tmp_path):
    with pytest.raises(OutputError, match=r"x\.ccf.*No space left") as caught, atomic_write(tmp_path / "x.ccf"):
        raise OSError(28, "No space left on device")
    assert isinstance(caught.value.__cause__, OSError)
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_said_before_any_work(tmp_path):
    begun = []
    with pytest.raises(OutputError, match="does not exist"), atomic_write(tmp_path / "no" / "x.ccf"):
        begun.append(1)
    with pytest.raises(OutputError, match="not a regular file"), atomic_write(tmp_path):
        begun.append(2)
    with pytest.raises(OutputError), atomic_write("a\0b"):
        begun.append(3)
    assert begun == []


@posix
def test_devices_are_not_replaced():
    with pytest.raises(OutputError, match="not a regular file"), atomic_write(os.devnull):
        pass
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@posix
def test_permissions(tmp_path):
    path = tmp_path / "x"
    old = os.umask(0o027)
    try:
        with atomic_write(path) as file:
            file.write(b"1")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    with atomic_write(path) as file:
        file.write(b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@posix
def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "x")
    with atomic_write(link) as file:
        file.write(b"1")
    assert link.is_symlink()
    assert (tmp_path / "there" / "x").read_bytes() == b"1"


def test_long_names(tmp_path):
    path = tmp_path / ("é" * 120)
    with atomic_write(path) as file:
        file.write(b"1")
    assert path.read_bytes() == b"1"


def test_data_reaches_the_disk_before_the_name(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def note_sync(fd):
        calls.append(("sync", stat.S_ISDIR(os.fstat(fd).st_mode), os.fstat(fd).st_size))
        fsync(fd)

    def note_replace(a, b):
        calls.append(("replace",))
        replace(a, b)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    with atomic_write(tmp_path / "x") as file:
        file.write(b"12345")
    assert calls[:2] == [("sync", False, 5), ("replace",)]
    assert sys.platform == "win32" or calls[2][:2] == ("sync", True)


def start(script, *args):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@posix
def test_kill_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.ccf"
    path.write_bytes(b"old")
    script = """
        import sys, time
        from codecs_core.container import atomic_write
        with atomic_write(sys.argv[1]) as file:
            file.write(b"new" * 100000)
            file.flush()
            print("half", flush=True)
            time.sleep(60)
    """
    with start(script, path) as process:
        try:
            assert process.stdout.readline() == "half\n"
        finally:
            process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.communicate()
    assert path.read_bytes() == b"old"
    left = [n for n in names(tmp_path) if n != "x.ccf"]
    assert len(left) == 1
    assert left[0].startswith(".x.ccf.")


@posix
@pytest.mark.parametrize("piece", [1 << 20, 100])
def test_a_full_disk(tmp_path, piece):
    """Large pieces fail in `write`, small ones in `flush`: both must end as one error and no file."""
    path = tmp_path / "x.ccf"
    path.write_bytes(b"old")
    script = """
        import resource, signal, sys
        from codecs_core.container import atomic_write
        from codecs_core.errors import OutputError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            with atomic_write(sys.argv[1]) as file:
                for _ in range(60):
                    file.write(bytes(int(sys.argv[2])))
        except OutputError as e:
            print(e)
    """
    with start(script, path, piece) as process:
        out, err = process.communicate(timeout=30)
    assert "x.ccf" in out, err
    assert "too large" in out
    assert err == ""
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.ccf"]


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "x"
    with contextlib.ExitStack() as stack:
        for i in range(5):
            stack.enter_context(atomic_write(path)).write(b"%d" % i)
        assert len(names(tmp_path)) == 5
    assert path.read_bytes() == b"0"
    assert names(tmp_path) == ["x"]
    assert time.time() - path.stat().st_mtime < 60
