"""Which proxy leads to an address, by the environment and by what Python finds of the system."""

from __future__ import annotations

import os
import urllib.request

import pytest

from tcnb.errors import MissingPackageError, UsageError
from tcnb.network import proxies
from tcnb.network.proxies import proxy_for

FAR = "https://video.example.com/"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable names a proxy, unless a test sets it."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch):
    """Sets variables."""

    def set_to(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_to


def test_none_is_set():
    """Without a proxy every address is reached directly."""
    assert proxy_for(FAR) is None


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({"HTTPS_PROXY": "http://p:3128"}, "https://h/", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "wss://h/", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://h/", None),
        ({"HTTP_PROXY": "http://p:3128"}, "http://h/", "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, "ws://h/", "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, "wss://h/", None),
        ({"ALL_PROXY": "http://p:3128"}, "wss://h/", "http://p:3128"),
        ({"https_proxy": "p:3128"}, "https://h/", "http://p:3128"),
        ({"https_proxy": "http://p"}, "https://h/", "http://p:80"),
        ({"https_proxy": " https://p:8443/ "}, "https://h/", "https://p:8443"),
        ({"https_proxy": "http://[2001:db8::1]:3128"}, "https://h/", "http://[2001:db8::1]:3128"),
        ({"https_proxy": "", "HTTPS_PROXY": ""}, "https://h/", None),
        ({"https_proxy": "  "}, "https://h/", None),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://high:2"}, "https://h/", "http://low:1"),
        ({"WSS_PROXY": "http://sockets:1", "HTTPS_PROXY": "http://p:2"}, "wss://h/", "http://sockets:1"),
    ],
)
def test_variable_that_leads_to_an_address(set_to, variables, url, expected):
    """Variables are read as curl and browsers read them, in either case, for sockets as for pages."""
    set_to(**variables)
    found = proxy_for(url)
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.9.9.9", "127.1", "[::1]", "[::ffff:127.0.0.1]"),
        *("0.0.0.0", "[::]", "localhost.localdomain"),
    ],
)
def test_this_machine_is_reached_directly(set_to, host):
    """Loopback is never asked for through a proxy, not even one that could not be used."""
    set_to(HTTP_PROXY="http://p:3128", HTTPS_PROXY="nonsense://x y", ALL_PROXY="http://p:3128")
    assert proxy_for(f"http://{host}:4309/") is None
    assert proxy_for(f"wss://{host}:443/") is None


@pytest.mark.parametrize(
    ("exceptions", "host", "is_direct"),
    [
        ("*", "h.example.com", True),
        ("example.com", "video.example.com", True),
        (".example.com", "video.example.com", True),
        (".example.com", "example.com", True),
        ("*.example.com", "video.example.com", True),
        ("example.com", "badexample.com", False),
        ("other.org, EXAMPLE.com ,", "video.example.com", True),
        ("other.org example.com", "video.example.com", True),
        ("https://example.com", "video.example.com", True),
        ("video.example.com.", "video.example.com", True),
        ("example.com:8443", "video.example.com:8443", True),
        ("example.com:8443", "video.example.com:9443", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3:8443", True),
        ("10.1.2.3/8", "10.200.0.1", True),
        ("[2001:db8::5]", "[2001:db8::5]", True),
        ("2001:db8::/32", "[2001:db8::5]:8443", True),
        ("[2001:db8::]/32", "[2001:db9::5]", False),
        ("[2001:db8::5]:8443", "[2001:db8::5]:8443", True),
        ("[::1]", "video.example.com", False),
        ("<local>", "intranet", True),
        ("<local>", "video.example.com", False),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai", True),
        ("xn--e1afmkfd.xn--p1ai", "чат.пример.рф", True),
        ("", "video.example.com", False),
    ],
)
def test_exceptions(set_to, exceptions, host, is_direct):
    """NO_PROXY takes names with all below them, addresses, networks and ports, as other programs do."""
    set_to(HTTPS_PROXY="http://p:3128", NO_PROXY=exceptions)
    for scheme in ("https", "wss"):
        assert (proxy_for(f"{scheme}://{host}/") is None) == is_direct


def test_exceptions_of_the_system(monkeypatch):
    """What Windows or macOS except is reached directly, for sockets and pages alike; their settings are asked there."""
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "http://p:3128", "http": "http://p:3128"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host.partition(":")[0] == "intranet.example.com")
    for scheme in ("http", "https", "ws", "wss"):
        assert proxy_for(f"{scheme}://intranet.example.com:8443/") is None
        assert str(proxy_for(f"{scheme}://video.example.com:8443/")) == "http://p:3128"


def test_login_goes_to_the_library_alone(set_to):
    """The login of a proxy is in its address for the libraries, and in nothing that is shown."""
    set_to(https_proxy="http://me:hush%2Fhush@p.example.com:3128")
    found = proxy_for(FAR)
    assert found is not None
    assert found.url == "http://me:hush%2Fhush@p.example.com:3128"
    assert "hush" not in f"{found} {found!r} {proxies.named()}"


def test_name_without_a_password(set_to):
    """A login without a password is one with an empty one."""
    set_to(https_proxy="http://me@p:3128")
    found = proxy_for(FAR)
    assert found is not None
    assert found.url == "http://me:@p:3128"


@pytest.mark.parametrize(
    "value",
    [
        *("http://", "http://p:port", "http://p:99999", "http:p:3128", "http://p:3128/way", "http://p q", '"http://p"'),
        *("http://me:hu/sh@p:3128", "http://me:hu#sh@p:3128", "me:1/hush@p:3128", "http://[::1"),
    ],
)
def test_proxy_that_cannot_be_read(set_to, value):
    """A value that is no proxy is one line which names the variable, and repeats no part of a login."""
    set_to(HTTPS_PROXY=value)
    with pytest.raises(UsageError, match="the variable HTTPS_PROXY names") as caught:
        proxy_for(FAR)
    said = str(caught.value)
    assert "\n" not in said
    assert "hu" not in said.replace("such", "")
    assert "me:" not in said


def test_unknown_kind_of_proxy(set_to):
    """A kind that the libraries do not speak is named."""
    set_to(all_proxy="socks4://p:1080")
    with pytest.raises(UsageError, match="all_proxy names a proxy of the kind 'socks4'"):
        proxy_for(FAR)


def test_socks_needs_its_packages(set_to, monkeypatch):
    """SOCKS without the packages for it is one line that says what to install, and how to do without."""
    set_to(ALL_PROXY="socks5://me:hush@p:1080")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'httpx\[socks\]' 'python-socks") as caught:
        proxy_for(FAR)
    assert "hush" not in str(caught.value)


def test_socks_with_its_packages(set_to, monkeypatch):
    """With both packages, SOCKS proxies are used; the systems' settings of them have no scheme or a wrong one."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    set_to(ALL_PROXY="socks5h://p")
    assert str(proxy_for(FAR)) == "socks5h://p:1080"
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"socks": "http://p:1080"})
    assert str(proxy_for(FAR)) == "socks5h://p:1080"
