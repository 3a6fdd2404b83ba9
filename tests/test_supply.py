"""What is said of the packages that the studio needs: honestly, also where nothing could be looked up."""

import pytest

from reliability import supply
from reliability.studio import ROOT


def _one(name, **more):
    return {"name": name, "version": "1.0", **more}


@pytest.mark.parametrize("report", (None, {}, {"dependencies": [_one("torch", skip_reason="not found")]}))
def test_without_data_nothing_is_called_safe(report):
    verdict = supply.audited(report)
    assert verdict.status == 2 and "NO DATA" in verdict.text and "no package could be looked up" in verdict.text


def test_what_was_looked_up_and_what_was_not_is_told():
    clean = supply.audited({"dependencies": [_one("a", vulns=[])]})
    assert clean == (0, "audit: 1 of 1 packages looked up, 0 vulnerabilities")
    partly = supply.audited({"dependencies": [_one("a", vulns=[]), _one("b", skip_reason="not found")]})
    assert partly.status == 2 and "1 of 2" in partly.text and "not looked up: b" in partly.text
    found = [{"id": "PYSEC-1", "fix_versions": ["1.1"]}, {"id": "PYSEC-2", "fix_versions": []}]
    known = supply.audited({"dependencies": [_one("a", vulns=found), _one("b", skip_reason="not found")]})
    assert known.status == 1 and "2 vulnerabilities" in known.text
    assert "a 1.0: PYSEC-1, mended in 1.1" in known.text and "PYSEC-2, mended in no version" in known.text


def test_licences_that_are_not_free_or_not_known_are_named():
    rows = [
        {"Name": "a", "Version": "1", "License": "MIT"},
        {"Name": "b", "Version": "2", "License": "GNU General Public License v3 (GPLv3)"},
        {"Name": "c", "Version": "3", "License": "UNKNOWN"},
        {"Name": "nvidia-x", "Version": "4", "License": "NVIDIA Proprietary Software"},
    ]
    verdict = supply.licensed(rows, ["libx264-1.so", "libopus.so"])
    assert verdict.status == 1 and "2 to be looked at" in verdict.text
    assert "b 2: GNU" in verdict.text and "c 3: UNKNOWN" in verdict.text and "nvidia-x" not in verdict.text
    assert "carries libx264 (GPL)" in verdict.text and "VIDEO=0" in verdict.text
    assert supply.licensed(rows[:1], ["libopus.so"]) == (0, "licences: 1 packages, 0 to be looked at")


def test_what_the_studio_needs_is_followed_to_the_end():
    names = supply.closure(supply.requirements(ROOT / "requirements.txt"))
    assert {"torch", "gradio", "starlette", "av", "numpy"} <= set(names) and names == sorted(set(names))
    assert not {"pytest", "ruff", "ray", "playwright"} & set(names)  # what development needs
