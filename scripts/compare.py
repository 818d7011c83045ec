"""Compare the arrays of two files or folders, to the last bit: python scripts/compare.py A B."""

import sys
from pathlib import Path

import numpy as np

from codecs_core import media


def main(a: Path, b: Path) -> int:
    """Print the verdict; 0 if the arrays are the same."""
    left, right = media.read([a]), media.read([b])
    if left.keys() != right.keys():
        print(f"identical: NO ({a} has {sorted(left)}, {b} has {sorted(right)})")
        return 1
    for name in left:
        x, y = left[name].read(), right[name].read()
        if x.shape != y.shape or x.dtype != y.dtype or not np.array_equal(x, y):
            print(f"identical: NO ({name or a} differs)")
            return 1
    print(f"identical: yes ({len(left)} of {len(left)} arrays of {a} are in {b})")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
