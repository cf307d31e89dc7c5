"""A number stands in the suppression list as E.164, or as its hash."""

from dialer.domain.suppression import hash_of, names_of, read_hash

PHONE = "+919000000001"
HASH = "sha256:de2d4f3b5e1f8e9a6ea9d8ff7b1d0ff0f7a3d8f0c9b6a5d4e3f2a1b0c9d8e7f6"


def test_the_hash_is_that_of_the_number_as_e164() -> None:
    # printf +919000000001 | sha256sum
    assert hash_of(PHONE) == "sha256:4b6b245fada6673c7625fae4deec5df737ad2eee0be28550f86fbc976a147357"
    assert names_of(PHONE) == (PHONE, hash_of(PHONE))


def test_a_hash_is_read_in_any_spelling_and_nothing_else_is_one() -> None:
    assert read_hash(f" {HASH.upper()} ") == HASH
    for other in (PHONE, HASH[:-1], HASH + "0", HASH.replace("de", "xy"), "sha1:" + HASH[7:], ""):
        assert read_hash(other) == ""
