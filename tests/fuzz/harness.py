"""Fuzz a target with atheris: ``pip install atheris``, then ``python tests/fuzz/harness.py TARGET [FOLDER] -runs=100000``.

Inputs that reach new code are kept in FOLDER, by default ``fuzz-corpus/TARGET``; options are those of libFuzzer. What ends it is
a finding: an exception outside the project's errors, a crash, 10 s for one input, or 1 GiB of memory.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
# Compiled functions cannot be instrumented: they are imported before.
import codecs_core.entropy
import codecs_core.exact  # noqa: F401

with atheris.instrument_imports(include=["codecs_core", "codecs_bbans", "codecs_classic"]):
    import targets


def main() -> None:
    """Do as the command line says."""
    name, options = sys.argv[1], sys.argv[2:]
    folders = [option for option in options if not option.startswith("-")] or [f"fuzz-corpus/{name}"]
    folder = Path(folders[0])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds(name)):
        (folder / f"seed-{number:03}").write_bytes(seed)
    warnings.simplefilter("ignore")  # Pillow warns of what it then refuses
    given = ["-timeout=10", "-rss_limit_mb=1024", "-keep_seed=1", "-print_final_stats=1"]
    flags = [option for option in options if option.startswith("-")]
    with targets.no_checksums():
        atheris.Setup([sys.argv[0], *given, *flags, *map(str, folders)], lambda data: targets.run(name, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
