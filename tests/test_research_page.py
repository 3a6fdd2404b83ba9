"""The page for researchers: its code runs, and its table of models is true."""

import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pise_core.model.config import PAPER_CONFIG, RELEASE_CONFIG, RELEASE_EDITING_CONFIG, SHIPPED_CONFIG
from pise_core.model.network import PISE, Carry
from tests.conftest import ROOT

PAGE = (ROOT / "docs/research.md").read_text(encoding="utf-8")


def test_the_code_on_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/research.md", "exec"), {})


@pytest.mark.parametrize(
    ("name", "config", "size"),
    [
        ("SHIPPED_CONFIG", SHIPPED_CONFIG, (256, 176)),
        ("PAPER_CONFIG", PAPER_CONFIG, (256, 256)),
        ("RELEASE_CONFIG", RELEASE_CONFIG, (256, 256)),
        ("RELEASE_EDITING_CONFIG", RELEASE_EDITING_CONFIG, (256, 256)),
    ],
)
def test_the_table_of_models_is_true(name, config, size):
    (row,) = re.findall(rf"\| `{name}`, (.*) \|", PAGE)
    shape, width, parameters, work, *_ = (cell.strip() for cell in row.split("|"))
    assert (shape, width) == (f"{size[0]}x{size[1]}", str(config.width))
    model = PISE(config).to("meta").eval()
    parts = (model.parsing_generator, model.image_generator)
    counts = [sum(p.numel() for p in part.parameters()) / 1e6 if part else 0.0 for part in parts]
    assert numbers(parameters) == pytest.approx(counts, rel=0.01)

    image, parsing, pose = (torch.empty(1, c, *size, device="meta") for c in (3, 8, 18))
    carry = Carry(image, image[:, :1], parsing) if config.detail_path else None
    counted = []
    with torch.no_grad():
        source = model.encode(image, parsing)
        steps = [
            lambda: model.encode(image, parsing),
            (lambda: model.generate_parsing(parsing, pose, pose)) if config.parsing_generator else None,
            lambda: model(image, parsing, pose, pose, parsing, carry=carry, source=source),
        ]
        for step in steps:
            with FlopCounterMode(display=False) as counter:
                if step:
                    step()
            counted.append(counter.get_total_flops() / 2e9)
    assert numbers(work) == pytest.approx(counted, rel=0.01)


def numbers(cell: str) -> list[float]:
    return [0.0 if word == "none" else float(word.split()[0]) for word in cell.split(", ")]
