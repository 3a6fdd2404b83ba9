"""True pairs as training sees them, on drawn people."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.model.config import RELEASE_CONFIG, SHIPPED_CONFIG, PISEConfig
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.deepfashion_pairs import DeepFashion, DeepFashionPairs
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.data.sources import open_source
from pise_core.training.generator.recipes import RECIPES
from tests.test_deepfashion import FLAT, draw_archive, keep_joints

SQUARE = PISEConfig(width=4, canvas="square")
SMALL = (128, 96)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """(pictures 256 wide, pictures 176 wide), prepared in our order; and the wide ones in the authors'."""
    found = []
    for width, table in ((256, "cihp-studio"), (176, "cihp-studio"), (256, "cihp-pgn")):
        given = draw_archive(tmp_path_factory.mktemp("fashion"), width)
        assert given.prepare("--table", table) == 0
        found.append(given.out)
    return found


def only_pair(source, detail: bool = False, frame=FRAME_SIZE):
    """A batch of one pair, whichever is drawn."""
    return source.batch(np.random.default_rng(0), 1, frame, detail)


def test_pictures_are_their_middle_columns(prepared):
    name = FLAT["test"][0]
    sample = next(s for s in load_samples(prepared[0], "test") if s.name == name)
    framed = DeepFashion(prepared[0]).framed(name)
    assert sample.parsing is not None
    assert np.array_equal(framed.image, sample.image[:, 40:216])
    assert np.array_equal(framed.parsing, sample.parsing[:, 40:216])
    assert np.allclose(framed.pose[:, 0], sample.pose[:, 0] - 40, equal_nan=True)
    narrow = DeepFashion(prepared[1]).framed(name)
    assert np.abs(narrow.image.astype(int) - framed.image).mean() < 2  # JPEG's blocks lie elsewhere
    assert np.array_equal(narrow.parsing, framed.parsing)
    assert np.allclose(narrow.pose, framed.pose, equal_nan=True)


def test_the_first_of_a_pair_is_the_source(prepared):
    source = DeepFashionPairs(prepared[0], SQUARE)
    data = DeepFashion(prepared[0])
    assert len(source) == 2
    assert len(DeepFashionPairs(prepared[0], SQUARE, limit=1)) == 1
    shown = source.held_back(6)
    assert len(shown) == 2
    for batch, (first, second) in zip(shown, data.pairs("test"), strict=True):
        for image, name in ((batch.source_image, first), (batch.target_image, second)):
            expected = data.picture(name).transpose(2, 0, 1) / 127.5 - 1
            assert np.allclose(image[0, :, :, 40:216], expected, atol=1e-6)
            assert (image[..., :40] == 1).all() and (image[..., 216:] == 1).all()
    # Both orders of the training pair are drawn, sooner or later.
    drawn = source.batch(np.random.default_rng(1), 8, FRAME_SIZE, False)
    assert len({float(image.sum()) for image in drawn.source_image}) == 2


def test_the_paper_s_recipe_sees_whole_pictures(prepared):
    recipe = RECIPES["paper"].resolved()
    for folder in prepared[:2]:
        source = open_source(folder, recipe.network, surroundings=recipe.objective.judged == "person")
        for batch, names in zip(source.held_back(2), DeepFashion(folder).pairs("test"), strict=True):
            for image, name in zip((batch.source_image, batch.target_image), names, strict=True):
                picture = DeepFashion(folder).picture(name)
                around = DeepFashion(folder).framed(name).parsing == 0
                assert (picture[around] != 255).any() and (picture[around] != 127).any()
                seen = (image[0, :, :, 40:216].permute(1, 2, 0).numpy() + 1) * 127.5
                assert np.allclose(seen[around], picture[around], atol=1e-3)


def test_in_the_frame_the_source_is_cut_out_and_the_target_as_asked(prepared):
    config = replace(SHIPPED_CONFIG, width=4)
    for surroundings in (True, False):
        batch = only_pair(DeepFashionPairs(prepared[0], config, surroundings=surroundings))
        assert batch.source_image.shape == (1, 3, *FRAME_SIZE)
        assert not batch.source_image[0, :, batch.source_parsing[0, 0] == 1].any()
        around = batch.target_image[0, :, batch.target_parsing[0, 0] == 1]
        assert bool(around.any()) == surroundings
    assert batch.carry is None


