"""A version that several shapes of the schema carry: 0003 brings each of them to the same one."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pass
