"""Every option: typed, its unit in the name. The only reader of the environment.

Options come from environment variables with the prefix ``DIALER_``, then from ``.env`` in the working
directory. An unknown ``DIALER_`` name is an error that names the nearest right one.
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DIALER_"
TEST_PREFIX = "DIALER_TEST_"


class SettingsError(ValueError):
    """An option that is unknown or cannot be obeyed; the message names it, never its value."""


class Settings(BaseSettings):
    """The options. Seconds end in ``_s``; 0 means no limit where a limit is meant."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(Path(".dialer"), description="Directory of the ledger, the embedded Redis and rejects.")
    redis_url: str = Field(
        "", repr=False, description="Redis or Valkey, e.g. redis://host:6379/0. Empty: an embedded one."
    )
    redis_server: str = Field("", description="Path of a redis-server or valkey-server binary to embed.")
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://user:password@host/name. Empty: SQLite in the home directory."
    )

    vaani_base_url: str = Field("https://api.vaani.ai", description="Address of the vaani API.")
    vaani_api_key: SecretStr = Field(SecretStr(""), description="Key for the X-API-Key header.")
    vaani_access_token: SecretStr = Field(SecretStr(""), description="Token for the access_token cookie, instead.")
    vaani_refresh_token: SecretStr = Field(SecretStr(""), description="Renews the access token when it runs out.")
    vaani_calls_per_second: float = Field(0.0, ge=0, description="The account's limit over all campaigns.")
    vaani_concurrent_calls: int = Field(0, ge=0, description="The account's lines over all campaigns.")

    vaanivoice_base_url: str = Field("https://api.vaanivoice.ai", description="Address of the vaanivoice API.")
    vaanivoice_api_key: SecretStr = Field(SecretStr(""), description="Key for the X-API-Key header.")
    vaanivoice_calls_per_second: float = Field(0.0, ge=0, description="The account's limit over all campaigns.")
    vaanivoice_concurrent_calls: int = Field(0, ge=0, description="The account's lines over all campaigns.")

    provider_timeout_s: float = Field(30.0, gt=0, description="Total time for one answer of a provider.")
    max_call_s: float = Field(
        3600.0, gt=0, description="The longest call, ringing included; a line without word is held so long."
    )
    unknown_horizon_s: float = Field(
        4200.0,
        gt=0,
        description="How long after a request its call may still turn up in the log; then absence is believed.",
    )
    reconcile_interval_s: float = Field(5.0, gt=0, description="Time between two readings of the call log.")
    redial_scale: float = Field(
        1.0,
        gt=0,
        description="Multiplies every redial delay (rehearsals, which limit a person only by name).",
    )
    retry_5xx: Literal["verified", "at_once"] = Field(
        "verified", description="verified: a 5xx is repeated only through the call log. at_once: repeated at once."
    )

    worker_max_calls: int = Field(1000, ge=1, description="Requests one worker process has on the wire at once.")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal.")

    source_names: str = Field(
        "", description="Variables that a [source] url may name besides SOURCE_...; separated by spaces or commas."
    )

    web_token: SecretStr = Field(SecretStr(""), description="Token for the web page and API beyond loopback.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Secret that signs the provider's webhooks.")

    @property
    def secrets(self) -> list[str]:
        """Every secret that is set, for the logs to leave out."""
        return [value.get_secret_value() for value in self.__dict__.values() if isinstance(value, SecretStr)]

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        given = self.database_url.get_secret_value()
        return given.replace("postgres://", "postgresql://", 1) if given else f"sqlite:///{self.home / 'ledger.db'}"


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """Read the options. Raises SettingsError for an unknown name or an unusable value."""
    _refuse_unknown([*os.environ, *(dotenv_values(env_file) if env_file.is_file() else {})])
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as invalid:
        problems = "; ".join(
            f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}" for error in invalid.errors(include_input=False)
        )
        raise SettingsError(problems) from None
    url = settings.ledger_url
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise SettingsError(f"{PREFIX}DATABASE_URL: must begin with postgresql:// or sqlite:///")
    return settings


def option_names() -> list[str]:
    """``DIALER_HOME`` and so on, in the order of the class."""
    return [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


def _refuse_unknown(names: Iterable[str]) -> None:
    known = option_names()
    for name in map(str.upper, names):  # pydantic-settings reads them in either case
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)
            raise SettingsError(f"there is no option {name}: did you mean {near[0]}? config/example.env lists all")
