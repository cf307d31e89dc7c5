"""dialer doctor: prints every check."""

from dataclasses import asdict

from config import SettingsError, load_settings
from config.logs import configure_logs
from dialer.cli.printing import print_json, put
from dialer.cli.stopping import run
from dialer.doctor import Finding, every_check

MARKS = {True: "ok    ", False: "FAILED", None: "-     "}


def examine(*, probing: bool, as_json: bool) -> int:
    """Check everything; ``probing`` also asks the provider what its documents leave open. Answers the exit code."""
    findings = run(lambda: _checked(probing))
    well = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": well, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            put(f"{MARKS[finding.ok]} {finding.check}: {finding.message}")
            if finding.remedy and not finding.ok:
                put(f"       {finding.remedy}")
    return 0 if well else 1


async def _checked(probing: bool) -> list[Finding]:
    try:
        settings = load_settings()
    except SettingsError as wrong:
        return [Finding("settings", False, str(wrong), "config/example.env lists every option.")]
    configure_logs(level="error", fmt=settings.log_format, secrets=settings.secrets)
    return await every_check(settings, probing=probing)
