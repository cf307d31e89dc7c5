"""Rules as data: files that a lawyer can read, part of the package."""

from importlib.resources import files


def calling_rules() -> str:
    """The text of ``calling_rules.toml``."""
    return files(__name__).joinpath("calling_rules.toml").read_text(encoding="utf-8")
