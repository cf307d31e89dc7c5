"""Structured logs: JSON in a container, readable on a terminal, and never a full phone number in either."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PHONE = re.compile(r"(?<![\w.:-])(?:\+|00|%2B)?\d(?:[\s().-]{0,2}\d){7,14}(?![\w:]|[.-]\d)")
"""Eight to fifteen digits as people write a number; not inside a longer word, a decimal or a time."""

SECRET_KEYS = frozenset({"api_key", "x-api-key", "access_token", "token", "authorization", "cookie", "password"})
KEPT_DIGITS = 2


def mask_phones(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every phone number reduced to its last two digits, and every secret removed."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return PHONE.sub(lambda found: "…" + found.group()[-KEPT_DIGITS:], text)


class Mask:
    """A processor: masks phone numbers in every value, the event and exception texts included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {
            name: value if name == "timestamp" else "[secret]" if name.lower() in SECRET_KEYS else self._masked(value)
            for name, value in event.items()
        }

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return mask_phones(value, self._secrets)
        if isinstance(value, bool | float) or value is None:
            return value
        if isinstance(value, int):
            return value if abs(value) < 10**9 else mask_phones(str(value), self._secrets)
        if isinstance(value, Mapping):
            return {key: self._masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(item) for item in value]
        return mask_phones(str(value), self._secrets)


def configure_logs(
    *, level: str = "info", fmt: str = "auto", stream: TextIO | None = None, secrets: Iterable[str] = ()
) -> None:
    """Send structlog's and every library's lines through one chain to ``stream`` (default: stderr)."""
    out = stream or sys.stderr
    as_text = fmt == "text" or (fmt == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        Mask(secrets),
        structlog.dev.ConsoleRenderer(colors=out.isatty())
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
    handler = logging.StreamHandler(out)
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
    for name in ("alembic", "arq", "httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
