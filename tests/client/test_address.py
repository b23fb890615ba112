"""Addresses: what people write and what is made of it."""

import pytest

from tcnb.client.address import Address
from tcnb.errors import UsageError


@pytest.mark.parametrize(
    ("server", "options", "expected"),
    [
        ("video.example.com", {}, "https://video.example.com"),
        ("video.example.com:8443", {}, "https://video.example.com:8443"),
        ("video.example.com", {"web_port": 4443}, "https://video.example.com:4443"),
        ("video.example.com", {"https": False}, "http://video.example.com:4309"),
        ("http://video.example.com", {}, "http://video.example.com:4309"),
        ("http://video.example.com:80/", {}, "http://video.example.com"),
        (" https://video.example.com/ ", {"https": False}, "https://video.example.com"),
        ("192.0.2.7", {}, "https://192.0.2.7"),
        ("[2001:db8::1]:8443", {}, "https://[2001:db8::1]:8443"),
    ],
)
def test_addresses_are_read_kindly(server, options, expected):
    """Host, port and scheme are found in whatever form they are written."""
    assert str(Address.parse(server, **options)) == expected


@pytest.mark.parametrize(
    "server", ["", "   ", "ftp://video.example.com", "video.example.com:port", "http://", "http://["]
)
def test_what_is_no_address_is_refused(server):
    """Something that is no address is an error that shows how one looks."""
    with pytest.raises(UsageError, match="address"):
        Address.parse(server)


def test_two_ports_are_refused():
    """Two different ports are an error, since one of them would be ignored."""
    with pytest.raises(UsageError, match="two ports"):
        Address.parse("video.example.com:1", web_port=2)


@pytest.mark.parametrize("rest", ["", ":port", ":99999", "["])
@pytest.mark.parametrize("password", ["s3cret", "s3cret/and-more", "s3cret?", "s3cret#", "[s3cret"])
def test_secrets_in_the_address_are_refused_and_not_repeated(password, rest):
    """A password in the address is refused, and the error does not show it, whatever else is wrong with it."""
    with pytest.raises(UsageError, match="never inside the address") as caught:
        Address.parse(f"https://robot:{password}@video.example.com{rest}")
    assert "s3cret" not in str(caught.value)


def test_socket_address_has_the_trailing_slash():
    """The bot socket is asked for under the documented path."""
    assert Address.parse("video.example.com").socket_url() == "wss://video.example.com/websocket/chat_bot/"


def test_download_addresses_are_moved_to_the_known_host():
    """A download address keeps path and query and gets this server's scheme, host and port."""
    address = Address.parse("10.0.0.1", https=False, web_port=4309)
    assert address.here("https://inner.example/files/9?token=a%20b") == "http://10.0.0.1:4309/files/9?token=a%20b"
