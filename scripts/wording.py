"""Turns of phrase that are hard for readers who learnt English at school: ``make lint`` refuses them in code and pages.

The list grows with what readers stumble on. A line that has to name one of them, as this file does, is in `EXCEPT`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What is refused, as a regular expression, and what to write instead.
PHRASES = {
    r"\bso many\b": "this number of",
    r"\b(is|are) due\b": "must be ..., got ...",
    r"[,;] of which\b|\w+s of which\b": "whose, or a sentence of its own",
    r"\banew\b": "again",
    r"\bthere and back\b": "round trip",
    r"\bwhat came of\b": "the result of",
    r"\bsomebody\b(?!')": "the user, or a third party",
    r"\bthereof\b": "of it",
    r"\bof whom\b": "whose",
}
#: Files that name them.
EXCEPT = {"scripts/wording.py"}


def findings() -> list[str]:
    """For each place where a phrase stands, the place, the phrase, and what to write instead."""
    listed = subprocess.run(["git", "ls-files", "-z", "*.py", "*.md"], cwd=ROOT, capture_output=True, check=True).stdout
    found = []
    for name in sorted(set(listed.decode().split("\0")) - {"", *EXCEPT}):
        path = ROOT / name
        for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else [], 1):
            for phrase, instead in PHRASES.items():
                if match := re.search(phrase, line, re.IGNORECASE):
                    found.append(
                        f"{name}:{number}: {match[0]!r} is hard to read; write {instead!r}, or another sentence"
                    )
    return found


def main() -> int:
    """Print what was found; exit status 1 if anything was."""
    found = findings()
    print("\n".join(found) or "No hard words.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
