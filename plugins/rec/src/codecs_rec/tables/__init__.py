"""Integer tables, derived once with high precision by `derive` and committed beside it."""

from __future__ import annotations

from functools import partial

from codecs_core.entropy import table as table_of

#: The table of a name as int64, read-only.
table = partial(table_of, package=__name__)
