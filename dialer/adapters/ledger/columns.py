"""What every table of the ledger is made of."""

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

# SQLite numbers rows by itself only for a column of exactly INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")
