"""What the processes of the kit measure."""

import subprocess
import sys

#: Has 256 MiB, which its child would seem to have had.
PARENT = """
import subprocess, sys
held = bytearray(b"x") * (1 << 28)
child = "from codecs_core.testing.child import _peak; print(_peak())"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_the_peak_of_a_process_is_its_own():
    peak = int(subprocess.run([sys.executable, "-c", PARENT], capture_output=True, check=True).stdout)
    assert 0 <= peak < 1 << 27
