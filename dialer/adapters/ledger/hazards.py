"""Where a ledger can be written, and what was written can be lost or torn all the same."""

from pathlib import Path

from dialer.adapters.ledger.engines import SQLITE, open_engine
from dialer.errors import LedgerUnavailable

NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb2", "smb3",
    "smbfs", "virtiofs", "vboxsf", "prl_fs",
})  # fmt: skip
"""File systems whose locks, or whose shared memory, SQLite cannot rely on."""
MUST_BE_ON = ("fsync", "full_page_writes")
ELSEWHERE = "Set DIALER_HOME to a directory on a disk of this machine, or use PostgreSQL (DIALER_DATABASE_URL)."


def hazards(url: str, mounts: Path = Path("/proc/self/mountinfo")) -> list[tuple[str, str]]:
    """Each as what is wrong and the remedy. Answers nothing that cannot be found out."""
    try:
        if url.startswith(SQLITE):
            kind = file_system(Path(url.removeprefix(SQLITE)), mounts.read_text())
            return (
                [(f"it lies on a network file system ({kind}), whose locks fail", ELSEWHERE)] if kind in NETWORK else []
            )
        engine = open_engine(url)
        try:
            with engine.snapshot() as transaction:
                values = {name: str(transaction.all(f"SHOW {name}")) for name in MUST_BE_ON}
        finally:
            engine.close_reader()
        return [
            (f"the server runs with {name} = off: a power cut loses or tears what was committed", f"Set {name} = on.")
            for name, value in values.items()
            if "off" in value
        ]
    except (OSError, LedgerUnavailable):
        return []


def file_system(path: Path, mountinfo: str) -> str:
    """The kind of the file system that holds ``path``, by the text of /proc/self/mountinfo; "" when it does not say."""
    place, best, kind = str(path.absolute().parent.resolve()), -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        mount = fields[4].encode().decode("unicode_escape")  # a blank in a name is written \040
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= best:
            best, kind = len(mount), after.split()[0]
    return kind
