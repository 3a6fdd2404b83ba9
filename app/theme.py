"""How the page looks around its parts: system fonts, one accent, and the style sheet beside this file."""

from pathlib import Path

from gradio import themes

CSS = (Path(__file__).parent / "theme.css").read_text("utf-8")
_EARLY = (Path(__file__).parent / "web" / "early.js").read_text("utf-8")
#: Of the page's head: what holds before Gradio has drawn anything, or has read the style sheet.
HEAD = f'<style>body[data-studio="returning"] #welcome {{ display: none; }}</style><script>{_EARLY}</script>'


def theme() -> themes.Base:
    """Gradio's own parts in the colours of the style sheet."""
    font = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Consolas", "monospace")
    return themes.Base(font=font, font_mono=mono, radius_size="lg").set(
        button_primary_background_fill="var(--pise-accent)",
        button_primary_background_fill_hover="var(--pise-accent-ink)",
        button_primary_text_color="var(--pise-on-accent)",
        button_primary_background_fill_dark="var(--pise-accent)",
        button_primary_background_fill_hover_dark="var(--pise-accent-ink)",
        button_primary_text_color_dark="var(--pise-on-accent)",
        button_secondary_background_fill="var(--pise-panel)",
        button_secondary_background_fill_dark="var(--pise-panel)",
        button_secondary_background_fill_hover="var(--pise-hover)",
        button_secondary_background_fill_hover_dark="var(--pise-hover)",
        button_secondary_border_color="var(--pise-line)",
        button_secondary_border_color_dark="var(--pise-line)",
        button_secondary_text_color="var(--pise-ink)",
        button_secondary_text_color_dark="var(--pise-ink)",
        body_text_color="var(--pise-ink)",
        body_text_color_dark="var(--pise-ink)",
        body_text_color_subdued="var(--pise-quiet)",
        body_text_color_subdued_dark="var(--pise-quiet)",
    )
