"""All places are taken: the page is told, asks again by itself, and goes on where it was as soon as there is one."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from app.handlers import Handlers
from app.state import uploads
from app.state.places import Places
from app.state.queueing import Line
from app.state.registry import Sessions
from app.view.updates import status
from pise_core.errors import InputError
from tests.conftest import run, sent


class House:
    """A server with one place, in which opening is only to look at the file."""

    def __init__(self, studio):
        self.sessions = Sessions(Places(1))
        parts = {name: name for name in ("bar", "pose", "regions", "textures", "background")}
        self.handlers = Handlers(studio, self.sessions, Line(), parts)
        self.studio = studio
        self.opened = []

        def open_upload(session, path):
            with uploads.read_once(path):
                if path.read_bytes() == b"damaged":
                    raise InputError("damaged")
                session.photo = np.zeros((4, 4, 3), np.uint8)
                self.opened.append(path.name)
                yield status("ok", "opened", session)

        self.open_upload = open_upload

    def ask(self, page, action, *inputs):
        """What the page's bar was told last."""
        request = SimpleNamespace(session_hash=page, headers={"x-pise-visitor": page})
        return [update["bar"] for update in self.handlers.of(action, in_line=False)(request, *inputs)][-1]

    def open(self, page, data=b"photo"):
        path = sent(data, f"{page}.png")
        return path, self.ask(page, self.open_upload, path)

    def knock(self, page):
        return self.ask(page, self.handlers.knock)


@pytest.fixture
def house(studio):
    made = House(studio)
    yield made
    made.sessions.close()


def test_who_waits_is_told_and_let_in_without_sending_anything_again(house):
    assert house.open("first")[1]["status"]["text"] == "opened"
    paths = []
    for ahead, page in enumerate(("second", "third")):
        path, told = house.open(page)
        paths.append(path)
        assert told["status"]["kind"] == "busy" and told["status"]["stop"]
        assert "This page goes on by itself" in told["status"]["text"] and "Come again" not in told["status"]["text"]
        assert told["door"]["seconds"] == 4 + ahead and path.exists()
    assert "1 other waits before you" in house.knock("third")["status"]["text"]
    house.sessions.forget(house.sessions.of("first"))
    assert "1 other waits before you" in house.knock("third")["status"]["text"]  # first come, first served
    assert house.knock("second")["status"]["text"] == "opened"
    assert house.opened == ["first.png", "second.png"] and not paths[0].exists() and paths[1].exists()
    house.sessions.forget(house.sessions.of("second"))
    assert house.knock("third")["status"]["text"] == "opened" and not paths[1].exists()
    assert house.knock("third").get("status") is None  # nothing waits any more


def test_who_has_had_enough_waits_no_longer_and_the_file_goes(house):
    house.open("first")
    path, _ = house.open("second")
    run(house.studio.stop(house.sessions.of("second"), {}))
    assert "Stopped" in house.knock("second")["status"]["text"]
    assert not path.exists() and house.knock("second").get("status") is None


def test_another_photo_takes_the_place_in_line_of_the_first(house):
    house.open("first")
    older, _ = house.open("second")
    newer, _ = house.open("second", b"another")
    assert not older.exists() and newer.exists() and house.sessions.places.waiting == 1


def test_a_page_that_is_loaded_anew_at_the_door_waits_on(house):
    house.open("first")
    path, _ = house.open("second")
    told = house.ask("second", house.studio.start, {"session": house.sessions.of("second").token})
    assert told["door"]["seconds"] == 4 and path.exists()


def test_a_file_that_is_refused_with_no_place_or_with_one_goes(house):
    path, told = house.open("first", b"damaged")
    assert told["status"]["text"] == "Damaged"
    assert not path.exists() and len(house.sessions.places) == 0


def test_a_file_that_waits_is_not_swept(house):
    house.open("first")
    waits, _ = house.open("second")
    forgotten = sent(b"sent for nothing")
    for path in (waits, forgotten):
        os.utime(path.parent, (0, 0))
    house.knock("second")
    uploads.sweep()
    assert waits.exists() and not forgotten.exists()
