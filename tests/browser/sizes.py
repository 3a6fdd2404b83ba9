"""The four sizes at which the page is looked at, the last two with fingers."""

import pytest
from test_desktop import DESKTOP
from test_phone import PHONE

LAPTOP = {"viewport": {"width": 1280, "height": 720}}
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
SIZES = [
    pytest.param(size, id=f"{size['viewport']['width']}x{size['viewport']['height']}")
    for size in (DESKTOP, LAPTOP, TABLET, PHONE)
]
