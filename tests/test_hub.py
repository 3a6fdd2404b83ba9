"""Optional weights from the hub: the parser on a small network made here, and life without a network."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

from pise_core.detection.hub import _checked, fetch
from pise_core.detection.segformer import SegformerParser
from pise_core.errors import InputError
from pise_core.label_sets import LABEL_NAMES, LABEL_SETS
from pise_core.regions import REGION


def small_segformer(folder, names=LABEL_NAMES["atr"]):
    torch.manual_seed(3)
    config = SegformerConfig(
        id2label=dict(enumerate(names)),
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 4],
        decoder_hidden_size=32,
    )
    network = SegformerForSemanticSegmentation(config).eval()
    with torch.no_grad():
        network.decode_head.classifier.weight.normal_(0, 1)
    network.save_pretrained(folder)
    return network


@pytest.fixture(scope="module")
def segformer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segformer")
    return folder, small_segformer(folder)


@pytest.fixture(scope="module")
def photo():
    random = np.random.default_rng(4)
    coarse = random.integers(0, 256, (12, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((50, 50, 1), np.uint8))


def test_the_parser_agrees_with_the_networks_own_pipeline(segformer, photo):
    folder, network = segformer
    parsing = SegformerParser(folder, device="cpu").parse(photo)
    assert parsing.shape == photo.shape[:2] and parsing.dtype == np.uint8
    processor = SegformerImageProcessor(size={"height": 512, "width": 512})
    with torch.no_grad():
        outputs = network(**processor(images=photo, return_tensors="pt"))
    labels = processor.post_process_semantic_segmentation(outputs, target_sizes=[photo.shape[:2]])[0].numpy()
    assert len(np.unique(labels)) > 3  # else the comparison would say nothing
    assert (parsing == LABEL_SETS["atr"][labels]).mean() > 0.98
    assert (SegformerParser(folder, device="cpu").labels(photo) == labels).mean() > 0.98


def test_a_photo_of_any_shape_comes_back_at_its_own_size(segformer):
    parser = SegformerParser(segformer[0], device="cpu")
    for size in ((16, 16), (37, 411), (1200, 300)):
        assert parser.parse(np.full((*size, 3), 120, np.uint8)).shape == size


def test_classes_are_known_by_their_names_and_not_by_their_number(tmp_path, segformer, photo):
    folder, _ = segformer
    labels = SegformerParser(folder, device="cpu").labels(photo)
    assert SegformerParser(folder, device="cpu").label_set == "atr"
    # FASHN's parser has 18 labels, too, and the same weights mean others of them.
    small_segformer(tmp_path / "fashn", LABEL_NAMES["fashn"])
    fashn = SegformerParser(tmp_path / "fashn", device="cpu")
    assert fashn.label_set == "fashn" and np.array_equal(fashn.parse(photo), LABEL_SETS["fashn"][labels])
    # ATR's in another order and spelling.
    small_segformer(tmp_path / "turned", [name.replace("-", "_").upper() for name in reversed(LABEL_NAMES["atr"])])
    turned = SegformerParser(tmp_path / "turned", device="cpu")
    assert turned.label_set is None and np.array_equal(turned.parse(photo), LABEL_SETS["atr"][17 - labels])
    assert (turned.parse(photo) == REGION["leg"]).any()


def test_folders_that_hold_no_such_parser_are_refused(tmp_path, photo):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    (tmp_path / "no_weights").mkdir()
    small_segformer(tmp_path / "no_weights")
    (tmp_path / "no_weights" / "model.safetensors").write_bytes(b"none")
    small_segformer(tmp_path / "other_classes", [f"LABEL_{n}" for n in range(18)])
    for name in ("missing", "damaged", "no_weights", "other_classes"):
        with pytest.raises(InputError, match=name):
            SegformerParser(tmp_path / name).parse(photo)


def test_a_file_with_another_hash_is_refused(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    assert _checked(path, hashlib.sha256(b"weights").hexdigest()) == path
    with pytest.raises(InputError, match="delete it"):
        _checked(path, "0" * 64)


class SmallHub(BaseHTTPRequestHandler):
    """A hub with one file of 20,000 bytes, in whatever repository it is looked for."""

    content = bytes(range(200)) * 100

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("ETag", '"' + hashlib.sha256(self.content).hexdigest() + '"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(self.content)

    def log_message(self, *args):
        pass


def test_whoever_waits_for_a_file_is_told_how_much_of_it_is_there(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), SmallHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 5000)
    told = []
    path = fetch("somebody/weights", "weights.bin", hashlib.sha256(SmallHub.content).hexdigest(), told.append)
    assert path.read_bytes() == SmallHub.content
    assert told == [0.25, 0.5, 0.75, 1.0]
    server.shutdown()
    server.server_close()
    assert fetch("somebody/weights", "weights.bin", told=told.append) == path  # it is here now, and nobody is asked
    assert len(told) == 4


@pytest.mark.parametrize("offline", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}])
def test_without_a_network_the_message_comes_at_once(tmp_path, offline):
    code = """
import sys, time
import numpy as np
from pise_core.detection.segformer import SegformerParser
from pise_core.detection.openpose import OpenPoseDetector
from pise_core.errors import HubUnreachable
photo = np.zeros((64, 64, 3), np.uint8)
OpenPoseDetector
for ask in (OpenPoseDetector().detect, SegformerParser().parse):
    start = time.time()
    try:
        ask(photo)
    except HubUnreachable as error:
        print(error)
    else:
        sys.exit("no error")
"""
    environment = {**os.environ, "HF_HOME": str(tmp_path), **offline}
    start = time.time()
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert "body_pose_model.pth" in lines[0] and "config.json" in lines[1]
    assert all("shipped analyzer" in line for line in lines)
    assert time.time() - start < 60
