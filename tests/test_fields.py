"""Fields of settings: what is tried of them ahead of their use."""

from dataclasses import dataclass

from codecs_core.fields import alternatives, flag, one_of, whole


@dataclass(frozen=True, kw_only=True)
class Settings:
    level: int = whole(3, 0, 9)
    method: str = one_of("a", ("a", "b", "c"))
    effort: str = one_of("long", ("short", "long", "longest"), briefly="short")
    searched: bool = flag(True)


def test_each_value_of_one_field_at_a_time():
    found = list(alternatives(Settings()))
    usual = {"method": "a", "effort": "short", "searched": True}
    assert found == [usual, *(usual | change for change in ({"method": "b"}, {"method": "c"}, {"searched": False}))]


def test_what_the_settings_are_comes_first():
    assert next(alternatives(Settings(method="c", searched=False))) == {
        "method": "c",
        "effort": "short",
        "searched": False,
    }


def test_nothing_to_change():
    @dataclass(frozen=True)
    class Plain:
        level: int = 1

    assert list(alternatives(Plain())) == [{}]
