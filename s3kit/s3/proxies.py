"""Which proxy requests go through: one answer for libcurl and for boto3.

By themselves they differ: HTTP_PROXY in capitals is boto3's alone, as the environment of a CGI
script has it from a header of whoever asks (https://httpoxy.org); all_proxy, SOCKS and networks
like 10.0.0.0/8 in no_proxy are libcurl's alone (https://curl.se/libcurl/c/CURLOPT_PROXY.html,
CURLOPT_NOPROXY.html); a proxy without a port is asked at 1080 by one, at 80 by the other. Here all
of these are heeded, HTTP_PROXY not in CGI scripts, and the port is 80: that is what botocore has of
Python (getproxies_environment in https://docs.python.org/3/library/urllib.request.html), and more.
"""

import os
import re
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
SEPARATORS = re.compile(r"[,\s]+")


def proxy_of(url):
    """Return the proxy that requests to a URL go through, or ''."""
    proxy = setting(f"{url.partition(':')[0].lower()}_proxy") or setting("all_proxy")
    if not proxy:
        return ""
    parts = urlsplit(url)
    is_without = is_direct(parts.hostname or "", parts.port or PORTS.get(parts.scheme),
                           setting("no_proxy"))
    return "" if is_without else with_port(proxy)


def setting(name, env=os.environ):
    """Return the value of an environment variable; in small letters it goes first, even if empty.
    """
    if name in env:
        return env[name]
    is_cgi = name == "http_proxy" and "REQUEST_METHOD" in env
    return "" if is_cgi else env.get(name.upper(), "")


def is_direct(host, port, names):
    """Return whether `names`, a value of no_proxy, has a host: by its name, the end of its name,
    its address or network, with or without the port; `*` has all.
    """
    host = host.rstrip(".").lower()
    return names.strip() == "*" or any(
        has(name.lower(), host) or has(name.lower(), f"{host}:{port}")
        for name in SEPARATORS.split(names) if name)


def has(name, host):
    """Return whether one name of no_proxy has a host."""
    if "/" in name:
        return is_in_network(host, name)
    name = name.replace("[", "").replace("]", "").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def is_in_network(host, network):
    """Return whether a host is an address in a network, written as in 10.0.0.0/8."""
    from ipaddress import ip_address, ip_network
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def with_port(proxy):
    """Return a proxy, '' for none, with the port that boto3 would ask it at; SOCKS has its own."""
    scheme, mark, rest = proxy.rpartition("://")
    port = PORTS.get(scheme.lower() or "http")
    host = rest.rpartition("@")[2].partition("/")[0]
    if not port or not host or re.search(":[0-9]+$", host):
        return proxy
    return f"{scheme}{mark}{rest.partition('/')[0]}:{port}"
