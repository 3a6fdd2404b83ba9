"""The parts that the browser carries at once follow the same rules as the server's, and give way to its pictures."""

import cv2
import numpy as np
import pytest
from alone import HOST, open_page
from playwright.sync_api import expect
from pointing import bounds
from test_desktop import DESKTOP, borrow_example, open_example

from pise_core.pose import default_skeleton, visible
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import part_moves, shadow_move
from pise_core.warping.skirt import SkirtMove

#: The part of the result that was carried or painted, as numbers; the slider is at its left end.
_SHOWN = """() => {
  const root = document.querySelector("#result .html-container > div").shadowRoot;
  const [image, carried] = [root.querySelector("#after"), root.querySelector("#carry")];
  const canvas = Object.assign(document.createElement("canvas"), { width: 132, height: 192 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(carried.hidden ? image : carried, 0, 0, 132, 192);
  return { carried: !carried.hidden, pixels: [...context.getImageData(0, 0, 132, 192).data] };
}"""
_CARRIED = """() =>
  !document.querySelector("#result .html-container > div").shadowRoot.querySelector("#carry").hidden"""


def test_the_browser_moves_parts_as_the_server_does(chromium):
    page = open_page(chromium)
    generator = np.random.default_rng(7)

    def random_pose():
        pose = default_skeleton((20, 30, 300, 600))
        pose[:, :2] += generator.normal(0, 60, (18, 2))
        pose[generator.random(18) < 0.1] = np.nan, np.nan, 0
        return pose

    def joints(pose):
        return [
            {"x": float(x), "y": float(y), "on": True} if on else {"on": False}
            for (x, y, _), on in zip(pose, visible(pose), strict=True)
        ]

    pairs = [(random_pose(), random_pose()) for _ in range(60)]
    places = generator.uniform(-50, 700, (30, 2))
    found = page.evaluate(
        """async ([host, pairs, places]) => {
          const { partMoves, shadowMove } = await import(`${host}/preview/part_transforms.js`);
          const { moveTo } = await import(`${host}/preview/warp_canvas.js`);
          return pairs.map(([source, target]) => {
            const names = ["left_shadow", "right_shadow", "ground_shadow"];
            const shadows = names.map((part) => [part, shadowMove(source, target, part)]);
            return Object.fromEntries([...Object.entries(partMoves(source, target)), ...shadows]
              .filter(([, move]) => move)
              .map(([part, move]) => [part, places.map((place) => moveTo(move, ...place))]));
          });
        }""",
        [HOST, [[joints(source), joints(target)] for source, target in pairs], places.tolist()],
    )
    bent = 0
    for (source, target), moved in zip(pairs, found, strict=True):
        shadows = {f"{side}_shadow": shadow_move(source, target, side) for side in ("left", "right")}
        expected = part_moves(source, target) | {part: move for part, move in shadows.items() if move is not None}
        assert moved.keys() == expected.keys()
        for part, there in moved.items():
            assert np.allclose(there, expected[part].points(places), rtol=1e-4, atol=1e-2), part
        bent += isinstance(expected.get("skirt"), SkirtMove)
    assert bent > 10
    page.close()