def test_the_detail_path_gets_the_source_moved_to_the_target(prepared):
    pairs = DeepFashionPairs(prepared[0], replace(SHIPPED_CONFIG, width=4))
    for batch in pairs.held_back(2):
        assert batch.carry is not None
        there = batch.carry.trust[0, 0] > 0.99
        clothes = there & (batch.target_parsing[0, REGION["upper_clothes"]] == 1)
        assert clothes.sum() > 300
        # The shirts are of different colours, so what is there came from the source.
        own = batch.source_image[0][:, batch.source_parsing[0, REGION["upper_clothes"]] == 1].mean(1)
        other = batch.target_image[0][:, clothes].mean(1)
        carried = batch.carry.image[0][:, clothes].mean(1)
        assert (carried - own).abs().max() < 0.05 < (carried - other).abs().max()
        ends = np.argwhere(batch.target_parsing[0, REGION["leg"]].numpy())[:, 0].max()
        assert abs(np.argwhere(there.numpy())[:, 0].max() - ends) <= 3
    drawn = [only_pair(pairs, detail=True) for _ in range(2)]
    assert torch.equal(drawn[0].source_image, drawn[1].source_image)


def test_parts_of_a_batch_are_the_batch(prepared):
    pairs = DeepFashionPairs(prepared[0], replace(SHIPPED_CONFIG, width=4))
    for seed in range(3):

        def draw(part: slice, seed=seed):
            return pairs.batch(np.random.default_rng(seed), 4, SMALL, True, part)

        whole, halves = draw(slice(None)), [draw(slice(0, 2)), draw(slice(2, 4))]
        assert torch.equal(whole.target_image, torch.cat([half.target_image for half in halves]))
        assert all((half.carry is None) == (whole.carry is None) for half in halves)
        if whole.carry is not None:
            assert torch.equal(whole.carry.trust, torch.cat([half.carry.trust for half in halves if half.carry]))


def test_smaller_frames_show_all_of_the_picture(prepared):
    for folder in prepared[:2]:
        batch = only_pair(DeepFashionPairs(folder, SQUARE), frame=SMALL)
        assert batch.source_image.shape == (1, 3, 128, 128)
        full = only_pair(DeepFashionPairs(folder, SQUARE))
        small = torch.nn.functional.avg_pool2d(full.source_image, 2)
        assert (batch.source_image - small).abs().mean() < 0.03
        places = [(b.source_pose[0, 1] == b.source_pose[0, 1].max()).nonzero()[0] for b in (full, batch)]
        assert (places[0] / 2 - places[1]).abs().max() <= 1


def test_regions_come_in_the_network_s_order(prepared):
    release = replace(RELEASE_CONFIG, width=4)
    ours = only_pair(DeepFashionPairs(prepared[0], release)).source_parsing[0].argmax(0).unique().tolist()
    theirs = only_pair(DeepFashionPairs(prepared[2], release)).source_parsing[0].argmax(0).unique().tolist()
    # Hair 1, clothes 2, trousers 3, face 5, arms 6, legs 7; nobody wears anything else here.
    assert ours == theirs == [0, 1, 2, 3, 5, 6, 7]
    with pytest.raises(InputError, match="train with --set labels=pgn"):
        DeepFashionPairs(prepared[2], SQUARE)
    with pytest.raises(InputError, match="detail path knows our own regions only"):
        DeepFashionPairs(prepared[2], replace(release, detail_path=True))


