"""How quick everything is: ``python -m benchmarks``. A tool for developers beside the library, never imported by it."""
