"""How --help lists commands."""

from typing import Any

from typer.core import TyperGroup

CALL = "Call people"
LOOK = "See what happened"
BAR = "Do not call"
MACHINE = "The program on this machine"
PROVIDER = "The provider's own account"


class Headed(TyperGroup):
    """Lists commands under headings, each with its whole first paragraph: Typer's own list cuts sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        headings: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            heading = getattr(command, "rich_help_panel", None)
            words = " ".join(((command and command.help) or "").partition("\n\n")[0].split())
            headings.setdefault(heading if isinstance(heading, str) else "Commands", []).append((name, words))
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
