"""Which proxy requests go through: the same for libcurl and for boto3."""

import random
from types import SimpleNamespace

import pytest
from botocore.utils import get_environ_proxies
from fakes3 import FakeS3

from s3kit.s3 import proxies
from s3kit.s3.address import Endpoint
from s3kit.s3.clients import Clients, unknown_to_boto3
from s3kit.s3.wire import Wire

AMAZON = "https://s3.amazonaws.com"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
BY_BOTO3 = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
OPTIONS = {"profile": None, "region": "eu-west-1", "endpoint_url": None, "no_sign_request": True,
           "no_verify_ssl": False, "ca_bundle": None, "read_timeout": 5}


@pytest.fixture(autouse=True)
def set_to(monkeypatch):
    """Return set_to(env): it has these variables of all that name proxies."""
    def set_to(env):
        for name in (*NAMES, *map(str.upper, NAMES), "REQUEST_METHOD"):
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
    set_to({})
    return set_to


@pytest.mark.parametrize("url, env, proxy", [
    (AMAZON, {"https_proxy": "http://p:1"}, "http://p:1"), (AMAZON, {"HTTPS_PROXY": "p:1"}, "p:1"),
    (AMAZON, {"http_proxy": "http://p:1"}, ""), ("http://h", {"http_proxy": "p:1"}, "p:1"),
    ("http://h", {"HTTP_PROXY": "p:1"}, "p:1"), ("http://h", {"HTTP_PROXY": "p:1",
                                                              "REQUEST_METHOD": "GET"}, ""),
    ("http://h", {"http_proxy": "p:1", "REQUEST_METHOD": "GET"}, "p:1"),
    ("http://h", {"http_proxy": "", "HTTP_PROXY": "p:1"}, ""),
    ("http://h", {"all_proxy": "socks5://p:1"}, "socks5://p:1"),
    ("http://h", {"ALL_PROXY": "p:1", "http_proxy": "q:1"}, "q:1"),
    (AMAZON, {"https_proxy": "p:1", "no_proxy": ".amazonaws.com"}, ""),
    ("http://127.0.0.1:9", {"http_proxy": "p:1", "no_proxy": "localhost,127.0.0.1"}, ""),
    ("http://h", {"http_proxy": "p", "NO_PROXY": "*"}, "")])
def test_which(set_to, url, env, proxy):
    """By the scheme; small letters first; not where a header could have set it."""
    set_to(env)
    assert proxies.proxy_of(url) == proxy


@pytest.mark.parametrize("names, hosts, others", [
    ("example.com", ["example.com", "a.example.com", "A.EXAMPLE.com."], ["notexample.com"]),
    (".example.com", ["a.example.com", "example.com"], ["example.com.evil"]),
    ("x, b.example:9000 c", ["b.example", "c", "x"], ["y"]),
    ("b.example:80", [], ["b.example"]), ("*", ["any"], []), ("*.example.com", [], ["b.com"]),
    ("10.0.0.0/8,fd00::/8", ["10.1.2.3", "[fd00::1]"], ["11.0.0.1", "ten", "[fe80::1]"]),
    ("[::1],127.0.0.1", ["[::1]", "127.0.0.1"], ["[::2]", "127.0.0.11"]),
    ("a/b,10.0.0.0/99", [], ["a", "10.0.0.0"]),
    (" , .", [], ["h"])])
def test_what_is_reached_without(set_to, names, hosts, others):
    """Names, ends of names, ports, networks, all."""
    set_to({"http_proxy": "p:1", "no_proxy": names})
    for host in hosts + others:
        is_direct = not proxies.proxy_of(f"http://{host}:9000")
        assert is_direct is (host in hosts), host


@pytest.mark.parametrize("proxy, told", [
    ("p", "p:80"), ("http://p", "http://p:80"), ("http://u:1@p/", "http://u:1@p:80"),
    ("https://p", "https://p:443"), ("socks5h://p", "socks5h://p"), ("[::1]", "[::1]:80"),
    ("http://[::1]:3", "http://[::1]:3"), ("p:3128", "p:3128"), ("", "")])
def test_its_port(proxy, told):
    """That of botocore, where none is named: libcurl would take 1080."""
    assert proxies.with_port(proxy) == told


def test_as_botocore_has_it(set_to):
    """Whatever botocore alone would use is used."""
    chance = random.Random(1)
    for _ in range(2000):
        env = {name: chance.choice(["", "http://p:1", "q:2"]) for name in BY_BOTO3[:4]
               if chance.random() < 0.4}
        env |= {name: chance.choice(["", "*", "b.example", ".example,x", "a.example:9000", "h"])
                for name in BY_BOTO3[4:] if chance.random() < 0.4}
        env |= {"REQUEST_METHOD": "GET"} if chance.random() < 0.2 else {}
        set_to(env)
        url = chance.choice(["http://a.example:9000", "https://b.example", "http://h", AMAZON])
        assert proxies.proxy_of(url) == get_environ_proxies(url).get(url.partition(":")[0], ""), env
        assert unknown_to_boto3(url) is None


@pytest.mark.parametrize("env, told", [
    ({"all_proxy": "http://p:1"}, {"https": "http://p:1"}), ({"all_proxy": "socks5://p:1"}, None),
    ({"https_proxy": "p:1", "no_proxy": "a b,s3.eu-west-1.amazonaws.com x"}, {}),
    ({"https_proxy": "p"}, None)])
def test_what_boto3_must_be_told(set_to, env, told):
    """What libcurl alone knows; SOCKS it cannot do."""
    set_to(env)
    client = Clients(SimpleNamespace(**OPTIONS)).home
    assert client.meta.config.proxies == told


@pytest.mark.parametrize("env", [{"HTTP_PROXY": "{}"}, {"all_proxy": "{}"}, {"http_proxy": "{}"}])
@pytest.mark.parametrize("no_proxy, is_direct", [("", False), ("127.99.0.0/16", True),
                                                 (".0.1,127.99.0.1:9", True)])
def test_the_way_that_requests_take(set_to, env, no_proxy, is_direct):
    """Both really go through the proxy, or do not."""
    with FakeS3(sign=False) as proxy:
        proxy.bucket("b")
        set_to({name: proxy.url for name in env} | {"no_proxy": no_proxy})
        url = "http://127.99.0.1:9"        # nobody is there
        transfer, _ = Wire.probe(Endpoint("b", f"{url}/b"), 1)
        assert bool(transfer.status) is not is_direct
        client = Clients(SimpleNamespace(**OPTIONS | {"endpoint_url": url})).service("sts", 1)
        went = client._endpoint.http_session._proxy_config.proxy_url_for(url)
        assert went == (None if is_direct else proxy.url)
