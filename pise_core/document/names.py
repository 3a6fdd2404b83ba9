"""Names that users give, made harmless."""


def harmless(name: str) -> str:
    """Letters, digits, hyphens and underscores alone, at most 60: what may be part of the name of a file."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return kept[:60].strip("-") or "photo"
