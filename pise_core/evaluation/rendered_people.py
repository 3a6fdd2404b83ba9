"""True pairs with the right answer: rendered people, the one picture re-posed into the other, in the frame.

Joints and maps are given for the source; with the detail path the target's map is the network's own, as in
``in_frame.articulated``. Whoever turned by more than 45 degrees shows what the source hides, and is told apart.
"""

from collections.abc import Iterator, Sequence

from pise_core.evaluation.entries import Entry
from pise_core.evaluation.in_frame import example_of
from pise_core.evaluation.scoring import Example
from pise_core.synthesis.dataset import People
from pise_core.training.data.people_pairs import rendered_pair, turn_between

#: Beyond so many degrees somebody counts as turned.
TURNED = 45.0


def turned_and_not(people: People, limit: int | None = None) -> dict[str, list[int]]:
    """Places of the pairs in the folder, by whether they turned: keys "turned" and "not turned".

    Args:
        people: the folder.
        limit: look at so many pairs, the first, only.
    """
    places = range(min(len(people), limit or len(people)))
    turned = {place for place in places if turn_between(people[place].about) > TURNED}
    return {"turned": sorted(turned), "not turned": sorted(set(places) - turned)}


def rendered_people(people: People, places: Sequence[int], entries: Sequence[Entry]) -> Iterator[Example]:
    """An example per pair, from its source to its target."""
    for place in places:
        pair = people[place]
        yield example_of(f"{pair.about['index']}", rendered_pair(pair), entries)
