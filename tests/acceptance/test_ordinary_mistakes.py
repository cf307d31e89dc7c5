"""What people do wrong on an ordinary day: one line with the place and the remedy, an exit code, and no traceback."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenHome
from tests.acceptance.dialer_process import DIALER, Home, Provider, dialing, number, write_list
from tests.forked import Forked, run_forked

pytestmark = pytest.mark.acceptance

SECRET = "Xq7wPd9z"
NOWHERE = "127.0.0.1:9"
DIAL = tuple(dialing(rate=5, lines=5))
Prepare = Callable[[Path], object]


@pytest.fixture
def home(open_home: OpenHome) -> Home:
    """A home whose provider cannot be reached; a list, and one with a row to reject, lie in its directory."""
    made = open_home(Provider(f"http://{NOWHERE}"))
    write_list(made.path / "list.csv", 3)
    (made.path / "bad.csv").write_text("name,phone\nA,12\n")
    return made


def plainly(home: Home, words: Sequence[str], **settings: str) -> "subprocess.CompletedProcess[bytes]":
    return run_forked(["dialer", *words], env=home.environment | settings, cwd=home.path)


def shell(home: Home, words: Sequence[str], streams: str = "", **settings: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a command as a shell would, with ``streams`` behind it, e.g. ``> /dev/full``."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", *DIALER, *words],
        env=home.environment | settings,
        cwd=home.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True)
class Mistake:
    """``named``: what the one line must hold."""

    words: tuple[str, ...]
    code: int
    named: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Prepare = lambda _: None


def homes() -> list[Mistake]:
    bad = ("check", "bad.csv")
    run, one = ("run", "list.csv", *DIAL), ("campaigns",)
    return [
        Mistake(run, 2, ("list.csv is a file", "DIALER_HOME"), {"DIALER_HOME": "list.csv"}),
        Mistake(one, 2, ("list.csv is a file", "DIALER_HOME"), {"DIALER_HOME": "list.csv"}),
        Mistake(("worker",), 2, ("list.csv is a file", "DIALER_HOME"), {"DIALER_HOME": "list.csv"}),
        Mistake(bad, 1, ("list.csv", "Remedy"), {"DIALER_HOME": "list.csv"}),
        Mistake(run, 2, ("/proc/dialer", "DIALER_HOME"), {"DIALER_HOME": "/proc/dialer"}),
        Mistake(bad, 1, ("/proc/dialer", "Remedy"), {"DIALER_HOME": "/proc/dialer"}),
        Mistake(one, 2, ("/dev/null/x", "DIALER_HOME"), {"DIALER_HOME": "/dev/null/x"}),
        Mistake(("suppress", "list"), 2, ("/sys/dialer", "DIALER_HOME"), {"DIALER_HOME": "/sys/dialer"}),
        Mistake(one, 2, ("DIALER_HOME", "begins with ~"), {"DIALER_HOME": "~nobody-at-all/x"}),
        Mistake(bad, 1, ("rejects", "Remedy"), prepare=lambda at: in_home(at, "rejects").write_text("")),
        Mistake(one, 1, ("the ledger cannot be opened",), prepare=lambda at: in_home(at, "ledger.db").mkdir()),
        Mistake(
            one, 1, ("the ledger cannot be opened",), prepare=lambda at: in_home(at, "ledger.db").write_text("x" * 999)
        ),
        Mistake(run, 1, ("DIALER_REDIS_SERVER", "no file"), {"DIALER_REDIS_SERVER": "/no/such/server"}),
        Mistake(run, 1, ("cannot be run", "Permission denied"), {"DIALER_REDIS_SERVER": "list.csv"}),
    ]


def in_home(at: Path, name: str) -> Path:
    (at / "home").mkdir(mode=0o700)
    return at / "home" / name


def addresses() -> list[Mistake]:
    found = []
    for words, code in ((("run", "list.csv", *DIAL), 2), (("worker",), 2), (("doctor",), 1)):
        for name, url in (
            ("DIALER_REDIS_URL", "localhost:6379"),
            ("DIALER_REDIS_URL", f"redis://:{SECRET}/x@127.0.0.1:6379/0"),
            ("DIALER_DATABASE_URL", f"postgresql://dialer:100%{SECRET}@{NOWHERE}/x"),
            ("DIALER_DATABASE_URL", f"mysql://u:{SECRET}@h/x"),
            ("DIALER_VAANIVOICE_BASE_URL", "http://host:port"),
            ("DIALER_VAANI_BASE_URL", "https://[::1"),
            ("DIALER_MAX_CALL_S", "nan"),
            ("DIALER_VAANI_CALLS_PER_SECOND", "1e400"),
            ("DIALER_RECONCILE_INTERVAL_S", "-5"),
        ):
            found.append(Mistake(words, code, (name,), {name: url}))
    redis, database = f"redis://:{SECRET}@{NOWHERE}/0", f"postgresql://u:{SECRET}@{NOWHERE}/x"
    return [
        *found,
        Mistake(
            ("run", "list.csv", *DIAL), 1, ("Redis cannot be used", "DIALER_REDIS_URL"), {"DIALER_REDIS_URL": redis}
        ),
        Mistake(("doctor",), 1, ("redis", "DIALER_REDIS_URL"), {"DIALER_REDIS_URL": redis}),
        Mistake(("campaigns",), 1, ("the ledger cannot be opened",), {"DIALER_DATABASE_URL": database}),
        Mistake(("worker",), 1, ("the ledger cannot be opened",), {"DIALER_DATABASE_URL": database}),
        Mistake(("doctor",), 1, ("ledger", "DIALER_DATABASE_URL"), {"DIALER_DATABASE_URL": database}),
    ]


def files() -> list[Mistake]:
    env_file = [
        (lambda at: (at / ".env").write_bytes(b"DIALER_WEB_TOKEN=\xff\n"), (".env:1", "UTF-8")),
        (lambda at: (at / ".env").mkdir(), (".env", "cannot be read")),
        (lambda at: (at / ".env").write_text("DIALER_HOEM=x\n"), ("DIALER_HOEM", "DIALER_HOME")),
    ]
    source = 'name = "x"\nagent = "a"\n[source]\nquery = "SELECT 1"\nurl = '
    deep = "a = " + "[" * 3000
    weight = 'name = "x"\nagent = "a"\n[pace]\nweight = inf'
    campaigns = [
        (f'{source}"postgresql://u@h:{SECRET}/x"', "[source] url"), (deep, "nested too deep"), ("\xff", "TOML"),
        ('name = "a\\u001b[31m"\nagent = "a"', "the campaign's name"), (weight, "weight"),
        ('name = "x"\nagent = "a"\n[window]\nalso_rules = [[]]', "also_rules"),
    ]  # fmt: skip
    return [
        *(Mistake(("campaigns",), 2, named, prepare=prepare) for prepare, named in env_file),
        *(
            Mistake(
                (verb, *(["list.csv"] if "[source]" not in text else []), "--campaign", "c.toml"),
                2,
                ("c.toml", named),
                prepare=lambda at, text=text: (at / "c.toml").write_bytes(text.encode("latin-1")),  # type: ignore[misc]
            )
            for text, named in campaigns
            for verb in ("check", "enqueue")
        ),
        Mistake(("check", "."), 2, ("a directory",)),
        Mistake(("run", ".", *DIAL), 2, ("a directory",)),
        Mistake(("enqueue", ".", *DIAL), 2, ("a directory",)),
        Mistake(("check", "list.csv", "--campaign", "."), 2, ("a directory, not a campaign file",)),
        Mistake(("check", "no.csv"), 2, ("no.csv",)),
        Mistake(("check", "list.csv", "--encoding", "klingon"), 2, ("klingon",)),
        Mistake(("suppress", "import", "."), 2, (".",)),
        Mistake(("suppress", "import", "no.csv"), 2, ("no.csv",)),
    ]


def options() -> list[Mistake]:
    odd = {
        "--rate": ("nan", "inf", "-1", "1e400", "1e308"), "--concurrency": ("-1", "9" * 30),
        "--max-attempts": ("-2", "0"), "--timezone": ("Mars/Phobos",), "--region": ("XX",), "--window": ("sometimes",),
        "--provider": ("nobody",), "--name": ("a\x1b[31mb", "a\nb", "x" * 400), "--caller-id": ("",),
    }  # fmt: skip
    found = [
        Mistake((verb, "list.csv", *DIAL, option, value), 2, (option.removeprefix("--").split("-")[0],))
        for option, values in odd.items()
        for value, verb in zip(values, ("run", "check", "enqueue", "run", "check"), strict=False)
    ]
    return [
        *found,
        Mistake(("attempts", "²"), 2, ("number",)),
        Mistake(("attempts", "1" * 30), 2, ("30 digits",)),
        Mistake(("attempts", "1234567"), 2, ("no attempt with the id 1234567", "--region")),
        Mistake(("attempts", "12", "--region", "IN"), 2, ("",)),
        Mistake(("report", "x"), 2, ("x",)),
        Mistake(("report", "x\x1b[31m"), 2, ("x",)),
        Mistake(("suppress", "add", "nobody"), 2, ("number",)),
        Mistake(("suppress", "list", "--format", "xml"), 2, ("xml",)),
        Mistake(("agents", "--provider", "nobody"), 2, ("nobody",)),
    ]


MISTAKES = [*homes(), *addresses(), *files(), *options()]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: " ".join(one.words)[:40])
def test_a_mistake_gets_one_line(home: Home, mistake: Mistake) -> None:
    mistake.prepare(home.path)
    ended = plainly(home, mistake.words, **mistake.settings)
    said = ended.stderr.decode()
    assert ended.returncode == mistake.code, said
    assert "Traceback" not in said
    assert SECRET not in said + ended.stdout.decode()
    told = [line for line in said.splitlines() if line.startswith("dialer: ")]
    if mistake.words[0] == "doctor":
        told = [ended.stdout.decode()]
    assert len(told) == 1, said
    assert all(word in told[0] for word in mistake.named), said
    assert all(line.isprintable() for line in told[0].splitlines())


WRITING = [("export", "list"), ("report", "list", "--json"), ("report", "list"), ("campaigns",), ("doctor", "--json"),
           ("suppress", "list"), ("export", "list", "--format", "jsonl")]  # fmt: skip


@pytest.fixture
def enqueued(home: Home) -> Home:
    """A home with a campaign of three people, one with a name of another script."""
    (home.path / "list.csv").write_text(
        f"name,phone\nआशा,{number(0)}\nB,{number(1)}\nC,{number(2)}\n", encoding="utf-8"
    )
    home.command("enqueue", "list.csv", *DIAL)
    home.command("suppress", "add", number(7))
    return home


@pytest.mark.parametrize("words", WRITING, ids=lambda words: " ".join(words)[:30])
def test_what_could_not_be_written_is_not_a_success(enqueued: Home, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        process = Forked(
            ["dialer", *words], env=enqueued.environment, cwd=enqueued.path, stdout=full, stderr=subprocess.PIPE
        )
    said = process.communicate()[1].decode()
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("dialer: standard output: No space left on device. Remedy:")
    assert "Traceback" not in said


def test_an_interpreter_at_its_end_has_nothing_to_add(enqueued: Home) -> None:
    ended = shell(enqueued, ("export", "list"), "> /dev/full")
    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, line[:32]) == (1, b"dialer: standard output: No spac")


def test_a_directory_for_recordings_that_is_a_file_is_named(enqueued: Home) -> None:
    ended = plainly(enqueued, ("export", "list", "--recordings", "bad.csv"))
    assert "Traceback" not in ended.stderr.decode()
    assert ended.returncode in (0, 1)


def test_a_reader_that_goes_away_is_no_news(enqueued: Home) -> None:
    ended = shell(enqueued, ("export", "list"), "| true")
    assert ended.stderr == b""


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        (("export", "list"), "ascii"),
        (("export", "list"), "utf-16"),
        (("report", "list", "--json"), "utf-16"),
        (("campaigns",), "latin-1"),
    ],
)
def test_a_stream_of_another_encoding_gets_utf8(enqueued: Home, words: tuple[str, ...], encoding: str) -> None:
    ended = shell(enqueued, words, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C")
    assert ended.returncode == 0, ended.stderr.decode()
    text = ended.stdout.decode("utf-8")
    assert "list" in text or "phone" in text
    if words[0] == "export":
        assert "आशा" in {row["name"] for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("streams", ["2>&-", "2> /dev/full", "<&-", "0<&- 2>&-"])
def test_a_stream_that_is_closed_or_full_hinders_nothing(enqueued: Home, streams: str) -> None:
    ended = shell(enqueued, ("campaigns",), streams)
    assert ended.returncode == 0
    assert b"list" in ended.stdout
    assert (enqueued.path / "home" / "ledger.db").read_bytes().startswith(b"SQLite format 3")


def test_closed_streams_change_no_exit_code(home: Home) -> None:
    assert shell(home, ("campaigns",), ">&- 2>&-").returncode == 0
    assert shell(home, ("report", "nobody"), ">&- 2>&-").returncode == 2


def test_debug_tells_where_it_arose(home: Home) -> None:
    words = ("check", "bad.csv")
    for more, settings in ((("--debug",), {}), ((), {"DIALER_LOG_LEVEL": "debug"})):
        ended = plainly(home, (*words, *more), DIALER_HOME="list.csv", **settings)
        said = ended.stderr.decode()
        assert ended.returncode == 1
        assert "Traceback (most recent call last)" in said
        assert said.splitlines()[-1].startswith("dialer: ")


def test_long_names_and_names_of_other_scripts_have_a_file_of_their_own(home: Home) -> None:
    names = ["a" * 300, "क" * 100, "x/check", "x"]
    paths = []
    for name in names:
        told = home.command("enqueue", "bad.csv", "--name", name, *DIAL, code=None)
        assert "Traceback" not in told.err
        paths += [line.rpartition(": ")[2] for line in told.out.splitlines() if line.startswith("rejected rows")]
    told = home.command("check", "bad.csv", "--name", "x", code=None)
    paths += [line.rpartition(": ")[2] for line in told.out.splitlines() if line.startswith("rejected rows")]
    assert len(set(paths)) == len(names) + 1
    assert {path.stat().st_mode & 0o777 for path in map(Path, paths)} == {0o600}


def test_a_new_ledger_is_told_of_with_its_whole_path(home: Home) -> None:
    first = home.command("enqueue", "list.csv", *DIAL)
    assert f"made a new ledger, which knows of no call yet: {home.path}/home/ledger.db" in first.err
    assert "new ledger" not in home.command("campaigns").err


def test_a_runtime_directory_that_is_gone_is_none(home: Home) -> None:
    ended = plainly(home, ("doctor",), XDG_RUNTIME_DIR="/run/user/424242", TMPDIR="/nowhere")
    assert b"redis: the embedded one answers" in ended.stdout


def test_names_of_a_service_that_a_container_is_given_are_no_options(home: Home) -> None:
    home.command("campaigns", code=0)
    given = {
        "DIALER_SERVICE_HOST": "10.0.0.7",
        "DIALER_PORT": "tcp://10.0.0.7:80",
        "DIALER_PORT_80_TCP_ADDR": "10.0.0.7",
    }
    assert plainly(home, ("campaigns",), **given).returncode == 0


def test_a_standard_module_beside_the_list_is_not_run(home: Home) -> None:
    for name in ("argparse.py", "ssl.py", "uvicorn.py"):
        (home.path / name).write_text(f"open({str(home.path / 'ran')!r}, 'w').close()\n")
    package = home.path / "dialer"
    package.mkdir()
    (package / "__init__.py").write_text(f"open({str(home.path / 'ran')!r}, 'w').close()\n")
    script = "import sys; sys.path.remove(''); from dialer.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", script, "run", "list.csv"],
        env=home.environment | {"DIALER_REDIAL_SCALE": "0.0001"},
        cwd=home.path,
        capture_output=True,
        timeout=300,
        check=True,
    )
    assert not (home.path / "ran").exists()
    assert os.path.lexists(home.path / "home" / "ledger.db")
