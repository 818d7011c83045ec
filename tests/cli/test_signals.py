"""Asked to end, the program ends: whatever computes, in its first moments and in its last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import codecs_core as cc

pytest.importorskip("codecs_classic")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are another matter there")

SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] if os.name == "posix" else []
SENTENCE = "interrupted; nothing half-written is left behind\n"

#: A codec whose kernels never end, and that says when they have begun.
ENDLESS = """
import sys
from dataclasses import dataclass

import numba
import numpy as np
from codecs_core import Codec, CodecInfo, CodecSpec, hookimpl

INFO = CodecInfo(summary="takes for ever", dtypes=("uint8",))

@numba.njit(nogil=True)
def endless(x):
    for i in range(1 << 62):
        x ^= i * x + 1
    return x

endless.compile("int64(int64)")

def begin():
    sys.stdout.write("begun\\n")  # at once: two threads may say it
    sys.stdout.flush()
    return endless(5)

@dataclass(frozen=True, kw_only=True)
class Endless(Codec):
    id = "test.endless"
    info = INFO

    def _encode(self, chunk):
        if chunk.max() < 200:
            begin()
        return chunk.tobytes()

    def _decode(self, payload, spec):
        begin()

class Plugin:
    @staticmethod
    @hookimpl
    def codecs_register():
        return [CodecSpec(id="test.endless", implementation="endless_codec:Endless", info=INFO)]

codecs_register = Plugin.codecs_register
"""


def default() -> None:
    """As it is in a terminal; what a script runs in the background ignores SIGINT."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def start(*args: object, before: str = "", path: Path | None = None) -> subprocess.Popen[str]:
    source = f"{before}\nfrom codecs_core.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(path or ""), os.environ.get("PYTHONPATH")])),
        },
        preexec_fn=default,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    info = tmp_path_factory.mktemp("signals") / "site" / "codecs_endless-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: codecs-endless\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[codecs_core]\nendless = endless_codec\n")
    (info.parent / "endless_codec.py").write_text(ENDLESS)
    return info.parent


@pytest.fixture(scope="module")
def work(site: Path) -> Path:
    """A file that takes for ever to decode, and an array that takes for ever to encode."""
    folder = site.parent / "work"
    folder.mkdir()
    np.save(folder / "quick.npy", np.full((3, 40_000), 255, "u1"))
    np.save(folder / "slow.npy", np.zeros((3, 40_000), "u1"))
    args = ["encode", folder / "quick.npy", folder / "a.ccf", "--codec", "test.endless", "--chunk", 1]
    with start(*args, path=site) as running:
        assert running.communicate(timeout=120)[1] == ""
    return folder


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("SIGINT", "decode work/a.ccf work/out.npy"),
        ("SIGHUP", "decode work/a.ccf work/out.npy --jobs 1"),
        ("SIGTERM", "decode work/a.ccf work/out.npy --items 1:2"),
        ("SIGTERM", "verify work/a.ccf --decode"),
        ("SIGTERM", "encode work/slow.npy work/out.ccf --codec test.endless"),
        ("SIGTERM", "encode work/slow.npy work/out.ccf --codec test.endless --chunk 1 --jobs 1"),
    ],
)
def test_a_kernel_that_never_ends_holds_up_no_signal(site, work, monkeypatch, name, verb):
    monkeypatch.chdir(work.parent)
    before = sorted(os.listdir(work))
    with start(*verb.split(), path=site) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "begun\n"
            running.send_signal(getattr(signal, name))
            _, talk = running.communicate(timeout=120)
        finally:
            running.kill()  # whatever fails, it must not compute for ever
    assert (running.returncode, talk) == (130, SENTENCE)
    assert sorted(os.listdir(work)) == before


AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Finder())
"""
AT_EXIT = """
import atexit, os, signal
atexit.register(lambda: os.kill(os.getpid(), signal.{name}))
"""
TWICE = """
import os, signal
from codecs_core.container import atomic
sync = os.fsync
def fsync(handle):
    os.kill(os.getpid(), signal.{name})
    return sync(handle)
def unlink(path, unlink=os.unlink):
    os.kill(os.getpid(), signal.{name})
    unlink(path)
os.fsync, os.unlink = fsync, unlink
"""


@pytest.fixture
def array(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(1000, dtype="u1"))
    return tmp_path


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("module", ["codecs_core.cli.app", "codecs_core.cli.failure", "codecs_core.api.saving.save"])
def test_in_its_first_moments(array, name, module):
    before = AT_IMPORT.format(module=module, name=name)
    with start("encode", array / "a.npy", array / "a.ccf", before=before) as running:
        out, talk = running.communicate(timeout=120)
    assert (running.returncode, out, talk) == (130, "", SENTENCE)
    assert os.listdir(array) == ["a.npy"]


@pytest.mark.parametrize("name", SIGNALS)
def test_in_its_last_moments(array, name):
    before = AT_EXIT.format(name=name)
    with start("encode", array / "a.npy", array / "a.ccf", "--codec", "classic.raw", before=before) as running:
        out, talk = running.communicate(timeout=120)
    assert running.returncode == 0, talk
    assert "1 array" in out
    np.testing.assert_array_equal(cc.load(array / "a.ccf"), np.load(array / "a.npy"))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_who_asks_twice_does_not_disturb_the_cleaning_up(array, name):
    before = TWICE.format(name=name)
    with start("encode", array / "a.npy", array / "a.ccf", "--codec", "classic.raw", before=before) as running:
        _, talk = running.communicate(timeout=120)
    assert (running.returncode, talk) == (130, SENTENCE)
    assert os.listdir(array) == ["a.npy"]


def test_what_is_ignored_stays_ignored(array):
    source = "import os, signal, sys\nfrom codecs_core.cli import main\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    source += AT_IMPORT.format(module="codecs_core.api.saving.save", name="SIGINT") + "main()"
    command = [sys.executable, "-c", source, "encode", array / "a.npy", array / "a.ccf", "--codec", "classic.raw"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "codecs_core.cli", "--version"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, f"codecs {cc.__version__}\n")
