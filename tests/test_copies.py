"""Networks and editors as values: copied, pickled, loaded and saved, without a trace elsewhere."""

import copy
import os
import pickle
import stat
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from pise_core import Editor
from pise_core.detection.analyzer import Analyzer
from pise_core.model.config import SHIPPED_CONFIG
from pise_core.model.network import PISE
from pise_core.model.weights import save_model
from tests.conftest import ROOT, moved


@pytest.mark.parametrize("load", [PISE.from_pretrained, Analyzer.from_pretrained, Editor.from_pretrained])
def test_loading_weights_leaves_the_random_numbers_alone(load):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load()
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda editor: pickle.loads(pickle.dumps(editor))])
def test_a_copied_editor_edits_alike_and_shares_nothing(editor, person, twin_of):
    twin = twin_of(editor)
    assert twin._lock is not editor._lock
    assert twin._lock is twin.analyzer.lock and editor._lock is editor.analyzer.lock
    edits = []
    for each in (editor, twin):
        known = each.set_person(person.photo, pose=person.pose, parsing=person.parsing)
        edits.append(known.render(pose=moved(person)).photo)
    assert np.array_equal(*edits)
    ours = {parameter.data_ptr() for parameter in editor.model.parameters()}
    assert not ours & {parameter.data_ptr() for parameter in twin.model.parameters()}


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_written_weights_may_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        save_model(tmp_path / "pise.safetensors", PISE(replace(SHIPPED_CONFIG, width=4, modulation=4)))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "pise.safetensors").stat().st_mode) == 0o644


WRITING = """
import sys
import torch
from pise_core.model.weights import write_tensors

notes = {name: 'a \u00e4 \u2713 "' + name for name in ("run", "config", "network", "step", "format")}
write_tensors(sys.argv[1], {"b": torch.arange(6.0).view(2, 3), "a": torch.ones(3)}, notes)
"""


def test_the_same_weights_are_the_same_bytes_in_every_process(tmp_path):
    """With notes of many names, and signs of other alphabets."""
    paths = [tmp_path / f"{name}.safetensors" for name in "abcd"]
    for path in paths:
        subprocess.run([sys.executable, "-c", WRITING, str(path)], cwd=ROOT, check=True)
    assert len({path.read_bytes() for path in paths}) == 1
    with safe_open(str(paths[0]), "pt") as file:
        assert file.metadata()["run"] == 'a \u00e4 \u2713 "run'
        assert torch.equal(file.get_tensor("b"), torch.arange(6.0).view(2, 3))
