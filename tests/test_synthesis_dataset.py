"""Rendered pairs on disk: what is written comes back, unfinished folders are refused, and settings don't mix."""

import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.synthesis.dataset import (
    LAYER,
    LAYERS,
    MAX_LAYERS,
    Pair,
    People,
    Picture,
    Stack,
    shard_path,
    write_format,
    write_shard,
    write_stack,
)

SIZE = (24, 16)


def _picture(rng: np.random.Generator) -> Picture:
    def one(top, dtype, *shape):
        return rng.integers(0, top, (*shape,)).astype(dtype)

    order = np.zeros(MAX_LAYERS, np.uint8)
    order[:2] = 1, LAYER["top/torso"]
    return Picture(
        one(256, np.uint8, *SIZE, 3), rng.random((18, 3), np.float32), one(8, np.uint8, *SIZE), one(2, np.uint8, *SIZE),
        one(256, np.uint8, *SIZE), one(9000, np.uint16, *SIZE), one(9, np.uint8, *SIZE), order,
    )  # fmt: skip


def _pairs(first: int, count: int) -> list[Pair]:
    rng = np.random.default_rng(first)
    return [Pair(_picture(rng), _picture(rng), {"index": first + i}) for i in range(count)]


def _same(a: Picture, b: Picture) -> None:
    for name, array in vars(a).items():
        np.testing.assert_array_equal(array, getattr(b, name), err_msg=name)
        assert array.dtype == getattr(b, name).dtype


@pytest.fixture
def folder(tmp_path):
    write_format(tmp_path, SIZE, {"seed": 3})
    write_shard(tmp_path, 0, _pairs(0, 3))
    write_shard(tmp_path, 2, _pairs(100, 2))  # shard 1 is another process's and not finished
    return tmp_path


def test_what_is_written_comes_back(folder):
    people = People(folder)
    assert (len(people), people.size) == (5, SIZE)
    assert [people[i].about["index"] for i in range(5)] == [0, 1, 2, 100, 101]
    for number, pair in enumerate(_pairs(0, 3) + _pairs(100, 2)):
        _same(people[number].source, pair.source)
        _same(people[number].target, pair.target)
        _same(people.picture(2 * number), pair.source)
        _same(people.picture(2 * number + 1), pair.target)
    with pytest.raises(IndexError):
        people[5]


def test_pairs_are_drawn_both_ways_round_and_the_same_for_the_same_generator(folder):
    people = People(folder)
    drawn = [pair for pair, _ in zip(people.pairs(np.random.default_rng(1)), range(30), strict=False)]
    again = [pair for pair, _ in zip(people.pairs(np.random.default_rng(1)), range(30), strict=False)]
    for a, b in zip(drawn, again, strict=True):
        _same(a.source, b.source)
    first = people[0]
    turned = [np.array_equal(pair.source.image, first.target.image) for pair in drawn if pair.about["index"] == 0]
    assert any(turned) and not all(turned)


def test_the_same_pairs_are_the_same_bytes(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("again")
    write_shard(other, 0, _pairs(0, 3))
    files = sorted(path.name for path in shard_path(folder, 0).iterdir())
    assert files == sorted(path.name for path in shard_path(other, 0).iterdir())
    for name in files:
        assert (shard_path(folder, 0) / name).read_bytes() == (shard_path(other, 0) / name).read_bytes(), name


def test_a_shard_that_is_there_stays(folder):
    before = (shard_path(folder, 0) / "image.npy").read_bytes()
    write_shard(folder, 0, _pairs(50, 3))
    assert (shard_path(folder, 0) / "image.npy").read_bytes() == before
    assert not list(folder.glob(".shard*"))


def test_layers_come_back_by_name(folder):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (2, *SIZE, 4)).astype(np.uint8)
    background, clean = rng.integers(0, 256, (2, *SIZE, 3)).astype(np.uint8)
    names = ("skin/torso", "top/left_forearm")
    write_stack(folder, 100, 1, Stack(names, colours, background, clean))
    stack = People(folder).stack(7)  # the target of the fourth person, whose index is 100
    assert stack.names == names
    np.testing.assert_array_equal(stack.colours, colours)
    np.testing.assert_array_equal(stack.clean, clean)
    with pytest.raises(InputError, match="--layers"):
        People(folder).stack(0)


def test_settings_of_two_kinds_do_not_mix(folder):
    write_format(folder, SIZE, {"seed": 3})
    with pytest.raises(InputError, match="other settings"):
        write_format(folder, SIZE, {"seed": 4})


def test_a_folder_without_people_is_refused(tmp_path):
    with pytest.raises(InputError, match="synthesize people"):
        People(tmp_path)
    write_format(tmp_path, SIZE, {})
    with pytest.raises(InputError, match="no finished shard"):
        People(tmp_path)


def test_layers_fit_into_a_byte_and_their_names_are_unique():
    assert len(LAYERS) <= 256
    assert len(set(LAYERS)) == len(LAYERS)
