"""Write the file that is planned; or nothing, where a codec turns out not to take some of the arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from codecs_core.api.parallel import ordered
from codecs_core.api.saving.chunk import Encoded, Refused, begin, encode_chunk
from codecs_core.api.saving.headway import Headway
from codecs_core.api.saving.plan import Refusal
from codecs_core.container import atomic_write

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import Any

    from codecs_core.api.saving.plan import Plan, Planned
    from codecs_core.codec import Progress
    from codecs_core.container import Contents, Entry
    from codecs_core.limits import Limits


class _Task(NamedTuple):
    """A chunk to be encoded; its values, unless the worker reads them."""

    item: Planned
    entry: Entry
    number: int
    part: Any


def write(
    path: str | os.PathLike[str], plan: Plan, *, jobs: int, progress: Progress | None, limits: Limits
) -> Contents | Refusal:
    """Encode all chunks and write them in order.

    A refusal ends the file. Where the codec was named, and others may take its place, the refusal is of all the entries that it does
    not take: the rest of them is encoded, and dropped.
    """
    entries = [item.entry(plan.assignment.registry) for item in plan.items]
    if (unfit := _by_spec(plan, entries)) is not None:
        return unfit
    refusal: Refusal | None = None
    headway = Headway(progress, sum(entry.spec.nbytes for entry in entries))

    def needed(item: Planned) -> bool:
        if refusal is None:
            return True
        alike = item.choice is refusal.choice and item.name not in refusal.errors
        return alike and not plan.assignment.strict and not item.choice.others

    def tasks() -> Iterator[_Task]:
        for item, entry in zip(plan.items, entries, strict=True):
            item.items.expect(entry.n_chunks)
            for number in range(entry.n_chunks):
                if needed(item):
                    # Foreign array-likes are read here, by one thread; sources are read by the workers.
                    part = None if item.items.shared else item.items.part(entry.chunk_slice(number))
                    yield _Task(item, entry, number, part)

    def work(task: _Task) -> tuple[_Task, Encoded | Refused | None]:
        item, entry, number, part = task
        if not needed(item):  # what was begun comes to its end, and nothing more is read
            return task, None
        if part is None:
            part = item.items.part(entry.chunk_slice(number))
        with headway.at(entry, number):
            return task, encode_chunk(item.choice.codec, part, entry.chunk_spec(number), limits=limits)

    with atomic_write(path, unless=lambda: refusal is not None) as file:
        codecs = [item.choice.codec for item in plan.items]
        writer = begin(file, entries, codecs, plan.assignment.embed_model, limits)
        for (item, entry, number, _), chunk in ordered(work, tasks(), jobs=jobs):
            if isinstance(chunk, Refused):
                refusal = refusal or Refusal(choice=item.choice, errors={})
                if item.choice is refusal.choice:
                    refusal.errors.setdefault(item.name, chunk.error)
            elif chunk is not None and refusal is None:
                writer.write_chunk(entry.name, number, *chunk)
                headway.add(entry, number)
        if refusal is None:
            writer.close()
    return refusal or writer.contents()


def _by_spec(plan: Plan, entries: list[Entry]) -> Refusal | None:
    """The first codec that refuses an array for its shape or dtype, and all arrays that it refuses."""
    found: Refusal | None = None
    for item, entry in zip(plan.items, entries, strict=True):
        if found is None or item.choice is found.choice:
            error = item.refusal(entry)
            if error is not None:
                found = found or Refusal(choice=item.choice, errors={})
                found.errors[item.name] = error
    return found
