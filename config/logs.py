"""Structured logs: JSON in a container, readable on a terminal, and never a full phone number in either."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

BETWEEN = r"[\s().\-\u2010-\u2015\u2212/\[\]]{0,3}"
"""What people write between the digits of a number."""

PHONE_LIKE = re.compile(
    rf"""
    (?P<kept>
        \b[\da-fA-F]{{8}}(?:-[\da-fA-F]{{4}}){{3}}-[\da-fA-F]{{12}}\b                # a UUID
      | \b(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?!\w|{BETWEEN}\d)  # a date, a time
      | (?<![\w.])0\.\d+(?![\w.])                                                    # a fraction
    )
  | (?:\+|%2B)\d(?:{BETWEEN}\d){{6,14}}(?!\d)          # international: whatever stands around it
  | (?<![\w.-])(?<!\d:)(?:\d{{8,15}}(?![\w.]|-\d)      # digits only; a colon may follow
  | \d(?:{BETWEEN}\d){{7,14}}(?!\w|:\d|[.-]\d))        # grouped, but no address with a port
    """,
    re.VERBOSE,
)
"""Eight to fifteen digits as people write a number, and before them what only looks like one."""

ACTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, colours, or turns the reading order; line ends stand in exceptions alone."""
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
SECRET_KEYS = frozenset({"api_key", "x-api-key", "access_token", "token", "authorization", "cookie", "password"})
SHORTEST_INTEGER = 10**9
"""Smaller integers are ids and counts."""
KEPT_DIGITS = 2
SHORTEST_SECRET = 8


def mask_phones(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every phone number reduced to its last two digits, and every secret removed."""
    for secret in secrets:
        if len(secret) < SHORTEST_SECRET:  # inside other words it would betray itself, and garble them
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "[secret]", text)
        else:
            text = text.replace(secret, "[secret]")
    return PHONE_LIKE.sub(_last_digits, CREDENTIALS.sub("[secret]@", text))


def _last_digits(match: re.Match[str]) -> str:
    if match["kept"]:
        return match.group()
    return "…" + "".join(filter(str.isdigit, match.group()))[-KEPT_DIGITS:]


class Mask:
    """A processor: masks phone numbers in every value, the event and exception texts included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: a secret may be part of another.
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        masked = {name: value if name == "timestamp" else self._item(name, value) for name, value in event.items()}
        # What others wrote must not look like a line of ours.
        return masked | {"event": str(masked.get("event", "")).replace("\n", " ")}

    def _item(self, name: object, value: Any) -> Any:
        return "[secret]" if str(name).lower() in SECRET_KEYS else self._masked(value)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return ACTS.sub("\N{REPLACEMENT CHARACTER}", mask_phones(value, self._secrets))
        if isinstance(value, bool | float) or value is None:
            return value
        if isinstance(value, int):
            return value if abs(value) < SHORTEST_INTEGER else mask_phones(str(value), self._secrets)
        if isinstance(value, Mapping):
            return {self._masked(key): self._item(key, item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(item) for item in value]
        return mask_phones(str(value), self._secrets)


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to whatever is stderr now: a live view on the terminal takes its place, and prints lines above itself."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        raise AttributeError("stderr is looked up for each line")


def configure_logs(
    *, level: str = "info", fmt: str = "auto", stream: TextIO | None = None, secrets: Iterable[str] = ()
) -> None:
    """Send structlog's and every library's lines through one chain to ``stream`` (default: stderr)."""
    out = stream or sys.stderr
    handler = logging.StreamHandler(out) if stream else _ToStderr()
    as_text = fmt == "text" or (fmt == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        Mask(secrets),
        structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if as_text
        else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Their INFO lines repeat, once per request or job, what our own events say better.
    for name in ("alembic", "arq", "httpx", "httpcore", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