def test_a_skirt_bends_in_the_browser_as_on_the_server(chromium):
    """A picture bent by strips is the one that the server bends pixel by pixel, and bending it back restores it."""
    source, target = (default_skeleton((60, 20, 240, 380)) for _ in range(2))
    for joint, shift in (("right_knee", -30), ("right_ankle", -60), ("left_knee", 25), ("left_ankle", 45)):
        target[JOINT[joint], 0] += shift
    move = SkirtMove.between(source, target)
    ys, xs = np.mgrid[0:180, 0:60]
    picture = np.dstack([4 * xs, ys, 128 + 100 * np.sin(xs / 9) * np.cos(ys / 11)]).astype(np.uint8)
    placed = np.zeros((400, 300, 3), np.uint8)
    placed[190:370, 120:180] = picture
    expected = move.into(0, 0, (300, 400))(placed)
    page = open_page(chromium)
    rgba = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    joints = [[{"x": float(x), "y": float(y), "on": True} for x, y, _ in pose] for pose in (source, target)]
    bent, back = page.evaluate(
        """async ([host, pixels, [source, target]]) => {
          const { skirtMove } = await import(`${host}/preview/skirt.js`);
          const { drawMoved } = await import(`${host}/preview/warp_canvas.js`);
          const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });
          const read = (canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
          const [image, bent, back] = [canvasOf(60, 180), canvasOf(300, 400), canvasOf(300, 400)];
          image.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), 60), 0, 0);
          const move = skirtMove(source, target);
          drawMoved(bent.getContext("2d"), move, image, 120, 190);
          drawMoved(back.getContext("2d"), { points: move.back }, bent, 0, 0);
          return [read(bent), read(back)];
        }""",
        [HOST, rgba.ravel().tolist(), joints],
    )
    page.close()
    for seen, wanted in ((bent, expected), (back, placed)):
        seen = np.array(seen, np.uint8).reshape(400, 300, 4)
        inside = cv2.erode((wanted.sum(2) > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert inside.sum() > 5_000 and (seen[inside][:, 3] > 250).mean() > 0.95
        whole = inside & (seen[..., 3] > 250)
        # The picture changes by some 8 levels from pixel to pixel: they agree to about half a pixel.
        assert np.abs(seen[whole][:, :3].astype(int) - wanted[whole]).mean() < 5


@pytest.fixture
def carried_visit(visit):
    """A page with an example, and a function that tells whether parts are carried on it, and the picture on show."""
    visitor = visit("desktop-carry", **DESKTOP)
    open_example(visitor, 3)
    visitor.page.wait_for_function("window.piseStudio.carrier.newest > 0")
    visitor.wait_for()

    def shown():
        state = visitor.page.evaluate(_SHOWN)
        return state["carried"], np.array(state["pixels"], np.int16).reshape(192, 132, 4)[..., :3]

    return visitor, shown


class HeldBack:
    """Previews that the server is asked for wait here until they are let go."""

    def __init__(self, page):
        self._page, self._held, self._holding = page, [], True
        page.route("**/component_server**", self._take)

    def _take(self, route):
        if self._holding:
            self._held.append(route)
        else:
            route.continue_()

    def one(self):
        """Let one go, as soon as it was asked for."""
        while not self._held:
            self._page.wait_for_timeout(20)
        self._held.pop(0).continue_()

    def no_more(self):
        """Hold nothing back any more."""
        self._holding = False
        while self._held:
            self.one()


def test_parts_are_carried_at_once_and_the_last_state_is_shown(carried_visit):
    visitor, shown = carried_visit
    page, previews = visitor.page, HeldBack(visitor.page)
    _, photo = shown()
    x, y = visitor.joint("left_wrist")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 60, steps=3)
    page.mouse.move(x + 60, y - 150, steps=3)
    page.wait_for_function(_CARRIED)
    _, picture = shown()
    visitor.shoot("carried")
    visitor.after(page.mouse.up)  # the exact picture waits for no preview
    previews.no_more()
    visitor.shoot("exact")
    carried, exact = shown()
    assert not carried
    # What was carried is already much of what the generator makes of it, where that is not only grain.
    changed = np.abs(exact - photo).max(-1) > 24
    assert changed.sum() > 100
    assert np.abs(exact - picture)[changed].mean() < 0.55 * np.abs(exact - photo)[changed].mean()

    # A preset is carried at once as well, and so is the next one, over what came of the first.
    for preset in (3, 5):
        visitor.after(lambda number=preset: page.locator("#pose [data-preset]").nth(number).click())
        assert not shown()[0]


def test_what_the_generator_paints_while_the_finger_moves_is_carried_on(carried_visit):
    visitor, shown = carried_visit
    page, previews = visitor.page, HeldBack(visitor.page)
    page.evaluate("""() => {
      window.freshened = 0;
      window.piseStudio.addEventListener("freshened", () => (window.freshened += 1));
    }""")
    x, y = visitor.joint("left_wrist")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y - 60)  # is asked for
    page.wait_for_function(_CARRIED)
    page.mouse.move(x + 50, y - 140)  # waits, because only one is under way
    page.wait_for_function("() => new Promise(requestAnimationFrame)")
    carried, parts = shown()
    assert carried
    previews.one()
    page.wait_for_function("window.freshened === 1")
    carried, fresh = shown()
    assert carried  # the generator's picture is of a place where the wrist is no more
    assert np.abs(fresh - parts).max() > 8  # but its parts are there now
    previews.one()
    page.wait_for_function(f"() => !({_CARRIED})()")  # this one is of the place where the wrist rests
    resting = shown()[1]
    assert np.abs(fresh - resting).mean() < np.abs(parts - resting).mean()
    page.mouse.up()
    previews.no_more()
    visitor.wait_for()


def test_a_slider_between_two_textures_is_followed_at_once(carried_visit):
    visitor, shown = carried_visit
    page = visitor.page
    page.get_by_role("tab", name="Textures").click()
    row = borrow_example(visitor, 0)
    visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    borrowed = shown()[1]
    previews = HeldBack(page)
    slider = row.locator(".mixes input")
    x, y, width, height = bounds(slider)
    page.mouse.move(x + width - 8, y + height / 2)
    page.mouse.down()
    page.mouse.move(x + 0.5 * width, y + height / 2, steps=4)
    share = int(slider.input_value()) / 100
    assert 0.4 < share < 0.6
    assert not shown()[0]  # nothing is known yet but the borrowed look
    previews.one()  # the other end
    page.wait_for_function(_CARRIED)
    half = shown()[1]
    page.mouse.move(x - 10, y + height / 2, steps=4)
    expect(slider).to_have_value("0")
    page.wait_for_function("() => new Promise(requestAnimationFrame)")
    carried, own = shown()
    assert carried
    differs = np.abs(borrowed - own) > 20
    assert differs.any()
    assert np.median((half - own)[differs] / (borrowed - own)[differs]) == pytest.approx(share, abs=0.06)
    visitor.after(page.mouse.up)
    previews.no_more()
    carried, exact = shown()
    assert not carried and np.abs(exact - own)[differs].mean() < 0.25 * np.abs(borrowed - own)[differs].mean()
