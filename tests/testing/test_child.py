"""What the processes of the kit measure."""

import subprocess
import sys

import numpy as np


def test_the_peak_of_a_process_is_its_own():
    held = np.ones(1 << 26)  # 512 MiB, which a child would seem to have had
    command = "from codecs_core.testing.child import _peak; print(_peak())"
    peak = int(subprocess.run([sys.executable, "-c", command], capture_output=True, check=True).stdout)
    assert peak < held.nbytes // 2
