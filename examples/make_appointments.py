"""Makes examples/appointments.db, the database that examples/reminders.toml reads. Numbers are made up."""

import sqlite3
from pathlib import Path

PLACE = Path(__file__).with_name("appointments.db")
NAMES = ("Asha", "Bruno", "Chitra", "Dev", "Esha", "Farid", "Gita", "Hari", "Indu", "Jaya")
DOCTORS = ("Dr. Lantern", "Dr. Kite", "Dr. Thimble")


def main() -> None:
    """Thirty people, each with an appointment some seconds ahead of whenever the table is read."""
    PLACE.unlink(missing_ok=True)
    rows = [
        (n, f"{NAMES[n % 10]} {n}", f"+91900000{n:04d}", DOCTORS[n % 3], "Asia/Kolkata", 10 + n % 12) for n in range(30)
    ]
    with sqlite3.connect(PLACE) as connection:
        connection.execute(
            "CREATE TABLE appointments (id INTEGER PRIMARY KEY, name TEXT, phone TEXT, doctor TEXT, zone TEXT, "
            "seconds_ahead INTEGER)"
        )
        connection.executemany("INSERT INTO appointments VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()


if __name__ == "__main__":
    main()
