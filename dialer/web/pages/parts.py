"""What every page is made of: templates, words, and the head."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from dialer.domain.access import Role
from dialer.domain.phone_number import mask
from dialer.web.access import Asker

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
MENU = (
    ("/", "Campaigns", Role.VIEWER),
    ("/new", "New campaign", Role.OPERATOR),
    ("/people", "Find a person", Role.OPERATOR),
    ("/suppressions", "Do not call", Role.OPERATOR),
    ("/accounts", "Accounts", Role.VIEWER),
    ("/admin", "Administration", Role.ADMIN),
)
WORDS = {
    "no_answer": "no answer",
    "invalid_number": "invalid number",
    "draft": "not started",
    "scheduled": "scheduled",
    "halted": "stopped by the program",
    "exhausted": "not reached",
    "pending": "not called yet",
    "active": "being called",
}
"""Words of the ledger that people say otherwise; all others stand for themselves."""
DONE = {
    "start": "started",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "ended",
    "halt": "stopped",
    "reopen": "began",
    "schedule": "scheduled",
    "finish": "finished",
}
"""What was done by an act that moves a campaign."""


def word(of: object) -> str:
    """A word of the ledger as people say it."""
    return WORDS.get(str(of), str(of).replace("_", " "))


def moment(iso: str | None) -> Markup:
    """A moment of a document; the page's script shows it in the viewer's zone."""
    if not iso:
        return Markup("–")
    at = datetime.fromisoformat(iso).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(iso, f"{at:%Y-%m-%d %H:%M:%S} UTC")


def address(path: str, **query: object) -> str:
    """A path and what follows its question mark; what is empty is left out."""
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


TEMPLATES.filters |= {
    "word": word,
    "done": lambda act: DONE.get(act, act),
    "moment": moment,
    "masked": mask,
    "thousands": lambda count: f"{count:,}",
}
TEMPLATES.globals |= {"address": address}


def rendered(template: str, **values: Any) -> str:
    """A template as text."""
    return TEMPLATES.get_template(template).render(**values)


def show(request: Request, asker: Asker | None, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. ``asker`` None: nobody is signed in."""
    menu = [(path, name) for path, name, role in MENU if asker is not None and asker.may(role)]
    here = max((path for path, _ in menu if request.url.path.startswith(path)), key=len, default="")
    text = rendered(
        template,
        menu=menu,
        here=here,
        visitor=asker.visitor if asker else None,
        may_operate=asker is not None and asker.may(Role.OPERATOR),
        may_administer=asker is not None and asker.may(Role.ADMIN),
        **values,
    )
    return HTMLResponse(text, status)


def show_problem(request: Request, problem: Mapping[str, Any], headers: Mapping[str, str]) -> HTMLResponse:
    """The page for a request that could not be answered as asked."""
    page = show(request, None, "problem.html", problem["status"], problem=problem)
    page.headers.update(headers)
    return page
