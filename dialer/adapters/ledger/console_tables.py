"""The tables of the page, the API and what comes in by them, as those of ``tables.py``."""

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text

from dialer.adapters.ledger.columns import Id, metadata

tokens = Table(
    "tokens",  # who may use the page and the API
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret", Text, nullable=False, unique=True),  # the SHA-256 of the token
    Column("shown", Text, nullable=False),  # its first characters
    Column("once", Integer, nullable=False, server_default="0"),  # 1: the first session that it opens ends it
    Column("made_by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("ends_at", Double),
    Column("used_at", Double),
    Column("revoked_at", Double),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret", Text, primary_key=True),  # the SHA-256 of the cookie
    Column("token_id", Id, nullable=False),  # 0: the token of the settings
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("ends_at", Double, nullable=False),
)
Index("sessions_token", sessions.c.token_id)
Index("sessions_ends", sessions.c.ends_at)

replies = Table(
    "replies",  # to requests with an Idempotency-Key
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),  # of the request
    Column("began_at", Double, nullable=False),
    Column("status", Integer),  # NULL: it runs
    Column("headers", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False, server_default=""),
)
Index("replies_began", replies.c.began_at)

uploads = Table(
    "uploads",  # lists that somebody looks at before people are called
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),  # of the file
    Column("size", Id, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("settings", Text, nullable=False, server_default="{}"),  # of the campaign, in the shape of its file
    Column("campaign", Text, nullable=False, server_default=""),  # its handle, once the list is in it
    Column("made_by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("report", Text, nullable=False, server_default=""),
)
Index("uploads_made", uploads.c.made_at)

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("upload_id", Id, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

webhooks = Table(
    "webhooks",  # of providers, that were believed; nothing of what they say about a person
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of how it was signed, and of its body
    Column("account", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("event", Text, nullable=False),  # the provider's word
    Column("signed_by", Text, nullable=False),  # the header with the signature
    Column("received_at", Double, nullable=False),
)
Index("webhooks_account", webhooks.c.account, webhooks.c.id)
Index("webhooks_call", webhooks.c.call_id)
Index("webhooks_received", webhooks.c.received_at)
