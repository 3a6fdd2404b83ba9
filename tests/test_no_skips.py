"""A test that is left out is told as a failure where every test is to run, as in ``.ci/run``."""

import pytest

from tests.conftest import NO_SKIPS

pytest_plugins = "pytester"
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no such thing here")
def test_marked(): ...

def test_left():
    pytest.skip("nor that")

@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    raise AssertionError

def test_run(): ...
"""


@pytest.mark.parametrize("strict", (True, False))
def test_what_is_left_out_fails_where_nothing_may_be(pytester, monkeypatch, strict):
    pytester.makeconftest("from tests.conftest import pytest_runtest_makereport")
    pytester.makepyfile(TESTS)
    monkeypatch.delenv(NO_SKIPS, raising=False)
    if strict:
        monkeypatch.setenv(NO_SKIPS, "1")
    result = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:rerunfailures", "-rs")
    left_out = {"failed": 1, "errors": 1} if strict else {"skipped": 2}
    result.assert_outcomes(passed=1, xfailed=1, **left_out)
    if strict:
        result.stdout.fnmatch_lines(["*no such thing here*", "*nor that*"])
