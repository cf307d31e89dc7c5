"""Every option: typed, its unit in the name. The only reader of the environment.

Options come from environment variables with the prefix ``DIALER_``, then from ``.env`` in the working
directory. An unknown ``DIALER_`` name is an error that names the nearest right one.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.addresses import AddressError, check_base_url, check_postgresql, check_redis, password_of
from config.env_file import PREFIX, SettingsError, read_env_file

__all__ = ["Settings", "SettingsError", "load_settings", "option_names"]

TEST_PREFIX = "DIALER_TEST_"
YEAR_S = 366 * 86400.0
SMALLEST_RATE, LARGEST_RATE = 0.00001, 100_000.0
"""Calls per second: far above what a process can send, and still a number that the pacer can count in microseconds."""
LARGEST_COUNT = 1_000_000

PROVIDER_NAME = re.compile(r"[a-z][a-z0-9_]*")

SERVICE_NAME = re.compile(
    r"DIALER_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
"""What Kubernetes and Docker links put into every container beside a service whose name begins with ``dialer``."""
SERVICE_VALUE = re.compile(r"(?:tcp|udp|sctp)://\S+")


def _checked(check: Callable[[str], None]) -> AfterValidator:
    """An address that may be empty, and else passes ``check``."""

    def passed(url: str) -> str:
        if url:
            check(url)
        return url

    return AfterValidator(passed)


def _expanded(home: Path) -> Path:
    try:
        return home.expanduser()
    except RuntimeError:
        raise AddressError("begins with ~, and there is no such user's home directory") from None


def _unless_injected(port: object) -> object:
    """A cluster puts ``DIALER_METRICS_PORT=tcp://...`` beside a service ``dialer-metrics``: that sets no port."""
    return 0 if isinstance(port, str) and SERVICE_VALUE.fullmatch(port) else port


def parts_of(secrets: SecretStr) -> tuple[str, ...]:
    """Secrets that stand side by side, without the spaces around them."""
    return tuple(part.strip() for part in secrets.get_secret_value().split(",") if part.strip())


def _one_or_two(secrets: SecretStr) -> SecretStr:
    given = secrets.get_secret_value()
    if given and len(parts_of(secrets)) != given.count(",") + 1:
        raise ValueError("an empty secret beside a comma")
    if given.count(",") > 1:
        raise ValueError("more than two secrets: the old and the new one are enough")
    return secrets


def _slow_enough(rate: float) -> float:
    if 0 < rate < SMALLEST_RATE:
        raise ValueError(f"must be 0 (no limit) or at least {SMALLEST_RATE:g}, a call a day")
    return rate


Home = Annotated[Path, AfterValidator(_expanded)]
RedisUrl = Annotated[str, _checked(check_redis)]
BaseUrl = Annotated[str, _checked(check_base_url)]
Rate = Annotated[float, Field(ge=0, le=LARGEST_RATE, allow_inf_nan=False), AfterValidator(_slow_enough)]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Port = Annotated[int, Field(ge=0, le=65535), BeforeValidator(_unless_injected)]
Seconds = Annotated[float, Field(gt=0, le=YEAR_S, allow_inf_nan=False)]


class Settings(BaseSettings):
    """The options. Seconds end in ``_s``; 0 means no limit where a limit is meant."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Home = Field(Path(".dialer"), description="Directory of the ledger, the embedded Redis and rejects.")
    redis_url: RedisUrl = Field(
        "", repr=False, description="Redis or Valkey, e.g. redis://host:6379/0. Empty: an embedded one."
    )
    redis_server: str = Field("", description="Path of a redis-server or valkey-server binary to embed.")
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://user:password@host/name. Empty: SQLite in the home directory."
    )

    vaani_base_url: BaseUrl = Field("https://api.vaani.ai", description="Address of the vaani API.")
    vaani_api_key: SecretStr = Field(SecretStr(""), description="Key for the X-API-Key header.")
    vaani_access_token: SecretStr = Field(SecretStr(""), description="Token for the access_token cookie, instead.")
    vaani_refresh_token: SecretStr = Field(SecretStr(""), description="Renews the access token when it runs out.")
    vaani_calls_per_second: Rate = Field(0.0, description="The account's limit over all campaigns.")
    vaani_concurrent_calls: Count = Field(0, description="The account's lines over all campaigns.")

    vaanivoice_base_url: BaseUrl = Field("https://api.vaanivoice.ai", description="Address of the vaanivoice API.")
    vaanivoice_api_key: SecretStr = Field(SecretStr(""), description="Key for the X-API-Key header.")
    vaanivoice_calls_per_second: Rate = Field(0.0, description="The account's limit over all campaigns.")
    vaanivoice_concurrent_calls: Count = Field(0, description="The account's lines over all campaigns.")

    media_hosts: str = Field(
        "",
        description="Hosts besides the provider's own that recordings may come from, e.g. media.example.com "
        "*.s3.amazonaws.com.",
    )
    plain_http: bool = Field(False, description="true: a key may leave this machine over http://, unencrypted.")

    provider_timeout_s: Seconds = Field(30.0, description="Total time for one answer of a provider.")
    max_call_s: Seconds = Field(
        3600.0, description="The longest call, ringing included; a line without word is held so long."
    )
    unknown_horizon_s: Seconds = Field(
        4200.0,
        description="How long after a request its call may still turn up in the log; then absence is believed.",
    )
    reconcile_interval_s: Seconds = Field(5.0, description="Time between two readings of the call log.")
    redial_scale: float = Field(
        1.0,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Multiplies every redial delay (rehearsals, which limit a person only by name).",
    )
    retry_5xx: Literal["verified", "at_once"] = Field(
        "verified", description="verified: a 5xx is repeated only through the call log. at_once: repeated at once."
    )

    worker_max_calls: int = Field(
        1000, ge=1, le=LARGEST_COUNT, description="Requests one worker process has on the wire at once."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal.")

    metrics_port: Port = Field(0, description="Port for /metrics, /livez and /readyz of worker and serve. 0: none.")

    source_names: str = Field(
        "", description="Variables that a [source] url may name besides SOURCE_...; separated by spaces or commas."
    )

    web_token: SecretStr = Field(
        SecretStr(""), description="An administrator's token for the page and the API; without one, only this machine."
    )
    web_hosts: str = Field(
        "",
        description="Host names that browsers may call the page by, besides this machine's; e.g. dialer.example.",
    )
    web_proxy: str = Field("", description="Address of a proxy whose X-Forwarded headers are believed, e.g. 10.0.0.2.")
    web_upload_mib: int = Field(64, ge=1, le=4096, description="The largest list that the page and the API take, MiB.")
    webhook_secret: Annotated[SecretStr, AfterValidator(_one_or_two)] = Field(
        SecretStr(""),
        description="Secret that signs the provider's webhooks; while it is changed, the old and the new one: a,b.",
    )

    @property
    def secrets(self) -> list[str]:
        """Every secret that is set, for the logs to leave out."""
        keys = [value.get_secret_value() for value in self.__dict__.values() if isinstance(value, SecretStr)]
        return [
            *keys,
            *self.webhook_secrets,
            *(password_of(url) for url in (self.redis_url, self.database_url.get_secret_value())),
        ]

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Each secret that may have signed a webhook."""
        return parts_of(self.webhook_secret)

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        given = self.database_url.get_secret_value()
        return given.replace("postgres://", "postgresql://", 1) if given else f"sqlite:///{self.home / 'ledger.db'}"


