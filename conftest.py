"""No test fails because the machine is busy: hypothesis measures no times. Slow tests come first, and the memory of processes is told."""

import resource
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Slow ones at the beginning of both halves, which two workers start with: in the end neither waits for one."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    one, other = slow[::2], slow[1::2]
    cut = max(0, len(items) // 2 - len(one))
    items[:] = [*one, *quick[:cut], *other, *quick[cut:]]


#: The peak of each worker of pytest-xdist that ended, in MiB.
_peaks = {}


def _peak():
    """Of this process, in MiB: the kernel of macOS counts in bytes, that of Linux in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)


def pytest_sessionfinish(session):
    """Send it from a worker to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peak"] = _peak()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take it; a worker that crashed sent none."""
    if "peak" in getattr(node, "workeroutput", {}):
        _peaks[node.gateway.id] = node.workeroutput["peak"]


def pytest_terminal_summary(terminalreporter):
    """Tell the peaks in one line."""
    peaks = sorted(_peaks.items()) or [("this process", _peak())]
    terminalreporter.write_line("memory at its highest: " + ", ".join(f"{name} {peak} MiB" for name, peak in peaks))
