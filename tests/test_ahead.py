"""Batches are made ahead of their step, and are what they would be without that."""

import threading

import numpy as np
import pytest
import torch

from pise_core.model.config import SHIPPED_CONFIG
from pise_core.training.data.sources import open_source
from pise_core.training.prefetch import Ahead
from tests.training_data import write_samples


def test_what_is_foreseen_is_drawn_before_it_is_asked_for():
    drawn, done = [], threading.Event()

    def draw(step: int, small: bool) -> tuple[int, bool]:
        drawn.append((step, small, threading.current_thread() is threading.main_thread()))
        done.set()
        return step, small

    with Ahead(draw) as ahead:
        assert ahead.take(0, True) == (0, True)
        done.clear()
        ahead.foresee(1, True)
        assert done.wait(10)
        assert ahead.take(1, True) == (1, True)
        assert drawn == [(0, True, False), (1, True, False)]
        # A wrong guess is dropped.
        ahead.foresee(2, True)
        assert ahead.take(2, False) == (2, False)
        assert ahead.take(3, False) == (3, False)
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_an_error_in_drawing_comes_where_the_batch_is_asked_for():
    def draw(step: int) -> float:
        return 1 / step

    with Ahead(draw) as ahead:
        ahead.foresee(0)
        with pytest.raises(ZeroDivisionError):
            ahead.take(0)
        assert ahead.take(2) == 0.5


def test_drawing_leaves_torch_s_random_numbers_alone(tmp_path):
    source = open_source(write_samples(tmp_path), SHIPPED_CONFIG)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for seed in range(3):
        source.batch(np.random.default_rng(seed), 2, (64, 48), True)
    assert torch.equal(torch.get_rng_state(), before)
