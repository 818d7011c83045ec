"""The vectors of whole files: the code reads them as the manifest says, and so does the mini reader, written from the text."""

import ast
import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import codecs_core as cc

SPEC = Path(__file__).parents[2] / "spec"
VECTORS = SPEC / "vectors"
MANIFEST = json.loads((VECTORS / "manifest.json").read_text("utf-8"))
ALL = MANIFEST["vectors"]
MINI = sorted(path.name for path in (SPEC / "mini").glob("*.py"))

_found = importlib.util.spec_from_file_location("container_vectors_generate", VECTORS / "generate.py")
generate = importlib.util.module_from_spec(_found)
sys.modules[_found.name] = generate
_found.loader.exec_module(generate)


def test_the_manifest_lists_the_files():
    groups = ("valid", "unusual", "invalid")
    assert {v["file"] for v in ALL} == {f"{g}/{p.name}" for g in groups for p in (VECTORS / g).iterdir()}
    assert MANIFEST["format"] == "ccf 1.2"
    assert sum(v["bytes"] for v in ALL) < 820_000
    for v in ALL:
        data = (VECTORS / v["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (v["bytes"], v["sha256"])
        assert v["expect"] == ("ok" if "entries" in v else "error")


def read(path):
    """Every array, and first every embedded model, as a reader that trusts nothing would."""
    with cc.open(path) as file:
        for sha256 in file._reader.models:
            file._reader.model(sha256)
        return dict(file.arrays()) if hasattr(file, "arrays") else {name: file[name][...] for name in file}


@pytest.mark.parametrize("vector", ALL, ids=lambda v: v["file"])
def test_the_code_reads_as_the_manifest_says(vector, tmp_path, monkeypatch):
    monkeypatch.setenv("CODECS_MODELS", str(tmp_path))  # no model of the user's
    path = VECTORS / vector["file"]
    if vector["expect"] == "error":
        with pytest.raises(cc.CodecsError) as e:
            read(path)
        assert e.value.code == vector["code"], str(e.value)
    else:
        assert generate.described(read(path)) == vector["entries"]


def test_vectors_are_generated_again():
    """But for payloads of libraries, which other versions make otherwise."""
    seen = {}
    for about, data in generate.vectors():
        seen[about["file"]] = about
        foreign = any(f"classic.{name}".encode() in data[:2000] for name in generate.FOREIGN)
        if not foreign and not any(part in about["file"] for part in ("packed", "folded")):
            assert data == (VECTORS / about["file"]).read_bytes(), about["file"]
    assert {v["file"]: v["feature"] for v in ALL} == {name: about["feature"] for name, about in seen.items()}
    for v in ALL:
        new = seen[v["file"]]
        assert [v.get(key) for key in ("expect", "code", "entries", "needs")] == [
            new.get(key) for key in ("expect", "code", "entries", "needs")
        ]


def mini(*before):
    """Results of the mini reader, by file, after some lines of Python."""
    code = "\n".join([*before, "import runpy, sys", f"sys.argv = ['vectors.py', {str(VECTORS / 'manifest.json')!r}]"])
    code += f"\nrunpy.run_path({str(SPEC / 'mini/vectors.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert results.keys() == {v["file"] for v in ALL}
    return results


def test_the_mini_reader_passes():
    results = mini()
    assert set(results.values()) == {"ok"}


def test_the_mini_reader_without_libraries():
    """It lacks what the manifest says a reader may lack, and passes the rest."""
    names = ("zstandard", "PIL", "PIL.Image", "imagecodecs", "pcodec", "xxhash")
    code = f"import importlib.util, sys\nfor name in {names!r}: sys.modules[name] = None"
    hide = "found = importlib.util.find_spec\nimportlib.util.find_spec = lambda name: None if name == 'xxhash' else found(name)"
    results = mini(code, hide)
    assert set(results.values()) == {"ok", "missing"}
    assert {name for name, result in results.items() if result == "missing"} == {
        v["file"]
        for v in ALL
        if set(v["needs"])
        - {
            "ar.image",
            "ar.stack",
            "bbans.hvae",
            "bbans.hvae-lossy",
            "idf.image",
            "inr.coin",
            "inr.image",
            "inr.sound",
            "lbb.flow",
            "rec.vae",
            "rec.vae-latents",
        }
    }


def test_the_mini_reader_with_a_numpy_that_widens_numbers():
    """Of before version 2: what needs one is refused by name, and never decoded to something else."""
    results = mini("import numpy", "numpy.__version__ = '1.26.4'")
    assert {name for name, result in results.items() if result == "missing"} == {
        v["file"] for v in ALL if "ar.image" in v["needs"]
    }
    assert set(results.values()) == {"ok", "missing"}


def test_disagreement_is_found(tmp_path):
    """The mini reader's check of the vectors can fail."""
    vectors = [dict(v) for v in ALL if v["file"] in ("valid/raw.ccf", "invalid/damaged-index.ccf")]
    for v in vectors:
        (tmp_path / v["file"]).parent.mkdir(exist_ok=True)
        (tmp_path / v["file"]).write_bytes((VECTORS / v["file"]).read_bytes())
    vectors[0]["entries"] = {"": {**vectors[0]["entries"][""], "shape": [12, 5]}}
    vectors[1]["code"] = "truncated"
    (tmp_path / "manifest.json").write_text(json.dumps({"vectors": vectors}))
    command = [sys.executable, str(SPEC / "mini/vectors.py"), str(tmp_path / "manifest.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "raw.ccf: other values" in done.stdout
    assert "corrupt" in done.stdout
    assert "expected truncated" in done.stdout


def test_the_mini_reader_is_small_and_stands_alone():
    allowed = sys.stdlib_module_names | {"numpy"} | {name.removesuffix(".py") for name in MINI}
    for name in MINI:
        source = (SPEC / "mini" / name).read_text("utf-8")
        tree = ast.parse(source)
        imported = {a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names}
        imported |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        assert {module.split(".")[0] for module in imported} <= allowed
    assert (SPEC / "mini/reader.py").read_text("utf-8").count("\n") < 400


def test_the_mini_reader_prints_what_is_in_a_file():
    command = [sys.executable, str(SPEC / "mini/reader.py"), str(VECTORS / "valid/names.ccf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0].startswith("a/b uint8 (5, 12) ")
    assert len(done.stdout.splitlines()) == 3


def test_arrays_are_those_that_numpy_makes():
    """The manifest's digests are of the values in C order, little endian."""
    entry = next(v for v in ALL if v["file"] == "valid/raw.ccf")["entries"][""]
    assert entry["sha256"] == hashlib.sha256(np.arange(60, dtype=np.uint8).tobytes()).hexdigest()
