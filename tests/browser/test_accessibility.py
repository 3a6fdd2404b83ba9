"""No serious violation of accessibility rules, as far as axe-core can tell: light, dark, large, small, every mode."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from test_desktop import DESKTOP, borrow_example, open_example
from test_phone import PHONE

_AXE = "axe-core@4.10.3"
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((n) => n.target.flat().join(" ")).join(" | ")}`);
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, fetched once through npm."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pise-studio-tests"
    script = cache / f"{_AXE}.js"
    if not script.exists():
        # It comes with pyright; PATH may know another one.
        npm = shutil.which("npm", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
        assert npm is not None, "npm is not installed; pip install -r requirements-dev.txt brings it"
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", _AXE, "--silent", "--pack-destination", str(cache)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm could not fetch axe-core: {error}")
        packed = cache / done.stdout.strip()
        with tarfile.open(packed) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            script.write_bytes(member.read())
        packed.unlink()
    return script.read_text("utf-8")


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)])
def test_no_serious_violation(visit, axe, scheme, size):
    visitor = visit(f"accessibility-{scheme}-{size['viewport']['width']}", color_scheme=scheme, **size)
    page = visitor.page
    page.locator("#welcome #examples img").last.wait_for()
    page.add_script_tag(content=axe)
    found = {"welcome": page.evaluate(_RUN)}
    open_example(visitor, 2)
    page.locator("#result #frame").wait_for(state="visible")
    found["pose"] = page.evaluate(_RUN)
    visitor.shoot("pose")
    swap = "([frame, line]) => { [frame.hidden, line.hidden] = [line.hidden, frame.hidden]; }"
    parts = [page.locator(f"#result {part}").element_handle() for part in ("#frame", "#empty")]
    page.evaluate(swap, parts)  # as before the first picture has come
    found["no picture yet"] = page.evaluate(_RUN)
    page.evaluate(swap, parts)
    page.locator('#pose [data-do="correct"]').click()
    found["correcting"] = page.evaluate(_RUN)
    page.locator('#pose [data-do="cancel"]').click()
    page.get_by_role("tab", name="Regions").click()
    found["regions"] = page.evaluate(_RUN)
    page.get_by_role("tab", name="Textures").click()
    visitor.after(lambda: borrow_example(visitor, 0).locator('[data-reference="r1"]').click())
    found["textures"] = page.evaluate(_RUN)
    visitor.shoot("textures")
    page.get_by_role("tab", name="Motion").click()
    page.locator('#motion [data-do="add"]').click()
    page.locator("#motion #keys li").first.wait_for()
    found["motion"] = page.evaluate(_RUN)
    assert {mode: violations for mode, violations in found.items() if violations} == {}
