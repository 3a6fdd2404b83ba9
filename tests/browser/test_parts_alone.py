"""What the parts of the page do by themselves, whoever answers."""

import numpy as np
import pytest
from alone import Alone
from playwright.sync_api import expect
from pointing import bounds, centre, drag

from pise_core.document.paint import pack
from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import REGIONS

_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_POSE = default_skeleton((80, 40, 240, 460))
_REFERENCES = [
    {"id": f"r{n}", "name": f"friend {n}", "image": _PIXEL, "present": REGIONS[1:], "regions": {}} for n in (1, 2)
]


def _photo(number):
    return {"url": _PIXEL, "width": 320, "height": 480, "document": number}


def _pose(seq=None):
    rows = to_rows(_POSE)
    return {"seq": seq, "rows": rows, "own": rows, "placing": False, "doubtful": False}


def _map(number):
    base = np.zeros((480, 320), np.uint8)
    return {"document": number, "version": number, "width": 320, "height": 480, "base": pack(base), "paint": None}


@pytest.fixture
def mount(chromium):
    parts: list[Alone] = []

    def mounted(part, **props):
        parts.append(Alone(chromium, part, **props))
        return parts[-1]

    yield mounted
    for part in parts:
        part.close()


def test_a_selection_is_let_go_of_with_its_photo_alone(mount):
    editor = mount("pose/editor.js", photo=_photo(7), pose=_pose(), people=None, layers=None, session="s")
    page = editor.page
    page.locator("#stage").press("a")
    selected = page.locator("#joints .selected")
    expect(selected).to_have_count(18)
    editor.tell(photo=_photo(7), pose=_pose(3))  # an undo
    expect(selected).to_have_count(18)
    editor.tell(photo=_photo(8), pose=_pose(4))
    expect(selected).to_have_count(0)
    expect(page.locator("#joint")).to_have_value("-1")


def test_an_elbow_keeps_its_side_while_the_hand_goes_past_the_shoulder(mount):
    editor = mount("pose/editor.js", photo=_photo(7), pose=_pose(), people=None, layers=None, session="s")
    page = editor.page
    (sx, sy), (wx, wy) = (centre(page.locator(f'[data-joint="left_{name}"]')) for name in ("shoulder", "wrist"))
    reach = wy - sy
    page.mouse.move(wx, wy)
    page.mouse.down()
    elbows = []
    for x, y in ((0.6, 0.3), (0.4, -0.3), (0.1, -0.4), (-0.1, -0.4)):
        page.mouse.move(sx + x * reach, sy + y * reach, steps=10)
        elbows.append(centre(page.locator('[data-joint="left_elbow"]')))
    page.mouse.up()
    # Above the shoulder the hand went on by a fifth of the arm, and so did the elbow about.
    assert np.hypot(*np.subtract(elbows[-1], elbows[-2])) < 0.3 * reach


def test_a_second_reference_takes_nothing_from_a_mix_unsaid(mount):
    panel = mount(
        "textures/panel.js",
        references=_REFERENCES,
        styles={"seq": 0, "styles": {"pants": {"r1": 0.5}}, "recolour": {}, "wear": {}, "present": REGIONS[1:]},
        session="s",
    )
    row = panel.page.locator('#rows [data-region="pants"]')
    own = row.locator("[data-own]")
    expect(own).to_have_count(0)  # the slider goes from own to borrowed
    row.locator('[data-reference="r2"]').click(modifiers=["Shift"])
    assert own.inner_text().split() == ["Own", "33%"]
    assert row.locator(".mixes output").all_inner_texts() == ["33%"] * 3
    expect(row.locator('[data-reference=""]')).to_have_attribute("aria-pressed", "true")
    mix = panel.asked()[-1]["styles"]["pants"]
    assert mix == {"r1": pytest.approx(1 / 3, abs=1e-3), "r2": pytest.approx(1 / 3)}
    row.locator('[data-mix="r2"]').fill("80")
    assert own.inner_text().split() == ["Own", "0%"]
    shares = panel.page.evaluate("part.props.value.styles.pants")
    row.locator('[data-reference="r2"]').click(modifiers=["Shift"])  # its share goes back to the own look
    assert panel.page.evaluate("part.props.value.styles.pants") == {"r1": shares["r1"]} != {"r1": 1}
    row.locator('[data-reference="r2"]').click()
    assert panel.page.evaluate("part.props.value.styles.pants") == {"r2": 1}


def test_a_garment_is_worn_instead_of_its_texture_and_back(mount):
    panel = mount(
        "textures/panel.js",
        references=_REFERENCES,
        styles={"seq": 0, "styles": {}, "recolour": {}, "wear": {}, "present": ["hair", "upper_clothes", "pants"]},
        session="s",
    )
    rows = panel.page.locator("#rows")
    top, dress, hair = (rows.locator(f'[data-region="{name}"]') for name in ("upper_clothes", "dress", "hair"))

    def asked():
        return panel.page.evaluate("[part.props.value.styles, part.props.value.wear]")

    expect(hair.locator("[data-way]")).to_have_count(0)
    top.locator('[data-reference="r1"]').click()
    assert asked() == [{"upper_clothes": {"r1": 1}}, {}]
    top.locator('[data-way="wear"]').click()
    assert asked() == [{}, {"upper_clothes": "r1"}]
    expect(top.locator(".mixes input")).to_have_count(0)
    expect(top.locator('[data-reference="r1"]')).to_have_attribute("aria-pressed", "true")
    top.locator('[data-reference="r2"]').click()
    assert asked() == [{}, {"upper_clothes": "r2"}]
    # There is no dress for a texture to lie on: it is worn.
    dress.locator('[data-reference="r1"]').click()
    assert asked() == [{}, {"upper_clothes": "r2", "dress": "r1"}]
    dress.locator('[data-reference=""]').click()
    top.locator('[data-way="texture"]').click()
    assert asked() == [{"upper_clothes": {"r2": 1}}, {}]


