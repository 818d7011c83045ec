"""What other processes make of a file: with the same libraries, and computing in every other way there is."""

from __future__ import annotations

from unittest import SkipTest

from codecs_core.registry import Registry
from codecs_core.testing.environments import ROWS, available
from codecs_core.testing.subject import Subject, require


class Processes(Subject):
    """Clauses 1, 2 and 7."""

    def test_process(self) -> None:
        """Clause 2: a fresh process encodes to the same bytes."""
        self._needs_processes()
        here = self.elsewhere()
        there = here.ask("decode")["encoded"]
        wrong = [name for name, digest in here.encoded.items() if there.get(name) != digest]
        require(not wrong, f"another process encodes {len(wrong)} of {len(here.encoded)} samples to other bytes")

    def test_file_alone(self) -> None:
        """Clause 1: a fresh process that has nothing but the file decodes the same values."""
        self._needs_processes()
        self._compare("a fresh process", {})

    def test_matrix(self) -> None:
        """Clause 7: processes with other threads, SIMD levels and BLAS kernels decode the same values."""
        self._needs_processes()
        if self.codec_class().info.exactness == "pinned":
            raise SkipTest("the codec is pinned: it promises nothing for other builds")
        rows = {name: ROWS[name] for name in self.environments if available(name)}
        for name, variables in rows.items():
            self._compare(name, variables)
        self.detail = ", ".join(rows)

    def _compare(self, name: str, variables: dict[str, str]) -> None:
        here = self.elsewhere()
        there = here.ask("decode", variables)["decoded"]
        wrong = {part: there.get(part) for part, digest in here.decoded.items() if there.get(part) != digest}
        require(
            not wrong, f"{name} decodes {len(wrong)} of {len(here.decoded)} samples otherwise: {[*wrong.values()][:1]}"
        )

    def _needs_processes(self) -> None:
        if self.codec_id not in Registry().codecs:
            raise SkipTest("the plugin is registered by hand, so that other processes do not know it")
