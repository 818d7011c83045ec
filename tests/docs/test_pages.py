"""What the documentation tells readers to run does run, in a folder that holds a copy of the samples and nothing else.

The README has the samples as they are. Other pages have small cuts of them, and trainings that stop after a second: commands do the
same with less.

The `sh` and `python` blocks of a page run in order, each `python` block as a program of its own; where a page has no `sh` block, its
`python` blocks are one program. A block may be left out only under a comment that says why: `<!-- not run: the reason -->`. Blocks of
other kinds, such as `console`, are for reading.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "samples/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
]
#: Notes on the design show signatures and sketches, not programs.
SKETCHES = ROOT / "docs/design"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->\s*\Z")
BUDGET = re.compile(r"--budget \d+s")
#: Digits that a page has.
DIGITS = 200
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def called(page):
    return page.relative_to(ROOT).as_posix()


def to_run(text):
    """The blocks to run: language, code, and the line before the code."""
    return [
        (block[1], block[2], text.count("\n", 0, block.start(2)))
        for block in FENCE.finditer(text)
        if block[1] in ("sh", "python") and not NOT_RUN.search(text[: block.start()])
    ]


def programs(text):
    """What to run, in order. Python keeps the lines that it has on the page, so that tracebacks name these."""
    blocks = to_run(text)
    if any(language == "sh" for language, _, _ in blocks):
        return [(language, code if language == "sh" else "\n" * first + code) for language, code, first in blocks]
    lines = [""] * text.count("\n")
    for _, code, first in blocks:
        lines[first : first + code.count("\n")] = code.splitlines()
    return [("python", "\n".join(lines) + "\n")] if blocks else []


def copy_samples(page, folder):
    shutil.copytree(ROOT / "samples", folder)
    if page.parent in (ROOT, ROOT / "samples"):
        return
    for path in (folder / "photos").iterdir():
        with Image.open(path) as photo:
            photo.crop((96, 64, 288, 192)).save(path)
    if called(page) == "docs/cli.md":  # which cuts a file of all digits
        return
    with gzip.open(folder / "mnist.idx.gz") as file:
        head, digits = file.read(16), file.read(DIGITS * 28 * 28)
    with gzip.open(folder / "mnist.idx.gz", "wb") as file:
        file.write(head[:4] + DIGITS.to_bytes(4, "big") + head[8:] + digits)
    with np.load(folder / "mnist-binary.npz") as arrays:
        cut = {name: array[:DIGITS] for name, array in arrays.items()}
    np.savez_compressed(folder / "mnist-binary.npz", **cut)


def run(page, folder):
    copy_samples(page, folder / "samples")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "CODECS_MODELS": str(folder / "store")}
    script = folder.with_suffix(".py")
    todo = programs(page.read_text("utf-8"))
    strict = ["-W", "error"] if len(todo) == 1 else []
    for language, code in todo:
        code = BUDGET.sub("--budget 1s", code)
        script.write_text(code, "utf-8")
        command = ["sh", "-euxc", code] if language == "sh" else [sys.executable, *strict, str(script)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{called(page)}\n{code.strip()}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if SKETCHES not in page.parents and to_run(page.read_text("utf-8"))], ids=called
)
def test_blocks_run(page, tmp_path):
    run(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{called(page)} links to {target}"


PAGE = """# Page

```python
x = 1
```

<!-- not run: it asks questions -->

```python
input()
```

```python
assert x == 1
```
"""


def test_python_keeps_its_lines_and_shares_names():
    [(language, code)] = programs(PAGE)
    assert language == "python"
    assert code.rstrip().split("\n") == ["x = 1" if i == 3 else "assert x == 1" if i == 13 else "" for i in range(14)]
    exec(code, {})


def test_beside_the_shell_each_block_is_a_program():
    assert [language for language, _ in programs(PAGE + "\n```sh\ntrue\n```\n")] == ["python", "python", "sh"]


def test_a_block_is_not_left_out_without_a_reason():
    assert "input" in programs("<!-- not run: -->\n\n```python\ninput()\n```\n")[0][1]
    assert "input" in programs("```python\ninput()\n```\n\n<!-- not run: comes too late -->\n")[0][1]


@pytest.mark.parametrize("block", ["```python\nassert 1 == 2\n```\n", "```sh\ntrue\nfalse\n```\n"])
def test_a_block_that_fails_is_found(tmp_path, monkeypatch, block):
    monkeypatch.setattr(Path, "read_text", lambda *_: block)
    with pytest.raises(AssertionError, match=r"line 2|false"):
        run(ROOT / "docs/page.md", tmp_path)
