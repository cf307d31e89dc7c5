"""The ground: reads the environment, and knows none of the other packages."""

from config.settings import Settings, SettingsError, load_settings

__all__ = ["Settings", "SettingsError", "load_settings"]
