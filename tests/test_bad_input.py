"""Whatever is wrong: one sentence, the exit status that is documented, and what was there before untouched."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import container
from codecs_core.arrays import ArraySpec
from codecs_core.cli.app import app
from codecs_core.cli.arguments import CAPS
from codecs_core.container.folding import unfold
from codecs_core.errors import CodecsError, CorruptDataError, FormatError, LimitExceededError, TruncatedFileError
from codecs_core.limits import Limits

random_model = pytest.importorskip("codecs_bbans.testing").random_model

VAE = "bbans.vae"
SHAPE = (4, 3)
rng = np.random.Generator(np.random.Philox(11))
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits are another matter there")


def codecs(*args):
    """Run the verbs in this process."""
    return CliRunner().invoke(app, [str(a) for a in args], prog_name="codecs")


def command(*args):
    """The program as a process of its own."""
    return [sys.executable, "-c", "from codecs_core.cli import main; main()", *map(str, args)]


def process(*args, before=None, **env):
    """Run it to its end."""
    env = {**os.environ, **env}
    return subprocess.run(
        command(*args), capture_output=True, text=True, errors="replace", env=env, preexec_fn=before, timeout=60
    )


def refused(result, status, *words):
    """The exit status, nothing on stdout, and one sentence with these words."""
    returned = result.returncode if hasattr(result, "returncode") else result.exit_code
    assert returned == status, result
    assert result.stdout == ""
    assert result.stderr.startswith("error: "), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert str(word) in result.stderr, result.stderr


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "small.safetensors"
    random_model("bernoulli", SHAPE).save(path)
    return path


@pytest.fixture
def items(tmp_path):
    path = tmp_path / "items.npy"
    np.save(path, rng.integers(0, 2, (3, *SHAPE)).astype(np.uint8))
    return path


@pytest.fixture
def held(tmp_path, model, items):
    path = tmp_path / "held.ccf"
    cc.save(path, np.load(items), codec=VAE, model=model)
    return path


def attempt(path, data, array, model):
    """What `load` makes of some bytes: an error of the tree in one line, or the very array."""
    path.write_bytes(data)
    try:
        back = cc.load(path, models=model)
    except CodecsError as error:
        if "\n" in str(error):
            pytest.fail(f"more than a line: {error}")
        return type(error)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    return None


# --- damage ------------------------------------------------------------------------------------


def test_a_file_cut_short_anywhere(tmp_path, held, items, model):
    folded = held.read_bytes()
    for whole in (folded, unfold(folded)):
        for n in range(len(whole)):
            kind = TruncatedFileError if n < 9 or whole is not folded else CorruptDataError
            assert attempt(held, whole[:n], np.load(items), model) is kind, n
        assert attempt(held, whole, np.load(items), model) is None
        assert attempt(held, whole + b"\0", np.load(items), model) is CorruptDataError


def test_every_bit_of_a_file_flipped(held, items, model):
    folded, array = held.read_bytes(), np.load(items)
    for whole in (folded, unfold(folded)):
        for bit in range(8 * len(whole)):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            found = attempt(held, data, array, model)
            assert found is not None, f"bit {bit} is of no consequence"
            assert issubclass(found, FormatError), (bit, found)


def test_a_file_with_its_model_inside(tmp_path, items, model):
    path, array = tmp_path / "complete.ccf", np.load(items)
    cc.save(path, array, codec=VAE, model=model, embed_model=True)
    model.unlink()
    assert attempt(path, path.read_bytes(), array, None) is None
    whole = unfold(path.read_bytes())
    assert attempt(path, whole, array, None) is None
    for n in range(0, len(whole), 13):
        assert attempt(path, whole[:n], array, None) is TruncatedFileError, n
        data = bytearray(whole)
        data[n] ^= 1 << n % 8
        assert issubclass(attempt(path, data, array, None), FormatError), n


def crafted(path, like, payload, **changes):
    """A well-formed file with a payload that no encoder wrote."""
    (entry,) = cc.inspect(like)["entries"]
    sha256 = entry["model"]["sha256"]
    fields = {
        "name": "",
        "spec": ArraySpec(tuple(entry["shape"]), entry["dtype"]),
        "chunk": entry["chunk"],
        "codec": VAE,
        "codec_version": 1,
        "config": {},
        "model": sha256,
        "package": "codecs-bbans",
        "attrs": {},
    }
    with path.open("wb") as file:
        entries = [container.Entry(**fields | changes)]
        writer = container.Writer(
            file, entries, models={sha256: "small"}, limits=Limits(**dict.fromkeys(CAPS, 1 << 62))
        )
        writer.write_chunk("", 0, payload, bytes(16))
        writer.close()
    return path


@pytest.mark.parametrize("payload", [b"", bytes(40), b"\xff" * 40, b"abcd" * 10, b"a"], ids=range(5))
@pytest.mark.parametrize("n", [3, 1_000_000])
def test_a_payload_of_somebody_elses(tmp_path, held, model, payload, n):
    spec = ArraySpec((n, *SHAPE), "uint8")
    path = crafted(tmp_path / "crafted.ccf", held, payload, spec=spec, chunk=n)
    # By name and place: a file may have a million chunks.
    refused(codecs("decode", path, tmp_path / "out.npy", "--model", model), 4, path, "chunk 0")
    with pytest.raises(CorruptDataError):
        cc.load(path, models=model)
    assert not (tmp_path / "out.npy").exists()


def test_a_header_that_claims_a_huge_array(tmp_path, held, model):
    for n in (1 << 40, 1 << 29):
        path = crafted(tmp_path / "huge.ccf", held, b"abcd", spec=ArraySpec((n, *SHAPE), "uint8"), chunk=n)
        refused(process("decode", path, tmp_path / "out.npy", "--model", model), 5, "limit")
        with pytest.raises(LimitExceededError):
            cc.load(path, models=model)


# --- what is not there -------------------------------------------------------------------------


def test_a_plugin_that_is_not_there(tmp_path, held, model):
    for verb in (["decode", held, tmp_path / "out.npy"], ["decode", held, tmp_path / "out"]):
        refused(process(*verb, "--model", model, CODECS_PLUGINS="codecs-classic"), 3, held, VAE, "codecs-bbans")
    result = process("verify", held, "--decode", CODECS_PLUGINS="codecs-classic")
    assert result.returncode == 3
    assert "1 of 1 chunk is whole, but not every one can be decoded here" in result.stdout
    for verb in ("info", "verify"):
        assert process(verb, held, CODECS_PLUGINS="").returncode == 0
    assert "CODECS_PLUGINS" in process("list", CODECS_PLUGINS="").stderr


def test_a_model_that_is_not_there(tmp_path, held, model, monkeypatch):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path / "store"))
    sha256 = cc.inspect(held)["entries"][0]["model"]["sha256"]
    other = tmp_path / "other.safetensors"
    random_model("bernoulli", SHAPE, seed=1).save(other)
    moved = model.rename(tmp_path / "moved.safetensors")
    out = tmp_path / "out.npy"
    for verb in (["decode", held, out], ["decode", held, out, "--items", "0:1"]):
        refused(codecs(*verb), 3, held, sha256, "the file itself", "plugins", tmp_path / "store", "--model")
    refused(codecs("decode", held, out, "--model", model), 3, model)
    refused(codecs("decode", held, out, "--model", other), 3, sha256, "the given model other is")
    moved.write_bytes(moved.read_bytes()[:200])
    refused(codecs("decode", held, out, "--model", moved), 3, moved)
    refused(codecs("encode", tmp_path / "items.npy", tmp_path / "b.ccf", "--codec", VAE, "--model", moved), 3, moved)
    assert sorted(os.listdir(tmp_path)) == ["held.ccf", "items.npy", "moved.safetensors", "other.safetensors"]


@pytest.fixture
def broken_plugin(tmp_path):
    folder = tmp_path / "site" / "codecs_bad-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: codecs-bad\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[codecs_core]\nbad = codecs_bad\n")
    (folder.parent / "codecs_bad.py").write_text("raise RuntimeError('boom\\n\\x1b[31m')\n")
    return os.pathsep.join(filter(None, [str(folder.parent), os.environ.get("PYTHONPATH")]))


def test_a_plugin_that_raises_stops_no_other(tmp_path, items, broken_plugin):
    for options, status in ([], 0), (["--check"], 1):
        result = process("plugins", *options, PYTHONPATH=broken_plugin)
        assert result.returncode == status
        assert "bad of codecs-bad: RuntimeError: boom \\x1b[31m" in result.stderr
        assert "classic.zlib" in result.stdout
    for verb in (["encode", items, tmp_path / "a.ccf"], ["decode", tmp_path / "a.ccf", tmp_path / "a.npy"], ["list"]):
        assert process(*verb, PYTHONPATH=broken_plugin).returncode == 0
    result = process("encode", items, tmp_path / "b.ccf", "--codec", "bad.one", PYTHONPATH=broken_plugin)
    refused(result, 3, "bad.one", "codecs-bad 1.0", "boom")


# --- what does not fit -------------------------------------------------------------------------


def test_arrays_that_a_model_does_not_take(tmp_path, model):
    for array, words in [
        (np.full((3, *SHAPE), 7, np.uint8), ["from 0 to 1", "7"]),
        (np.zeros((3, *SHAPE), np.float32), ["uint8 or bool", "float32"]),
        (np.zeros((3, *SHAPE), np.uint16), ["uint8 or bool", "uint16"]),
        (np.zeros((3, 5, 3), np.uint8), ["(4, 3)", "(3, 5, 3)"]),
        (np.zeros((3, 12), np.uint8), ["(4, 3)", "(3, 12)"]),
        (np.uint8(1), ["(4, 3)", "()"]),
    ]:
        np.save(tmp_path / "a.npy", array)
        out = tmp_path / "a.ccf"
        refused(codecs("encode", tmp_path / "a.npy", out, "--codec", VAE, "--model", model), 2, *words)
        assert not out.exists()


def test_arrays_that_no_model_takes_want_one_trained(tmp_path, items):
    refused(codecs("encode", items, tmp_path / "a.ccf", "--codec", VAE), 2, f"codecs train {VAE}")


@pytest.mark.parametrize("where", ["5:9", "0:4", "2:1", "-4:", ":4", "4:"])
def test_items_that_are_not_there(tmp_path, held, model, where):
    result = codecs("decode", held, tmp_path / "a.npy", f"--items={where}", "--model", model)
    refused(result, 2, where, "3 items")
    assert not (tmp_path / "a.npy").exists()


def test_targets_are_refused_before_anything_is_decoded(tmp_path, held, monkeypatch):
    from codecs_core.api.opening.decoder import Decoder

    monkeypatch.setattr(Decoder, "decode", lambda *a: pytest.fail("decoded"))
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for name, status in ("folder.npy", 2), ("full", 1), ("a.txt", 2), ("items.npy/x", 1):
        refused(codecs("decode", held, tmp_path / name), status, name.split("/")[0])


@posix
def test_a_pipe_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(process("encode", tmp_path / "pipe", tmp_path / "a.ccf"), 2, "no regular file")


@posix
def test_what_may_not_be_read_or_written(tmp_path, items, held, model):
    (tmp_path / "locked").mkdir(mode=0o555)
    for source in (items, held):
        source.chmod(0)
    if os.access(items, os.R_OK):
        pytest.skip("the superuser may")
    refused(codecs("encode", items, tmp_path / "a.ccf"), 2, items)
    refused(codecs("info", held), 2, held)
    for source in (items, held):
        source.chmod(0o600)
    refused(codecs("encode", items, tmp_path / "locked" / "a.ccf"), 1, "a.ccf")
    refused(codecs("decode", held, tmp_path / "locked" / "a.npy", "--model", model), 1, "a.npy")
    refused(codecs("train", VAE, items, "--out", tmp_path / "locked" / "m.safetensors"), 1, "m.safetensors")


# --- no room, and ends before the end ----------------------------------------------------------


@pytest.fixture
def large(tmp_path):
    (tmp_path / "out").mkdir()
    np.save(tmp_path / "large.npy", np.frombuffer(rng.bytes(8_000_000), np.uint8))
    cc.save(tmp_path / "large.ccf", np.load(tmp_path / "large.npy"), codec="classic.raw", chunk=100_000)
    return tmp_path


def small_files_only():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


@posix
def test_no_room(large):
    out = large / "out"
    (out / "old.ccf").write_bytes(b"old")
    (out / "old.npy").write_bytes(b"old")
    for verb in (
        ["encode", large / "large.npy", out / "old.ccf", "--codec", "classic.raw"],
        ["decode", large / "large.ccf", out / "old.npy", "--force"],
        ["decode", large / "large.ccf", out / "new.npz"],
        ["decode", large / "large.ccf", out / "new"],
        ["bench", large / "large.npy", "--codec", "classic.raw", "--limit", 100_000, "--keep", out],
    ):
        refused(process(*verb, before=small_files_only), 1, os.strerror(27))
        assert sorted(os.listdir(out)) == ["old.ccf", "old.npy"]
        assert {path.read_bytes() for path in out.iterdir()} == {b"old"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_no_room_for_what_is_printed(held):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command("info", held), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1
    assert result.stderr == f"error: the result cannot be printed: {os.strerror(28)}\n"


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP] if os.name == "posix" else [])
def test_ended_while_it_writes(large, number):
    if number != signal.SIGKILL and signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("this process was started to ignore the signal, as nohup does")
    out = large / "out"
    (out / "a.ccf").write_bytes(b"old")
    verb = ["encode", large / "large.npy", out / "a.ccf", "--codec", "classic.lzma", "--chunk", 50_000, "--jobs", 2]
    with subprocess.Popen(command(*verb), stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 20
        while len(os.listdir(out)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        running.send_signal(number)
        _, talk = running.communicate(timeout=30)
    assert (out / "a.ccf").read_bytes() == b"old"
    left = [name for name in os.listdir(out) if name != "a.ccf"]
    if number == signal.SIGKILL:
        (name,) = left
        assert name.startswith(".a.ccf.")
        assert name.endswith(".tmp")
    else:
        assert (running.returncode, left) == (130, [])
        assert "nothing half-written" in talk
