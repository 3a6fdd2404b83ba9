"""What the tests share. No photo of anybody is needed: people are drawn."""

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

# Several threads per convolution only help on an idle machine; on a busy one they wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import pytest

from pise_core.document.paint import UNTOUCHED, PaintLayer
from pise_core.images import write_image
from pise_core.pose import default_skeleton
from pise_core.regions import REGION
from pise_core.skeleton import JOINT

ROOT = Path(__file__).resolve().parent.parent


#: Set where nothing may be left out, see ``.ci/run``.
NO_SKIPS = "PISE_NO_SKIPS"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """A test that is left out is a failure where every test is to run."""
    report = yield
    if os.environ.get(NO_SKIPS) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"left out, though {NO_SKIPS} is set: {report.longrepr[-1]}"
    return report


def chromium_path() -> str | None:
    """The system's Chromium; None for playwright's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Drawn(NamedTuple):
    """A picture of a person whose every pixel and joint is known."""

    photo: np.ndarray  # (H, W, 3) uint8 RGB
    pose: np.ndarray  # (18, 3) float32 in pixels of the photo
    parsing: np.ndarray  # (H, W) uint8


def draw_person(
    width: int = 220,
    height: int = 330,
    box: tuple[float, float, float, float] | None = None,
    shirt: tuple[int, int, int] = (190, 60, 50),
    trousers: tuple[int, int, int] = (40, 60, 120),
) -> Drawn:
    """A person in shirt and trousers before a wall and a floor, filling ``box`` (default: most of the picture)."""
    x0, y0, x1, y1 = box or (width * 0.2, height * 0.08, width * 0.8, height * 0.94)
    pose = default_skeleton((x0, y0, x1, y1))
    size = y1 - y0
    rows = np.linspace(0, 1, height)[:, None, None]
    photo = np.broadcast_to(np.array((170, 185, 200)) - 40 * rows, (height, width, 3)).astype(np.uint8).copy()
    photo[int(y0 + 0.9 * size) :] = (110, 100, 90)
    parsing = np.zeros((height, width), np.uint8)

    def point(name: str) -> np.ndarray:
        return pose[JOINT[name], :2]

    def paint(region: str, colour: tuple[int, int, int], draw: Callable[[np.ndarray], object]) -> None:
        mask = np.zeros((height, width), np.uint8)
        draw(mask)
        photo[mask > 0] = colour
        parsing[mask > 0] = REGION[region]

    def bone(mask: np.ndarray, a: str, b: str, share: float) -> None:
        ends = [tuple(int(v) for v in point(name)) for name in (a, b)]
        cv2.line(mask, ends[0], ends[1], 1, max(int(share * size), 1))

    def ball(mask: np.ndarray, centre: np.ndarray, share: float) -> None:
        cv2.circle(mask, (int(centre[0]), int(centre[1])), max(int(share * size), 1), 1, -1)

    skin = (224, 180, 150)
    for side in ("right", "left"):
        paint("pants", trousers, lambda m, s=side: bone(m, f"{s}_hip", f"{s}_knee", 0.085))
        paint("pants", trousers, lambda m, s=side: bone(m, f"{s}_knee", f"{s}_ankle", 0.06))
        paint("leg", (50, 40, 35), lambda m, s=side: ball(m, point(f"{s}_ankle") + (0, 0.02 * size), 0.03))
        paint("upper_skin", skin, lambda m, s=side: bone(m, f"{s}_elbow", f"{s}_wrist", 0.04))
        paint("upper_clothes", shirt, lambda m, s=side: bone(m, f"{s}_shoulder", f"{s}_elbow", 0.055))
    corners = [point(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
    paint("upper_clothes", shirt, lambda m: cv2.fillConvexPoly(m, np.array(corners, np.int32), 1))
    paint("upper_skin", skin, lambda m: bone(m, "neck", "nose", 0.04))
    paint("hair", (60, 40, 30), lambda m: ball(m, point("nose") - (0, 0.015 * size), 0.062))
    paint("face", skin, lambda m: ball(m, point("nose") + (0, 0.008 * size), 0.045))
    return Drawn(photo, pose, parsing)


@pytest.fixture(scope="session")
def person() -> Drawn:
    """A drawn person, 220x330. Don't write to its arrays."""
    return draw_person()


