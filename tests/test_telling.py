"""What a slow encoder says of how far it is: who hears it."""

from __future__ import annotations

from typing import Any

import codecs_core as cc
from codecs_core.telling import heard


def test_who_listens_hears() -> None:
    said: list[Any] = []
    cc.tell(0.1, "nobody hears this")
    with heard(lambda *each: said.append(each)):
        cc.tell(0.2, "this")
        with heard(None):
            cc.tell(0.3, "nobody hears this either")
    cc.tell(0.4, "nor this")
    assert said == [(0.2, "this")]
