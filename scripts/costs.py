"""A plugin of pytest that says what tests cost: CPU seconds, those of child processes too, and memory at its highest.

    make test ARGS='-p scripts.costs plugins/idf'

Seconds of CPU depend less than times on what else the machine does. What a fixture of a session
costs is put to the first test that asks for it. Memory is that of the process of the tests alone; Linux only.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator, Iterable
from typing import Any

import pytest

#: Tests and files that are listed.
LISTED = 25
_MIB = 1 << 10  # in KiB, which the kernel counts in

_seconds: dict[str, float] = defaultdict(float)
_peaks: dict[str, float] = defaultdict(float)
_growth: dict[str, float] = defaultdict(float)
_workers: dict[str, tuple[float, float, float]] = {}


class _Meter:
    """What was used since the last look."""

    def __init__(self) -> None:
        self.seconds, self.held, self.peak, self.collected = _cpu(), _memory("VmRSS"), 0.0, 0.0

    def read(self) -> tuple[float, float, float]:
        """CPU seconds since the last reading; the highest memory since then, and how much was added to what is held, in MiB."""
        now, peak, held = _cpu(), _memory("VmHWM"), _memory("VmRSS")
        used, added = now - self.seconds, held - self.held
        self.seconds, self.held, self.peak = now, held, max(self.peak, peak)
        _forget_peak()
        return used, peak, added


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Count apart what every process of tests does first: it imports all of them, and torch, scipy and others with them."""
    _meter.read()
    _meter.collected = _meter.held


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Put the costs of each phase of a test into its report, which a worker sends to the process that prints them."""
    report = yield
    report.user_properties = [("costs", _meter.read())]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the phases."""
    for key, value in report.user_properties:
        if key == "costs":
            used, peak, added = value  # type: ignore[misc]
            _seconds[report.nodeid] += used
            _peaks[report.nodeid] = max(_peaks[report.nodeid], peak)
            _growth[report.nodeid] += added


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what a worker used in all, its imports and the collection included."""
    output = getattr(session.config, "workeroutput", None)
    total = (_cpu(), max(_meter.peak, _memory("VmHWM")), _meter.collected)
    if output is not None:
        output["costs"] = total
    elif not _workers:
        _workers["this process"] = total


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker sent."""
    if "costs" in getattr(node, "workeroutput", {}):
        _workers[node.gateway.id] = tuple(node.workeroutput["costs"])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the costs, the highest first."""
    put = terminalreporter.write_line
    files: dict[str, float] = defaultdict(float)
    for test, used in _seconds.items():
        files[test.partition("::")[0]] += used
    terminalreporter.section("costs")
    for name, (used, peak, collected) in sorted(_workers.items()):
        put(
            f"{name}: {used:.0f} s of CPU, memory {collected:.0f} MiB before the first test, {peak:.0f} MiB at its highest"
        )
    put(f"tests: {sum(_seconds.values()):.0f} s of CPU in {len(_seconds)} tests")
    for title, rows, unit in (
        ("files", files, "s"),
        ("tests", _seconds, "s"),
        ("highest memory while a test ran", _peaks, "MiB"),
        ("memory that a test left behind", _growth, "MiB"),
    ):
        put(f"-- {title}")
        for name, value in _largest(rows.items()):
            put(f"{value:8.1f} {unit}  {name}")


def _largest(rows: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(rows, key=lambda row: -row[1])[:LISTED]


def _cpu() -> float:
    return sum(os.times()[:4])


def _memory(key: str) -> float:
    """A line of ``/proc/self/status``, in MiB."""
    # not `Path.open`, in whose place a test may put its own
    with open("/proc/self/status", encoding="utf-8") as status:
        lines = status.read().splitlines()
    return next((int(line.split()[1]) / _MIB for line in lines if line.startswith(key + ":")), 0.0)


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
        file.write("5")


_meter = _Meter()
