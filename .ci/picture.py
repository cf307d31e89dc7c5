"""The picture in the README: a rehearsal in a terminal, recorded and drawn as an animated SVG, docs/run.svg.

python .ci/picture.py DIALER    (the installed command)
"""

import fcntl
import os
import platform
import pty
import re
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from rich.color import Color
from rich.text import Text

ROOT = Path(__file__).parents[1]
COMMAND = ("run", "examples/contacts.csv")
ROWS, COLUMNS = 34, 128
FRAMES, FRAME_S = 14, 0.7
"""How often the run is looked at, for how long each look is shown."""
WIDTH, HEIGHT, FONT = 8.0, 18, 13
STEP = re.compile(r"\r|\n|\x1b\[(\d*)A|\x1b\[2?K|\x1b\[\?\d+[hl]|[^\r\n\x1b]+|\x1b\[[\d;]*m")


def recorded(dialer: str) -> Iterator[tuple[float, str]]:
    """What the command writes, and when (seconds)."""
    with tempfile.TemporaryDirectory() as home:
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(ROOT)
            os.environ.update(
                DIALER_HOME=f"{home}/dialer", TERM="xterm-256color", COLUMNS=str(COLUMNS), DIALER_LOG_LEVEL="warning"
            )
            os.execv(dialer, [dialer, *COMMAND])  # noqa: S606 - the command of whoever asks
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        began = time.monotonic()
        while True:
            try:
                data = os.read(terminal, 65_536)
            except OSError:
                break
            text = data.decode(errors="replace").replace(f"{home}/dialer", ".dialer")
            text = re.sub(rf"\w+@{re.escape(platform.node())}", "you@here", text)
            yield time.monotonic() - began, text
        os.waitpid(pid, 0)


def shown(lines: list[str], row: int, text: str) -> int:
    """Write ``text`` as a terminal does that rewrites whole lines only; the row it ends on."""
    for step in STEP.finditer(text):
        part = step[0]
        if part == "\n":
            row += 1
        elif part.endswith("A"):
            row -= int(step[1] or 1)
        elif part.endswith("K"):
            lines[row] = ""
        elif part != "\r" and not part.startswith("\x1b[?"):
            lines[row] += part
        while row >= len(lines):
            lines.append("")
    return row


def frames(dialer: str) -> list[list[str]]:
    """The screen at even intervals, and at the end."""
    lines, row = [f"$ dialer {' '.join(COMMAND)}", ""], 1
    looks: list[tuple[float, list[str]]] = []
    for at, text in recorded(dialer):
        row = shown(lines, row, text)
        looks.append((at, list(lines)))
    every_s = looks[-1][0] / FRAMES
    chosen = [next(look for at, look in looks if at >= number * every_s) for number in range(1, FRAMES)]
    return [*chosen, looks[-1][1]]


def drawn(screens: list[list[str]]) -> str:
    """The SVG. Without animation it is the last screen."""
    rows = max(len(screen) for screen in screens)
    width, height = COLUMNS * WIDTH + 24, rows * HEIGHT + 24
    until = FRAME_S * (len(screens) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" role="img" '
        f'aria-label="dialer {" ".join(COMMAND)} in a terminal">',
        f"<style>text{{font:{FONT}px ui-monospace,Menlo,Consolas,monospace;fill:#d4d4d4;white-space:pre}}</style>",
        f'<rect width="{width:g}" height="{height}" rx="8" fill="#1e1e1e"/>',
    ]
    for number, screen in enumerate(screens):
        last = number == len(screens) - 1
        begin = f"{number * FRAME_S:g}s" if number else "0s"
        parts.append(f'<g visibility="{"visible" if last else "hidden"}">')
        if last:
            parts.append(f'<set attributeName="visibility" to="hidden" begin="0s" dur="{until:g}s"/>')
        else:
            parts.append(f'<set attributeName="visibility" to="visible" begin="{begin}" dur="{FRAME_S:g}s"/>')
        parts += [_line(row, text) for row, text in enumerate(screen) if text]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _line(row: int, text: str) -> str:
    line = Text.from_ansi(text)
    spans = []
    for part in line.divide(sorted({edge for span in line.spans for edge in (span.start, span.end)})):
        style = next((span.style for span in part.spans), "")
        colour = getattr(style, "color", None)
        fill = f' fill="{_hex(colour)}"' if colour else ""
        bold = ' font-weight="bold"' if getattr(style, "bold", False) else ""
        spans.append(f"<tspan{fill}{bold}>{escape(part.plain)}</tspan>" if fill or bold else escape(part.plain))
    return f'<text x="12" y="{12 + HEIGHT * row + FONT}">{"".join(spans)}</text>'


def _hex(colour: Color) -> str:
    return colour.get_truecolor().hex


if __name__ == "__main__":
    picture = ROOT / "docs" / "run.svg"
    picture.write_text(drawn(frames(sys.argv[1])))
    print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")
