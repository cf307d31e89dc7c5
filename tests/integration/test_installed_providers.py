"""Providers of other packages: their options, and packages that do not fit."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.settings import SettingsError, load_settings
from config.settings import _with_other_providers as options_of_others
from dialer.adapters.local.system_clock import SystemClock
from dialer.adapters.providers.registry import installed
from dialer.errors import UsageError
from dialer.provider_access import account_limits, open_providers, require_key
from tests.unit.config.test_settings import SECRET

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Install]:
    """Puts a package with entry points on the path, in an environment without options."""
    for name in os.environ:
        if name.startswith("DIALER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def forget() -> None:
        installed.cache_clear()
        options_of_others.cache_clear()

    def put(entry: str, package: str = "dialer-acme", **options: str) -> None:
        folder = tmp_path / package
        metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[dialer.providers]\n{entry}\n")
        (folder / "dialer_broken.py").write_text("raise RuntimeError('made for\\n an older dialer')\n")
        monkeypatch.syspath_prepend(folder)
        for name, value in options.items():
            monkeypatch.setenv(name, value)
        forget()

    yield put
    forget()


def test_the_options_of_an_installed_provider_are_read(install: Install, tmp_path: Path) -> None:
    install("acme = dialer_acme:Acme", DIALER_ACME_API_KEY=SECRET, DIALER_ACME_CALLS_PER_SECOND="2.5")
    (tmp_path / ".env").write_text("DIALER_ACME_CONCURRENT_CALLS=7\n")

    settings = load_settings()

    assert SECRET in settings.secrets
    assert SECRET not in repr(settings)
    limits = account_limits(settings)
    assert (limits["acme"].calls_per_second, limits["acme"].concurrent_calls) == (2.5, 7)
    assert (limits["vaani"].calls_per_second, limits["vaani"].concurrent_calls) == (0, 0)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("DIALER_ACME_CALLS_PER_SECOND", "many", "DIALER_ACME_CALLS_PER_SECOND: Input should be a valid number"),
        ("DIALER_ACME_CONCURRENT_CALLS", "-1", "DIALER_ACME_CONCURRENT_CALLS: Input should be greater than"),
        ("DIALER_ACME_BASE_URL", "acme", "DIALER_ACME_BASE_URL: "),
        ("DIALER_ACME_APIKEY", SECRET, "there is no option DIALER_ACME_APIKEY: did you mean DIALER_ACME_API_KEY?"),
        ("DIALER_EMCA_API_KEY", SECRET, "there is no option DIALER_EMCA_API_KEY: did you mean DIALER_ACME_API_KEY?"),
        ("DIALER_SIMULATOR_API_KEY", SECRET, "there is no option DIALER_SIMULATOR_API_KEY"),
        ("DIALER_VAANIVOICE_ACCESS_TOKEN", SECRET, "there is no option DIALER_VAANIVOICE_ACCESS_TOKEN"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(install: Install, option: str, value: str, message: str) -> None:
    install("acme = dialer_acme:Acme", **{option: value})

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert message in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_name_that_no_option_can_bear_stops_nothing(install: Install) -> None:
    install("_Acme-1 = dialer_acme:Acme", DIALER_LOG_LVEL="info")

    with pytest.raises(SettingsError, match="did you mean DIALER_LOG_LEVEL"):
        load_settings()


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ("acme = dialer_gone:Acme", "ModuleNotFoundError: No module named 'dialer_gone'"),
        ("acme = dialer_broken:Acme", "RuntimeError: made for an older dialer"),
        ("acme = string:Acme", "AttributeError: module 'string' has no attribute 'Acme'"),
        ("acme = string:digits", "TypeError: 'str' object is not callable"),
        ("acme = operator:itemgetter", "operator:itemgetter makes no CallProvider for the account acme"),
    ],
)
async def test_a_package_that_does_not_fit_is_named_and_stops_no_other(
    install: Install, entry: str, cause: str
) -> None:
    key, url = "not-a-real-key", "http://127.0.0.1:1"
    install(entry, DIALER_ACME_API_KEY=key, DIALER_ACME_BASE_URL=url, DIALER_VAANI_API_KEY=key)
    settings = load_settings()

    with pytest.raises(UsageError) as refused:
        require_key(settings, "acme")
    with capture_logs() as logs:
        providers = open_providers(settings, SystemClock(), "")

    assert str(refused.value) == (
        f"the provider acme of the package dialer-acme cannot be used ({cause}): "
        "install a version of dialer-acme that fits, or remove it with `pip uninstall dialer-acme`"
    )
    assert [(line["event"], line["account"], line["reason"]) for line in logs] == [
        ("provider.unusable", "acme", str(refused.value))
    ]
    assert list(providers) == ["vaani"]
    await providers["vaani"].aclose()


@pytest.mark.parametrize(("missing", "names"), [("API_KEY", "a key"), ("BASE_URL", "its address")])
def test_what_a_provider_needs_is_named(install: Install, missing: str, names: str) -> None:
    options = {"DIALER_ACME_API_KEY": "not-a-real-key", "DIALER_ACME_BASE_URL": "http://127.0.0.1:1"}
    install("acme = dialer_acme:Acme", **{name: value for name, value in options.items() if missing not in name})

    with pytest.raises(UsageError, match=f"the provider acme needs {names}: set DIALER_ACME_{missing}"):
        require_key(load_settings(), "acme")


def test_no_package_takes_the_name_of_a_provider_that_is_built_in(install: Install) -> None:
    ours = dict(installed())

    install("vaani = dialer_acme:Acme")

    assert installed()["vaani"] == ours["vaani"]
    assert set(installed()) == {"simulator", "vaani", "vaanivoice"}


def test_a_stale_installation_of_ours_says_what_to_do(install: Install) -> None:
    install("acme = dialer_acme:Acme", package="dialer")

    with pytest.raises(UsageError, match="older than its code: install it again"):
        installed()