def test_joints_lie_in_the_network_s_columns(prepared):
    def columns(config: PISEConfig) -> np.ndarray:
        maps = only_pair(DeepFashionPairs(prepared[0], config)).source_pose[0]
        return maps.amax(1).argmax(1).numpy()

    aligned, stretched = (
        columns(replace(RELEASE_CONFIG, width=4, pose_columns=name)) for name in ("aligned", "stretched")
    )
    seen = aligned * 256 // 176 < 256
    assert seen.sum() > 3
    assert (stretched[seen] == aligned[seen] * 256 // 176).all()


def test_a_folder_of_training_pairs_alone_is_enough(tmp_path):
    given = draw_archive(tmp_path)
    assert given.prepare("--split", "train") == 0
    source = DeepFashionPairs(given.out, SQUARE)
    assert len(source) == 2 and source.held_back(6) == []
    with pytest.raises(InputError, match="holds no pairs of the split 'test'"):
        DeepFashion(given.out).pairs("test")


def test_few_joints_are_no_reason_to_stop(tmp_path, capsys):
    """A picture is learned from as a whole; the detail path is silent for it."""
    given = draw_archive(tmp_path)
    keep_joints(given, "train", 0, ["neck", "right_shoulder", "left_shoulder"])
    assert given.prepare() == 0
    said = capsys.readouterr().out
    assert "train: 2 pairs\n  1 pictures have fewer than 6 joints" in said and f": {FLAT['train'][0]}\n" in said
    assert [sample.name for sample in load_samples(given.out, "train")] == FLAT["train"][1:]
    pair = tuple(FLAT["train"])
    assert DeepFashion(given.out).pairs("train") == [pair, pair[::-1]]
    maps = only_pair(DeepFashionPairs(given.out, SQUARE, limit=1)).source_pose[0]
    assert (maps.amax((1, 2)) > 0.9).nonzero().flatten().tolist() == [JOINT["neck"], 2, 5]
    detailed = DeepFashionPairs(given.out, replace(SHIPPED_CONFIG, width=4))
    drawn = [detailed.batch(np.random.default_rng(seed), 2, FRAME_SIZE, True) for seed in range(2)]
    carries = [batch.carry for batch in drawn if batch.carry is not None]
    assert carries and not any(carry.trust.any() for carry in carries)


def test_pairs_without_a_pose_are_left_out_and_named(tmp_path, capsys):
    given = draw_archive(tmp_path)
    lists = given.lists / "fashion-resize-pairs-test.csv"
    lists.write_text(lists.read_text() + f"{FLAT['test'][0]}.jpg,{FLAT['test'][2]}.jpg\n")
    assert given.prepare() == 0
    said = capsys.readouterr().out
    assert "1 pairs left out, for one of the two has fewer than 2 joints" in said
    assert f": {FLAT['test'][0]} to {FLAT['test'][2]}\n" in said
    assert len(DeepFashion(given.out).pairs("test")) == 2
    assert json.loads((given.out / "dataset.json").read_text())["left_out"]["test"] == [FLAT["test"][::2]]
    keep_joints(given, "test", 0, ["nose"])
    assert given.prepare() == 2
    assert "every pair of the split 'test' has a picture with fewer than 2 joints" in capsys.readouterr().err
    assert len(DeepFashion(given.out).pairs("test")) == 2


def test_folders_are_opened_for_what_they_are(prepared, tmp_path):
    assert isinstance(open_source(prepared[0], SQUARE), DeepFashionPairs)
    with pytest.raises(InputError, match="samples.json is missing; run: python -m pise_core prepare deepfashion"):
        DeepFashion(tmp_path)
    for name in ("samples.json", "dataset.json"):
        (tmp_path / name).write_text((prepared[0] / name).read_text())
    (tmp_path / "pairs.json").write_text("{}")
    with pytest.raises(InputError, match="run prepare deepfashion again"):
        DeepFashion(tmp_path)
    (tmp_path / "pairs.json").write_text(json.dumps({"train": [], "test": [[FLAT["test"][0], "fashionMENa"]]}))
    with pytest.raises(InputError, match="holds no pairs of the split 'train'"):
        DeepFashion(tmp_path).pairs("train")
    with pytest.raises(InputError, match="pictures without a pose, prepare again: fashionMENa"):
        DeepFashion(tmp_path).pairs("test")
    with pytest.raises(InputError, match="is missing or damaged"):
        DeepFashion(tmp_path).picture(FLAT["test"][0])
