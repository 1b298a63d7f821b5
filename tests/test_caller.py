import pytest

from app.caller import CALLER, caller_of


@pytest.mark.parametrize(
    ("client", "caller"),
    [
        (("192.0.2.7", 1234), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1234), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1234), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1), "2001:db8:1:2::/64"),
        (("testclient", 1), "testclient"),
        (None, "unknown"),
    ],
)
def test_without_a_key_the_address_says_who_calls(client: object, caller: str) -> None:
    assert caller_of({"client": client}) == caller


def test_a_key_counts_more_than_an_address() -> None:
    assert caller_of({"client": ("192.0.2.7", 1), CALLER: "key 1"}) == "key 1"
