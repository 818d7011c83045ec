"""Damaged and hostile payloads raise the errors of the project, in bounded time and memory."""

from __future__ import annotations

from codecs_core.testing.clauses.processes import Processes
from codecs_core.testing.elsewhere import PATIENCE
from codecs_core.testing.subject import require


class Damage(Processes):
    """Clauses 3 and 4. All payloads are decoded in a process of their own, which they may bring down."""

    def test_truncation(self) -> None:
        """Clause 4: a payload that is cut short or goes on raises errors of the project and no other."""
        self._damaged("cuts")

    def test_bit_flips(self) -> None:
        """Clause 4: a payload with bits or bytes changed raises errors of the project, or decodes to something of its spec."""
        self._damaged("flips")

    def test_other_specs(self) -> None:
        """Clause 4: a payload decoded as another shape raises errors of the project and no other."""
        self._damaged("specs")

    def test_bounds(self) -> None:
        """Clause 3: no damaged payload makes the decoder hang or allocate more than the spec implies."""
        self._damaged("memory")
        self.detail = f"in {PATIENCE} s for all"

    def _damaged(self, kind: str) -> None:
        self._needs_processes()
        found = self.elsewhere().ask("damage")
        wrong = [text for text in found["wrong"] if text.startswith(kind)]
        require(not wrong, f"{len(wrong)} payloads: {wrong[:1]}")
        self.detail = f"{found.get(kind)} payloads"