OF_A_PROVIDER: Mapping[str, tuple[Any, Any]] = {
    "base_url": (BaseUrl, ""),
    "api_key": (SecretStr, SecretStr("")),
    "access_token": (SecretStr, SecretStr("")),
    "refresh_token": (SecretStr, SecretStr("")),
    "calls_per_second": (Rate, 0.0),
    "concurrent_calls": (Count, 0),
}
"""The options of a provider of another package: what follows its name, the type, the default."""


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """Read the options. Raises SettingsError for an unknown name or an unusable value."""
    from_file = read_env_file(env_file)
    names = [*(name for name, value in os.environ.items() if not _is_injected(name, value)), *from_file]
    try:
        settings = _class_for(names)(**_beneath_environment(from_file))  # type: ignore[arg-type]
    except ValidationError as invalid:
        problems = "; ".join(
            f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
            for error in invalid.errors(include_input=False)
        )
        raise SettingsError(problems) from None
    _check_ledger(settings.ledger_url)
    return settings


def option_names() -> list[str]:
    """``DIALER_HOME`` and so on, in the order of the class."""
    return _names_of(Settings)


def _names_of(options: type[Settings]) -> list[str]:
    return [f"{PREFIX}{name.upper()}" for name in options.model_fields]


def _check_ledger(url: str) -> None:
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise SettingsError(f"{PREFIX}DATABASE_URL: must begin with postgresql:// or sqlite:///")
    if url == "sqlite:///":
        raise SettingsError(f"{PREFIX}DATABASE_URL: must name the file, e.g. sqlite:///ledger.db")
    if url.startswith("postgresql://"):
        try:
            check_postgresql(url)
        except AddressError as wrong:
            raise SettingsError(f"{PREFIX}DATABASE_URL: {wrong}") from None


def _beneath_environment(from_file: Mapping[str, str]) -> dict[str, str]:
    """What the file says where the environment says nothing, by the names of the fields."""
    said = {name.upper() for name, value in os.environ.items() if value}
    return {
        name.upper().removeprefix(PREFIX).lower(): value
        for name, value in from_file.items()
        if value and name.upper().startswith(PREFIX) and name.upper() not in said
    }


def _is_injected(name: str, value: str) -> bool:
    """Whether a container's runtime put this name there, telling of a service and not of an option."""
    name = name.upper()
    if SERVICE_NAME.fullmatch(name) or name.startswith("DIALER_ENV_"):
        return True
    link = name == "DIALER_NAME" and value.startswith("/")
    return link or (name.startswith(PREFIX) and name.endswith("_PORT") and SERVICE_VALUE.fullmatch(value) is not None)


def _class_for(names: Iterable[str]) -> type[Settings]:
    """The options, with those of other packages' providers if any is set. Raises SettingsError for an unknown name."""
    given = [name for name in map(str.upper, names)  # pydantic-settings reads them in either case
             if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)]  # fmt: skip
    if set(given) <= set(option_names()):
        return Settings
    options = _with_other_providers()
    known = _names_of(options)
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)
            raise SettingsError(f"there is no option {name}: did you mean {near[0]}? config/example.env lists all")
    return options


@cache
def _with_other_providers() -> type[Settings]:
    """Read once for a process, which looks into every installed package."""
    entries = entry_points(group="dialer.providers")
    ours = {entry.name for entry in entries if entry.value.startswith("dialer.")}
    others = {name for name in entries.names - ours if PROVIDER_NAME.fullmatch(name)}
    fields: dict[str, Any] = {
        f"{name}_{option}": field for name in sorted(others) for option, field in OF_A_PROVIDER.items()
    }
    return create_model("Settings", __base__=Settings, **fields)
