"""What would go up to a Space, without a network."""

import argparse
import hashlib

import pytest
from huggingface_hub import HfApi

from reliability import space


def test_operations_have_every_file_of_the_studio_with_its_checksum(tmp_path):
    large = bytes(space.PLAIN + 1)
    for name, data in (("app.py", b"run"), ("weights/a.safetensors", large), ("tests/test_a.py", b"")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    made = space.operations(tmp_path, ["app.py", "weights/a.safetensors", "tests/test_a.py"])
    assert [one.path_in_repo for one in made] == ["app.py", "weights/a.safetensors"]
    assert made[1].upload_info.size > space.PLAIN
    assert made[1].upload_info.sha256 == hashlib.sha256(large).digest()


def test_a_dry_run_sends_nothing_and_an_upload_is_one_commit(monkeypatch, capsys):
    sent = []

    def commit(self, *where, **more):
        sent.append((where, more))
        return argparse.Namespace(commit_url="https://hub/commit")

    monkeypatch.setattr(HfApi, "create_commit", commit)
    assert space.run(argparse.Namespace(to=None)) == 0 and not sent
    said = capsys.readouterr().out
    assert "above 10 MiB" in said
    assert space.run(argparse.Namespace(to="user/space")) == 0
    ((name, adds), more) = sent[0]
    assert name == "user/space" and more["repo_type"] == "space"
    assert {"app.py", "README.md", "requirements.txt", "weights/pise.safetensors"} <= {one.path_in_repo for one in adds}


@pytest.mark.parametrize("folder", space.LEFT_OUT)
def test_what_a_space_does_not_run_is_left_out(folder, tmp_path):
    assert space.operations(tmp_path, [f"{folder}file"]) == []