@pytest.fixture(scope="session")
def other_person() -> Drawn:
    """Another one, smaller in a larger picture, in other clothes."""
    return draw_person(300, 400, (120, 60, 250, 370), shirt=(60, 150, 70), trousers=(90, 90, 95))


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the weights that ship; the variable PISE_WEIGHTS names others to be tested before they do."""
    return Path(os.environ.get("PISE_WEIGHTS") or ROOT / "weights")


@pytest.fixture(scope="session")
def editor(weights):
    """An editor with the weights that ship, on the CPU."""
    from pise_core import Editor

    return Editor.from_pretrained(weights, device="cpu")


@pytest.fixture(scope="session")
def known(editor, person):
    """The drawn person as the editor knows her, joints and regions given."""
    return editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)


@pytest.fixture(scope="session")
def known_other(editor, other_person):
    """The other one."""
    return editor.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)


@pytest.fixture
def document(known):
    """A new document with the drawn person."""
    from pise_core.document import Document

    return Document.of(known, "drawn")


@pytest.fixture(scope="session")
def studio(editor):
    """The actions of the studio, over the editor with the weights that ship."""
    from app.view.studio import Studio

    return Studio(lambda: editor)


@pytest.fixture
def session(document):
    """A page's session with the drawn person on it."""
    from app.state.session import Session

    session = Session()
    session.edit(document)
    yield session
    session.close()


@pytest.fixture(scope="session")
def photo_path(person, tmp_path_factory):
    """A file with the drawn person."""
    path = tmp_path_factory.mktemp("photos") / "my photo (1).png"
    write_image(path, person.photo)
    return path


def downloaded(studio, session) -> str:
    """Path of the picture that a session hands out when it is asked for."""
    return run(studio.download(session))["bar"]["file"]["url"].removeprefix("/gradio_api/file=")


def can_do(news):
    """What an update of the page says can be done, without of which edit it says so, and what that is called."""
    return {
        name: value for name, value in news["bar"]["history"].items() if isinstance(value, bool) and name != "begun"
    }


def run(updates: Iterable[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """All updates of an action in one, the later ones on top."""
    page: dict[str, dict[str, Any]] = {}
    for update in updates:
        for part, properties in update.items():
            page.setdefault(part, {}).update(properties)
    return page


def moved(person: Drawn, joint: int = 4, by: tuple[float, float] = (-30.0, -60.0)) -> np.ndarray:
    """The person's pose with one joint (the right wrist) elsewhere."""
    pose = person.pose.copy()
    pose[joint, :2] += by
    return pose


def layer(person: Drawn, region: int = 3, rows=slice(150, 180), columns=slice(60, 80)) -> PaintLayer:
    """A rectangle painted over the person's map."""
    labels = np.full(person.parsing.shape, UNTOUCHED, np.uint8)
    labels[rows, columns] = region
    paint = PaintLayer.of(labels)
    assert paint is not None
    return paint


def stroke(person: Drawn, region: int = 5) -> str:
    """A rectangle over the person's map, packed as the browser sends it."""
    return layer(person, region, slice(140, 170), slice(90, 110)).text()


_SHIRT = [(60, 60), (100, 50), (140, 60), (190, 130), (160, 150), (145, 110), (145, 220), (55, 220), (55, 110),
          (40, 150), (10, 130)]  # fmt: skip


@pytest.fixture(scope="session")
def laid_out():
    """A green shirt on a light ground, and where it is."""
    photo = np.full((260, 200, 3), (225, 222, 215), np.uint8)
    mask = np.zeros((260, 200), np.uint8)
    cv2.fillPoly(mask, [np.array(_SHIRT)], 1)
    photo[mask > 0] = (40, 130, 80)
    photo = np.clip(photo + np.random.default_rng(3).normal(0, 4, photo.shape), 0, 255).astype(np.uint8)
    return photo, mask > 0


def sent(data: bytes, name: str = "upload.png") -> Path:
    """A file as if a visitor had just sent it."""
    from app.state.uploads import make_folder

    path = make_folder() / name
    path.write_bytes(data)
    return path


@contextmanager
def served(demo, **settings):
    """Serve the studio's blocks from this process; the address. Settings as of :func:`app.server.application`."""
    from app.server import Server, application

    server = Server(application(demo, **settings), "127.0.0.1", 0)
    try:
        yield server.address
    finally:
        server.close()
