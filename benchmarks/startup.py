"""From ``python app.py`` to the first answer."""

from pathlib import Path

from benchmarks.server import served


def measure(root: Path, settings: dict) -> dict[str, dict]:
    """Processor time until the page is answered, and the memory held then."""
    with served(root) as server:
        return {
            "start to first answer": {"seconds": server.processor_seconds()},
            "memory after the start": {"megabytes": server.megabytes()},
        }
