"""``evaluate deepfashion`` on drawn people: who makes which picture, what the figures are, what is missing."""

import argparse
import json
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pise_core import PISE, Editor
from pise_core.errors import HubUnreachable, InputError
from pise_core.evaluation import command, deepfashion_entries, published
from pise_core.evaluation.deepfashion_metrics import Loaders, Metrics
from pise_core.evaluation.entries import ALONE, COPY, TRUTH, WITH_DETAIL, Entry
from pise_core.images import read_image, write_image
from pise_core.model.config import RELEASE_CONFIG, RELEASE_EDITING_CONFIG, PISEConfig
from pise_core.model.weights import save_model
from pise_core.training.data.deepfashion_pairs import DeepFashion
from tests.test_deepfashion import FLAT, draw_archive, keep_joints


class Brightness(nn.Module):
    """(N, 1): the mean of a picture's values."""

    num_features = 1

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.float().mean((1, 2, 3))[:, None]


def mean_difference(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean((1, 2, 3))


def unreachable(device: str):
    raise HubUnreachable("some network can't be fetched")


LOADERS = Loaders(
    lpips_alex=lambda device: mean_difference,
    lpips_squeeze=lambda device: lambda a, b: 2 * mean_difference(a, b),
    fid=lambda device: Brightness(),
    legacy_fid=lambda device: Brightness(),
)


def evaluate(*arguments, loaders: Loaders = LOADERS) -> int:
    """The command with measures that need no hub."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = ["deepfashion", "--device", "cpu", *map(str, arguments)]
    return command.run(parser.parse_args(given), loaders=loaders)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same people prepared in our order of regions, and in the authors'."""
    given = draw_archive(tmp_path_factory.mktemp("fashion"))
    prepared = []
    for table in ("cihp-studio", "cihp-pgn"):
        given = given._replace(out=given.archive.parent / table)
        assert given.prepare("--table", table) == 0
        prepared.append(given.out)
    return prepared


@pytest.fixture(scope="module")
def entry(editor):
    """Makes a row of a network with random weights."""

    def make(config: PISEConfig, detail: bool = False, name: str = "trial") -> Entry:
        torch.manual_seed(0)
        return Entry(name, Editor(PISE(config), editor.analyzer), detail)

    return make


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "release.safetensors"
    torch.manual_seed(0)
    save_model(path, PISE(replace(RELEASE_CONFIG, width=4)))
    return path


def flat(*levels: int) -> list[np.ndarray]:
    return [np.full((60, 60, 3), level, np.uint8) for level in levels]


def test_figures_by_hand():
    """Made pictures of brightness 10 and 30 against 50 and 90: means 20 and 70, variances of the samples 200 and 800.
    The distance of Frechet is (70 - 20)^2 + 200 + 800 - 2 sqrt(200 * 800) = 2700. To the training pictures of 10 and 30
    it is 0. Differences of 40 and 60: PSNR 10 log10(65025 / 1600) and 10 log10(65025 / 3600); 1600 wraps to 64 and
    3600 to 16."""
    metrics = Metrics(LOADERS, "cpu")
    metrics.see_real("fid", flat(50, 90))
    metrics.see_real("legacy_fid", flat(10, 30))
    for _ in range(2):  # the second row is not mixed with the first
        found = metrics.measure(zip(flat(10, 30), flat(50, 90), strict=True))
        assert found["fid"] == pytest.approx(2700, rel=1e-5)
        assert found["legacy_fid"] == pytest.approx(0, abs=1e-3)
        assert found["psnr"] == pytest.approx(5 * (np.log10(65025 / 1600) + np.log10(65025 / 3600)), rel=1e-5)
        assert found["wrapped_psnr"] == pytest.approx(5 * (np.log10(65025 / 64) + np.log10(65025 / 16)), rel=1e-5)
        assert found["lpips_alex"] == pytest.approx((40 + 60) / 2 / 127.5, rel=1e-4)
        assert found["lpips_squeeze"] == pytest.approx(2 * found["lpips_alex"])
        c1 = (0.01 * 255) ** 2
        ssim = [(2 * a * b + c1) / (a * a + b * b + c1) for a, b in ((10, 50), (30, 90))]
        assert found["ssim"] == pytest.approx(np.mean(ssim), rel=1e-4)
        assert found["window_ssim"] == pytest.approx(np.mean(ssim))
    equal = metrics.measure(zip(flat(50), flat(50), strict=True))
    assert equal["psnr"] == equal["wrapped_psnr"] == float("inf")
    assert "fid" not in equal  # a single picture has no variance


def test_what_cannot_be_had_is_said_and_the_rest_is_measured():
    loaders = replace(LOADERS, lpips_alex=unreachable, legacy_fid=unreachable)
    metrics = Metrics(loaders, "cpu")
    assert metrics.missing == dict.fromkeys(("lpips_alex", "legacy_fid"), "some network can't be fetched")
    assert metrics.wants("fid") and not metrics.wants("legacy_fid")
    metrics.see_real("fid", flat(50, 90))
    assert metrics.measure(zip(flat(10, 30), flat(50, 90), strict=True)).keys() == {
        *("fid", "lpips_squeeze", "ssim", "psnr", "wrapped_psnr", "window_ssim")
    }


def test_networks_that_are_not_there_are_named(monkeypatch, tmp_path):
    """Each with the address to fetch it from and the folder to put it into."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(url: str, *rest, **more):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    for name, file in (
        ("lpips_alex", "alexnet-owt-7be5be79.pth"),
        ("lpips_squeeze", "squeezenet1_1-b8a52dc0.pth"),
        ("legacy_fid", "inception_v3_google-0cc3c7bd.pth"),
    ):
        with pytest.raises(HubUnreachable) as caught:
            getattr(Loaders(), name)("cpu")
        said = str(caught.value)
        assert "no route to host" in said and said.count(file) == 2
        assert f"into {tmp_path}/hub/checkpoints" in said
        assert "\n" not in said
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(InputError, match="pip install torch-fidelity"):
        Loaders().fid("cpu")


def test_the_release_is_fed_as_its_own_loader_does_it(folders, entry):
    """Worked out from what is known of that loader: the middle columns on a white square, the map's labels one-hot,
    joints at int((x + 40) / 176 * 256) with sigma 6, and the middle columns of the answer."""
    row = entry(replace(RELEASE_CONFIG, width=4))
    source, target = FLAT["test"][:2]
    lists = folders[1].parent / "lists" / "fashion-resize-annotation-test.csv"
    joints = {
        line.split(".jpg:")[0]: [json.loads(part) for part in line.split(".jpg:")[1].split(":")]
        for line in lists.read_text().splitlines()[1:]
    }

    def heat(name: str) -> Tensor:
        maps = np.zeros((1, 18, 256, 256), np.float32)
        rows, columns = np.mgrid[:256, :256]
        for joint, (y, x) in enumerate(zip(*joints[name], strict=True)):
            if y >= 0:
                x = int((x + 40) / 176 * 256)
                maps[0, joint] = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 6**2))
        return torch.from_numpy(maps)

    photo = read_image(folders[1] / "images" / f"{source}.jpg").copy()
    photo[:, :40] = photo[:, 216:] = 255
    image = torch.from_numpy(photo.transpose(2, 0, 1)[None] / 127.5 - 1).float()
    labels = cv2.imread(str(folders[1] / "parsing" / f"{source}.png"), cv2.IMREAD_UNCHANGED)
    maps = nn.functional.one_hot(torch.from_numpy(labels).long(), 8).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        made = row.editor.model(image, maps, heat(source), heat(target)).image[0, :, :, 40:216]
    expected = np.rint((made.permute(1, 2, 0).numpy() + 1) * 127.5)

    found = deepfashion_entries.network(row, DeepFashion(folders[1]))(source, target)
    assert found.dtype == np.uint8 and found.std() > 1
    assert np.abs(found - expected).max() <= 1
    # Told our own regions, nearly the same: this person wears nothing that the two orders tell apart.
    translated = deepfashion_entries.network(row, DeepFashion(folders[0]))(source, target)
    assert np.abs(translated - expected).max() <= 1


@pytest.mark.parametrize("detail", [True, False])
def test_weights_of_the_frame_edit_the_picture(folders, entry, detail):
    row = entry(PISEConfig(width=4, colour_path=True, detail_path=True), detail)
    data = DeepFashion(folders[0])
    source, target = FLAT["test"][:2]
    found = deepfashion_entries.network(row, data)(source, target)
    before, wanted = data.framed(source), data.framed(target)
    person = row.editor.set_person(before.image, pose=before.pose, parsing=before.parsing)
    assert person.framing.scale != 1  # as it is by default; here the picture is the frame
    assert found.shape == (256, 176, 3)
    assert (found[:8] == before.image[:8]).all()
    moved = (before.parsing > 0) | (wanted.parsing > 0)
    assert (found != before.image).any(2)[moved].mean() > 0.5


def test_a_square_canvas_may_have_a_detail_path(folders, entry):
    config = PISEConfig(width=4, colour_path=True, detail_path=True, canvas="square")
    data = DeepFashion(folders[0])
    with_detail, without = (
        deepfashion_entries.network(entry(config, detail), data)(*FLAT["test"][:2]) for detail in (True, False)
    )
    assert with_detail.shape == (256, 176, 3)
    assert (with_detail != without).any()


def test_weights_that_cannot_do_it_are_refused(folders, entry):
    data, theirs = (DeepFashion(folder) for folder in folders)
    with pytest.raises(InputError, match="'editing' edit regions and styles only"):
        deepfashion_entries.network(entry(replace(RELEASE_EDITING_CONFIG, width=4), name="editing"), data)
    for config in (PISEConfig(width=4), PISEConfig(width=4, canvas="square")):
        with pytest.raises(InputError, match="can't be told maps in the order 'pgn'; prepare the data once more"):
            deepfashion_entries.network(entry(config), theirs)


def test_folders_of_other_projects_are_read(tmp_path):
    pairs = [("fashionMENa", "fashionMENb"), ("fashionMENb", "fashionMENa"), ("fashionMENc", "fashionMENa")]
    picture = np.random.default_rng(0).integers(0, 256, (256, 176, 3), dtype=np.uint8)
    wide = np.pad(picture, ((0, 0), (40, 40), (0, 0)), constant_values=255)
    write_image(tmp_path / "fashionMENa_2_fashionMENb.png", picture)
    write_image(tmp_path / "fasionMENb_fasionMENa_vis.png", wide)
    write_image(tmp_path / "fashionMENa_2_fashionMENb.jpg", 255 - picture)  # a lossless one goes before
    with pytest.raises(InputError, match="lacks the pictures of 1 of 3 pairs: fashionMENc_2_fashionMENa.png"):
        deepfashion_entries.folder(tmp_path, pairs)
    write_image(tmp_path / "fashionMENc_2_fashionMENa_vis.png", picture[:200])
    make = deepfashion_entries.folder(tmp_path, pairs)
    assert np.array_equal(make(*pairs[0]), picture)
    assert np.array_equal(make(*pairs[1]), picture)
    with pytest.raises(InputError, match="is 176x200; pictures are 176x256, or 256x256"):
        make(*pairs[2])
    with pytest.raises(InputError, match="there is no folder"):
        deepfashion_entries.folder(tmp_path / "none", pairs)


def test_tables_rows_and_kept_pictures(folders, network_file, tmp_path, capsys):
    figures, sheet, keep = tmp_path / "figures.json", tmp_path / "sheet.png", tmp_path / "kept"
    arguments = ["--data", folders[1], "--weights", network_file, "--json", figures, "--sheet", sheet, "--keep", keep]
    assert evaluate(*arguments, "--also", f"again={network_file}") == 0
    printed = capsys.readouterr().out
    written = json.loads(figures.read_text())
    rows = written["rows"]
    assert list(rows) == [ALONE, "again", COPY, TRUTH]
    assert written["pairs"] == 2
    assert rows[TRUTH]["lpips_alex"] == 0 and rows[TRUTH]["ssim"] == pytest.approx(1, abs=1e-4)
    assert rows[TRUTH]["psnr"] is None and rows[TRUTH]["wrapped_psnr"] is None
    assert rows[TRUTH]["fid"] == pytest.approx(0, abs=1e-4)
    # The two test pictures are both sources and targets: copying makes the same set, only in another order.
    assert rows[COPY]["fid"] == pytest.approx(0, abs=1e-4) and rows[COPY]["lpips_alex"] > 0.01
    assert rows[COPY]["legacy_fid"] == pytest.approx(rows[TRUTH]["legacy_fid"]) and rows[TRUTH]["legacy_fid"] > 1e-3
    assert rows[ALONE]["lpips_squeeze"] == pytest.approx(2 * rows[ALONE]["lpips_alex"])
    assert rows[ALONE].pop("seconds") > 0 < rows["again"].pop("seconds")
    assert rows[ALONE] == pytest.approx(rows["again"])
    assert written["not_taken"] == {}
    for line in ("| PISE, printed in the paper ", "| w/o SN, printed in the paper "):
        assert line in printed
    assert "13.61" in printed and "| ground truth" in printed
    assert len(written["printed"]) == len(published.TABLE_1) + len(published.TABLE_2) == 10
    assert read_image(sheet).shape[1] == 4 * 176

    names = {f"{a}_2_{b}.png" for a, b in DeepFashion(folders[1]).pairs("test")}
    assert {file.name for file in (keep / "PISE-alone").iterdir()} == names
    again = ["--data", folders[1], "--generated", keep / "PISE-alone", "--generated", f"second={keep / 'again'}"]
    assert evaluate(*again, "--json", figures) == 0
    reread = json.loads(figures.read_text())["rows"]
    assert list(reread) == ["PISE-alone", "second", COPY, TRUTH]
    assert reread["PISE-alone"] == pytest.approx(rows[ALONE])


def test_a_few_pairs_and_what_could_not_be_measured(folders, network_file, tmp_path, capsys):
    only_test = tmp_path / "test"
    only_test.mkdir()
    for name in ("images", "parsing"):
        (only_test / name).symlink_to(folders[1] / name)
    for name in ("samples.json", "pairs.json", "dataset.json"):
        content = json.loads((folders[1] / name).read_text())
        if "train" in content:
            content["train"] = type(content["train"])()
        (only_test / name).write_text(json.dumps(content))
    arguments = ["--data", only_test, "--weights", network_file, "--limit", 1]
    assert evaluate(*arguments, loaders=replace(LOADERS, lpips_alex=unreachable)) == 0
    printed = capsys.readouterr().out
    assert "| standard (1)" in printed
    assert "not taken: LPIPS: some network can't be fetched" in printed
    assert "not taken: FID (GFLA): it needs the training pictures; prepare both splits" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--generated", "{keep}", "--keep", "{keep}"], "give --weights or --also too"),
        (["--generated", "copy of the source={keep}"], "two rows would be called 'copy of the source'"),
        (
            ["--weights", "{weights}", "--also", "a b={weights}", "--also", "a-b={weights}", "--keep", "{keep}"],
            "differ",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_made(folders, network_file, tmp_path, arguments, message):
    for a, b in DeepFashion(folders[1]).pairs("test"):
        write_image(tmp_path / f"{a}_2_{b}.png", np.zeros((256, 176, 3), np.uint8))
    given = [text.format(keep=tmp_path, weights=network_file) for text in arguments]
    with pytest.raises(InputError, match=message):
        evaluate("--data", folders[1], *given, loaders=replace(LOADERS, fid=None))


def test_the_shipped_weights_have_two_rows(folders, capsys):
    assert evaluate("--data", folders[0], "--limit", 1) == 0
    printed = capsys.readouterr().out
    assert f"| {WITH_DETAIL}" in printed and f"| {ALONE} " in printed


def test_poses_of_two_joints_are_scored_like_others(tmp_path, network_file):
    given, figures = draw_archive(tmp_path), tmp_path / "figures.json"
    keep_joints(given, "test", 1, ["right_elbow", "right_wrist"])
    for table, weights in (("cihp-studio", ()), ("cihp-pgn", ("--weights", network_file))):
        assert given.prepare("--table", table) == 0
        assert evaluate("--data", given.out, "--json", figures, *weights) == 0
        rows = json.loads(figures.read_text())["rows"]
        assert len(rows) == (3 if weights else 4) and all(0 < row["ssim"] <= 1.0001 for row in rows.values())


def test_ssim_leaves_out_the_rim_as_the_fields_code_does():
    """Against the definition in double precision (Wang et al., 2004), over windows that lie within the picture."""
    random = np.random.default_rng(5)
    a = np.full((256, 176, 3), 255, np.uint8)
    a[40:220, 50:130] = random.integers(0, 255, (180, 80, 3))
    b = a.copy()
    b[40:220, 50:130] = np.clip(a[40:220, 50:130].astype(int) + random.normal(0, 60, (180, 80, 3)), 0, 255)
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(values):
        for axis in (0, 1):
            values = np.lib.stride_tricks.sliding_window_view(values, 11, axis) @ window
        return values

    x, y = a.astype(float), b.astype(float)
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean()
    pictures = [torch.from_numpy(v).permute(2, 0, 1)[None].float() for v in (a, b)]
    metrics = Metrics(Loaders(lpips_alex=_none, lpips_squeeze=_none, fid=_none, legacy_fid=_none), "cpu")
    assert metrics.ssim(*pictures).item() == pytest.approx(expected, abs=1e-3)
    assert metrics._ssim(*pictures, sigma=1.5, data_range=255.0).item() > expected + 5e-3  # with the rim


def _none(device):
    raise InputError("not needed here")