def test_a_worn_garment_that_the_photo_lacks_is_recoloured(mount):
    present = ["hair", "upper_clothes", "pants"]
    panel = mount(
        "textures/panel.js",
        references=_REFERENCES,
        styles={"seq": 0, "styles": {}, "recolour": {}, "wear": {}, "present": present},
        session="s",
    )
    dress = panel.page.locator('#rows [data-region="dress"]')
    colour = dress.locator("[data-recolour]")

    def seen():
        absent = dress.evaluate("row => row.classList.contains('absent')")
        return dress.locator("small").text_content(), absent, colour.is_enabled()

    assert seen() == ("not in the photo", True, False)
    dress.locator('[data-reference="r1"]').click()
    assert seen() == ("", False, True)
    colour.click()
    dress.locator("[data-recolour-colour]").fill("#dc143c")
    assert panel.page.evaluate("part.props.value.recolour") == {"dress": {"colour": "#dc143c"}}
    dress.locator('[data-reference=""]').click()
    assert seen() == ("not in the photo", True, False)
    worn = {"seq": None, "styles": {}, "recolour": {}, "wear": {"dress": "r2"}, "present": present}
    panel.tell(styles=worn)  # by the server, as after an undo
    assert seen() == ("", False, True)


def test_one_look_is_chosen_instead_of_another(mount):
    panel = mount(
        "textures/panel.js",
        references=_REFERENCES,
        styles={"seq": 0, "styles": {}, "recolour": {}, "wear": {}, "present": REGIONS[1:]},
        session="s",
    )
    for key in ("r1", "r2"):
        panel.page.locator(f'#rows [data-region="pants"] [data-reference="{key}"]').click()
        assert panel.page.evaluate("part.props.value.styles") == {"pants": {key: 1}}


def test_paint_is_meant_for_the_photo_that_was_painted_on(mount):
    painter = mount("regions/painter.js", photo=_photo(7), map=_map(7), session="s")
    page = painter.page
    page.evaluate("window.piseStudio.document = 8")  # the picture of the next photo has come before its map
    page.wait_for_function("document.querySelector('#part').shadowRoot.querySelector('#map').width === 320")
    x, y, width, height = bounds(page.locator("#world"))
    drag(page, (x + width / 2, y + height / 2), (x + width / 2, y + 0.6 * height))
    page.wait_for_function("part.asked.length > 0")
    assert {request["document"] for request in painter.asked()} == {7}
    page.wait_for_function("part.props.value?.document === 7")  # the edit


def test_what_was_said_before_the_newest_edit_takes_no_undo_away(mount):
    def history(edit, undo, document=7):
        return {"document": document, "edit": edit, "undo": undo, "redo": False, "start_over": undo, "save": True}

    bar = mount("bar/bar.js", history=history(2, False), weights=None, session="s", file=None, status=None)
    undo = bar.page.locator('[data-do="undo"]')
    bar.page.evaluate("Object.assign(window.piseStudio, { document: 7, seq: 3, edit: 3 })")
    bar.page.evaluate("window.piseStudio.dispatchEvent(new CustomEvent('step'))")
    bar.tell(history=history(2, False))  # late
    expect(undo).to_be_enabled()
    bar.tell(history=history(3, True))
    bar.tell(history=history(2, False))  # later still
    expect(undo).to_be_enabled()
    bar.tell(history=history(4, False))
    expect(undo).to_be_disabled()
    bar.page.evaluate("Object.assign(window.piseStudio, { seq: 9, edit: 9 })")  # an edit that is lost on its way
    bar.tell(history=history(5, True, document=8))  # of the next photo
    expect(undo).to_be_enabled()


def test_a_motion_whose_answer_was_overtaken_by_an_older_one_is_asked_for_again(mount):
    def motion(seq, keys, poses):
        return {"seq": seq, "keys": keys, "poses": poses, "seconds": 1, "loop": True, "steps": 12}

    rows = [[40 + 3 * n, 60 + 5 * n] for n in range(18)]
    panel = mount("motion/panel.js", motion=motion(None, [], []), progress=False)
    page = panel.page
    page.evaluate("rows => { window.piseStudio.pose = () => rows; }", rows)
    for _ in range(2):
        page.locator('[data-do="add"]').click()
    first, second = (told["value"] for told in page.evaluate("part.told"))
    panel.tell(motion=motion(first["seq"], [rows], []))  # in the place of the newer one
    page.wait_for_function("part.told.length === 3")
    again = page.evaluate("part.told[2].value")
    assert again["motion"] == second["motion"] and again["after"] == second["seq"]
    panel.tell(motion=motion(again["seq"], [rows, rows], [rows] * 24))
    expect(page.locator('[data-save="gif"]')).to_be_enabled()
    expect(page.locator("#keys li")).to_have_count(2)
    panel.tell(motion=motion(second["seq"], [rows], []))  # late
    expect(page.locator('[data-save="gif"]')).to_be_enabled()
    expect(page.locator("#keys li")).to_have_count(2)
