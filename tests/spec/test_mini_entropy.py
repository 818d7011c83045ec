"""The mini decoder, written from the text of the specification, agrees with the vectors; and stands on nothing but Python."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = Path(__file__).parents[2] / "spec"
FILES = sorted((SPEC / "vectors/entropy").glob("*.json"))


def test_imports_nothing_but_the_standard_library():
    tree = ast.parse((SPEC / "mini/entropy.py").read_text("utf-8"))
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_vectors_agree(path):
    done = subprocess.run(
        [sys.executable, "-I", str(SPEC / "mini/entropy.py"), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(json.loads(path.read_text('utf-8')))} vectors agree" in done.stdout


def mini():
    found = importlib.util.spec_from_file_location("mini_entropy", SPEC / "mini/entropy.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("change", ["symbol", "message", "error"])
def test_disagreement_is_found(change):
    vectors = json.loads((SPEC / "vectors/entropy/distributions.json").read_text("utf-8"))
    vector = vectors[0]
    if change == "symbol":
        vector["symbols"][1] += 1
    elif change == "message":
        vector["message"] = vectors[1]["message"]
    else:
        vector["error"] = "corrupt"
    module = mini()
    # bytes of another message may not even be at their end after these symbols
    with pytest.raises(module.Corrupt if change == "message" else AssertionError):
        module.check_vector(vector)
