"""One way through the studio in Firefox, which Playwright drives only in a build of its own: by WebDriver BiDi."""

import json
import shutil
import subprocess
import time

import pytest
from PIL import Image

from tests.conftest import ROOT

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


@pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox")
@pytest.mark.skipif(not (ROOT / "node_modules" / "puppeteer-core").is_dir(), reason="there is no puppeteer-core")
def test_a_photo_is_edited_and_downloaded_in_firefox(studio_address, tmp_path):
    """Open, example, drag a joint, paint, undo, download."""
    command = ["node", "tests/firefox/smoke.js", studio_address, str(FIREFOX), str(tmp_path)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stdout + made.stderr
    told = json.loads(made.stdout.splitlines()[-1])
    assert told["problems"] == []
    for _ in range(50):  # a file of that name is there from the first byte on
        try:
            with Image.open(told["file"]) as image:
                image.load()
                size = image.size
            break
        except OSError:
            time.sleep(0.2)
    else:
        pytest.fail("the downloaded picture can't be read")
    assert told["label"].endswith(f"{size[0]} × {size[1]}")
