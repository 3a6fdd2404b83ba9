#!/bin/bash
# gradio 6.31.0 (CPython 3.11), any Chromium, driven by playwright 1.65.2.
#
# Rules that are given to launch(css=...) reach the page twice, once as they were written and once with a prefix that
# holds them below the app's main part. Rules inside @media reach it with the prefix alone. So a rule about what lies
# outside that part, such as ".gradio-container > .main", works, and the same rule inside @media finds nothing, without a
# word: a page that was given room on phones has none. One would expect @media to change when a rule counts, not for what.
#
# Seen: "as written: 55px; inside @media all: 16px, not 77px".
# Exits with 0 while the rule inside @media finds nothing, with 1 when that has changed, and with 2 where it can't be run.
set -euo pipefail
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "a Chromium is needed" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check -q gradio==6.31.0 playwright==1.65.2 2>"$work/log" ||
    { cat "$work/log" >&2; exit 2; }
cat > "$work/page.py" <<'PYTHON'
import sys

import gradio as gr
from playwright.sync_api import sync_playwright

css = """
.gradio-container > .main { padding-top: 55px }
@media all { .gradio-container > .main { padding-bottom: 77px } }
"""
with gr.Blocks() as page:
    gr.Markdown("Something to see.")
_, address, _ = page.launch(css=css, prevent_thread_lock=True, quiet=True)
with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox"])
    tab = chromium.new_page()
    tab.goto(address)
    tab.wait_for_function(
        "() => { const main = document.querySelector('.gradio-container > .main');"
        " return main && getComputedStyle(main).paddingTop === '55px'; }"
    )
    tab.wait_for_timeout(2000)
    top, bottom = tab.evaluate(
        "() => { const style = getComputedStyle(document.querySelector('.gradio-container > .main'));"
        " return [style.paddingTop, style.paddingBottom]; }"
    )
    chromium.close()
page.close()
print(f"as written: {top}; inside @media all: {bottom}, not 77px" if bottom != "77px" else "both count")
sys.exit(bottom == "77px")
PYTHON
GRADIO_ANALYTICS_ENABLED=False "$work/venv/bin/python" "$work/page.py" "$browser"
