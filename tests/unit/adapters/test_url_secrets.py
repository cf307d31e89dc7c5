"""Errors of databases never show what was filled into the address."""

from urllib.parse import quote

import pytest

from dialer.adapters.lists.url_secrets import Secrets

CANARY = "canary/9:x"


@pytest.mark.parametrize(
    ("template", "filled", "said", "shown"),
    [
        ("postgresql://${A}@h/x", "role_9", 'role "role_9" does not exist', 'role "***" does not exist'),
        ("postgresql://u@${A}/x", "db.secret", 'cannot resolve "DB.secret"', 'cannot resolve "***"'),
        ("postgresql://u@h/${A}", "books", 'database "books" is not there', 'database "***" is not there'),
        ("sqlite:///${A}", CANARY, f"there is no file {CANARY}", "there is no file ***"),
        ("${A}://x", "canary", "Can't load plugin: dialects:canary", "Can't load plugin: dialects:***"),
        ("${A}", "postgresql://anna:pass@10.1.1.1:5433/books", 'at "10.1.1.1", port 5433: role "anna", pass',
         'at "***", port ***: role "***", ***'),
        ("postgresql://u:${A}@h/x", "p@ss word", "url postgresql://u:p%40ss%20word@h/x: p@ss word", "url ***: ***"),
        ("postgresql://u:${A}@h/x", "pass", 'role "u" on host h', 'role "u" on host h'),
        ("postgresql://h/x?password=${A}", "hunter2", "hunter2 is wrong", "*** is wrong"),
    ],
)  # fmt: skip
def test_what_was_filled_in_is_hidden(template: str, filled: str, said: str, shown: str) -> None:
    owner, at, rest = template.rpartition("@")
    url = owner.replace("${A}", quote(filled, safe="")) + at + rest.replace("${A}", filled)
    assert Secrets(url, template, (filled,)).hidden_in(RuntimeError(said)) == shown


def test_a_short_value_is_hidden_with_all_that_holds_it() -> None:
    secrets = Secrets("postgresql://u:ab@h/x", "postgresql://u:${A}@h/x", ("ab",))
    assert secrets.hidden_in(RuntimeError("no database")) == (
        "RuntimeError, with a text that would show what was filled into its url"
    )
    assert secrets.hidden_in(RuntimeError("no schema")) == "no schema"


def test_an_address_that_does_not_read_is_not_quoted() -> None:
    secrets = Secrets("postgresql://u@h:canary/x", "postgresql://u@h:${A}/x", ("canary",))
    assert secrets.hidden_in(ValueError("invalid literal for int() with base 10: 'canary'")) == "its url does not read"
