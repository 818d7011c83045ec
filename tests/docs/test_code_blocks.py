"""Python in the documentation is run: all blocks of a page as one program, in a folder of their own.

Pages that also have `sh` blocks run block by block, in `test_blocks`. A block may be left out only under a comment that says why:
`<!-- not run: the reason -->`.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
#: Notes on the design show signatures and sketches, not programs.
SKETCHES = ROOT / "docs/design"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->\s*\Z")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def called(page):
    return page.relative_to(ROOT).as_posix()


def program(text):
    """The Python blocks of a page, each on the lines that it has there, so that tracebacks name these."""
    lines = [""] * text.count("\n")
    for block in FENCE.finditer(text):
        if block[1] == "python" and not NOT_RUN.search(text[: block.start()]):
            first = text.count("\n", 0, block.start(2))
            code = block[2].splitlines()
            lines[first : first + len(code)] = code
    return "\n".join(lines) + "\n"


def to_run(page):
    text = page.read_text("utf-8")
    return SKETCHES not in page.parents and program(text).strip() and "\n```sh\n" not in text


@pytest.mark.parametrize("page", [page for page in PAGES if to_run(page)], ids=called)
def test_python_blocks_run(page, tmp_path):
    script = tmp_path / f"{page.stem}.md.py"
    script.write_text(program(page.read_text("utf-8")), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{called(page)}\n{done.stdout}\n{done.stderr}"


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


def test_blocks_keep_their_lines_and_share_names():
    lines = program(PAGE).rstrip().split("\n")
    assert lines == ["x = 1" if i == 3 else "assert x == 1" if i == 13 else "" for i in range(14)]
    exec(program(PAGE), {})


def test_a_block_is_not_left_out_without_a_reason():
    assert "input" in program("<!-- not run: -->\n\n```python\ninput()\n```\n")
    assert "input" in program("```python\ninput()\n```\n\n<!-- not run: comes too late -->\n")


def test_a_block_that_fails_is_found(tmp_path, monkeypatch):
    page = ROOT / "docs/page.md"
    monkeypatch.setattr(Path, "read_text", lambda *_: "```python\nassert 1 == 2\n```\n")
    with pytest.raises(AssertionError, match="line 2"):
        test_python_blocks_run(page, tmp_path)
