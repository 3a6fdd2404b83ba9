"""The studio: the page around :mod:`pise_core`.

``app.demo`` is the page with the shipped weights, built on first use.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # Gradio takes seconds to import, and whoever wants one module of the studio need not wait for it.
    if name != "demo":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app.main import make_demo, parse_options

    return globals().setdefault("demo", make_demo(parse_options([])))
