"""What one object waits for keeps no other waiting."""

import threading
from pathlib import Path

from dialer.adapters.lists.computed_once import computed_once

ADAPTERS = Path(__file__).parents[3] / "dialer" / "adapters"


class Asked:
    """Something that takes as long as its gate is shut."""

    def __init__(self) -> None:
        self.begun, self.gate, self.times = threading.Event(), threading.Event(), 0

    @computed_once
    def answer(self) -> int:
        """The answer."""
        self.times += 1
        self.begun.set()
        assert self.gate.wait(30)
        return 42


def test_it_is_worked_out_once() -> None:
    asked = Asked()
    asked.gate.set()
    assert (asked.answer, asked.answer, asked.times) == (42, 42, 1)
    assert Asked.answer.__doc__ == "The answer."


def test_an_object_that_waits_keeps_no_other_of_its_class_waiting() -> None:
    slow, quick = Asked(), Asked()
    quick.gate.set()
    thread = threading.Thread(target=lambda: slow.answer, daemon=True)
    thread.start()
    assert slow.begun.wait(30)
    got: list[int] = []
    other = threading.Thread(target=lambda: got.append(quick.answer), daemon=True)
    other.start()
    other.join(30)
    assert got == [42]
    slow.gate.set()
    thread.join(30)


def test_no_list_is_read_under_a_lock_of_its_class() -> None:
    users = [path.name for path in ADAPTERS.rglob("*.py") if "cached_property\n" in path.read_text("utf-8")]
    assert users == []
