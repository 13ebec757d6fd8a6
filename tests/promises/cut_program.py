"""A program with one thread that cuts a story at each of its calls and tells what was wrong.

    python -m cut_program STORY POINTS FAULT... PREPARED

POINTS of the calls are tried, evenly spread and the last among them; 0: all. The answer is JSON:
how many calls the story has, how many cuts were made, and what was wrong after which.
"""

import json
import sys
from collections.abc import Iterator

from cut_place import Place, Prepared, same_ids
from cut_stories import STORIES, Story, Undisturbed, unlike, unsound
from traced import Fault, traced


def chosen(calls: int, points: int) -> list[int]:
    """Which calls are cut."""
    if not points or points >= calls:
        return list(range(1, calls + 1))
    return sorted({round(calls * (number + 1) / points) for number in range(points)})


class Cutter:
    """One story in one place."""

    def __init__(self, story: Story, place: Place) -> None:
        self._story, self._place = story, place
        # statements are compiled here, once: what forks from here on has them
        place.renew()
        story.work(place, lambda _: None)
        place.renew()
        whole = traced(self._work, place.folder)
        self.calls = whole.calls
        assert whole.exit_code == 0, whole.said
        self._wanted = Undisturbed.of(place)

    def _work(self, say: object) -> None:
        same_ids(self._place)
        self._story.work(self._place, say)  # type: ignore[arg-type]  # a function that takes a line

    def cut(self, at: int, fault: Fault) -> Iterator[str]:
        """What was wrong after a cut, and after going on from there."""
        place = self._place
        place.renew()
        done = traced(self._work, place.folder, at, fault)
        if done.exit_code == 0:
            yield "was not cut"
        yield from self._story.after_cut(place, done.said, self._wanted)
        place.leave()
        again = traced(self._work, place.folder)
        if again.exit_code != 0:
            yield f"cannot go on: {again.said}"
        yield from unsound(place)
        if self._story.same_when_repeated:
            yield from unlike(place, self._wanted)
        place.leave()


def main(story: str, points: str, *rest: str) -> None:
    """Cut, and print what was found."""
    *faults, prepared = rest
    place = Place(Prepared(**json.loads(prepared)))
    try:
        cutter = Cutter(STORIES[story], place)
        cuts = [(at, Fault(name)) for name in faults for at in chosen(cutter.calls, int(points))]
        wrong = [
            f"{fault.value} call {at}: {what}"
            for at, fault in cuts
            for what in cutter.cut(at, fault)
        ]
    finally:
        place.remove()
    sys.stdout.write(json.dumps({"calls": cutter.calls, "cuts": len(cuts), "wrong": wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
