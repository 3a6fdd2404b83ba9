"""The page's own parts: pure-Python ``gr.HTML`` subclasses around plain JavaScript files."""
