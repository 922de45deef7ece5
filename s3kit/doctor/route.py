"""The way to a server: its name, what is between, its certificate, its clock; and what to do where
it ends.
"""

import socket
import time
from datetime import datetime, timezone
from urllib.parse import urlsplit

from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING, Finding
from s3kit.errors import reason
from s3kit.s3 import failures, verdicts
from s3kit.s3.proxies import proxy_of
from s3kit.s3.wire import Wire
from s3kit.units import date_ns

CERTIFICATE_DAYS = 14
ADVICE = {**dict.fromkeys((failures.UNKNOWN_PROXY, failures.UNKNOWN_HOST), "see dns"),
          **dict.fromkeys(verdicts.CERTIFICATE_ERRORS, "see tls"),
          **dict.fromkeys((failures.UNCONNECTED, failures.PROXY),
                          "is the endpoint right, and its server up? is there a route?"),
          failures.TIMED_OUT: "is there a route, a firewall, a VPN? does a proxy have to be named "
                              "(https_proxy)?"}


class Route:
    """The way to a server, or to the proxy before it; `go` fills in how far it leads, in a thread
    of its own.
    """

    def __init__(self, url):
        self.proxy = proxy_of(url)
        first = self.proxy or url
        self.host = urlsplit(first if "://" in first else f"http://{first}").hostname
        self.addresses, self.found, self.fault = [], 0.0, ""
        self.transfer, self.seen = None, {"certificate": {}}
        self.ahead = None

    def go(self, home, seconds):
        """Look up the name, then ask, within seconds: a name server may hang for longer than
        libcurl lets itself be stopped.
        """
        began = time.monotonic()
        try:
            infos = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.fault = reason(error)
            return
        self.found = time.monotonic() - began
        self.addresses = list(dict.fromkeys(info[4][0] for info in infos))
        self.transfer, self.seen = Wire.probe(home, seconds)
        there = date_ns(self.transfer.headers.get("date", ""))
        self.ahead = None if there is None else time.time() - there / 1e9
        if self.ahead is not None and 0 <= self.ahead < 1.5:
            self.ahead = 0.0        # the server's whole second, and the way

    @property
    def is_good(self):
        """Whether something answered that may be S3."""
        return bool(self.transfer and self.transfer.status) and not self.is_portal

    @property
    def is_portal(self):
        """Whether what answered is a page for people: S3 has none but Amazon's, to which it
        redirects.
        """
        headers = self.transfer.headers
        return ("html" in headers.get("content-type", "")
                and not any(name.startswith("x-amz-") for name in headers)
                and self.transfer.status == 200)

    def names(self):
        """Yield what the name of the server, or of its proxy, leads to."""
        facts = {"host": self.host, "addresses": self.addresses}
        whose = "the proxy " if self.proxy else ""
        if self.fault:
            advice = "is the endpoint's name right? then look at /etc/resolv.conf"
            yield Finding("dns", FAULT, f"{whose}{self.host}: {self.fault}",
                          "correct the proxy, or unset it" if self.proxy else advice, facts)
        elif not self.addresses:
            yield Finding("dns", FAULT, f"{whose}{self.host}: no answer from the name server",
                          "look at /etc/resolv.conf, or at your VPN", facts)
        elif self.addresses != [self.host]:
            more = f" and {len(self.addresses) - 1} more" if len(self.addresses) > 1 else ""
            yield Finding("dns", OK,
                          f"{whose}{self.host} is {self.addresses[0]}{more}, in "
                          f"{self.found * 1000:.0f} ms", "", facts)

    def trust(self, scheme, verify):
        """Yield whether the server is who it says it is."""
        if scheme == "http":
            yield Finding("tls", WARNING,
                          "http: whoever is on the way can read and change everything",
                          "use an https endpoint")
            return
        certificate = self.seen["certificate"]
        if self.transfer and self.transfer.errno in verdicts.CERTIFICATE_ERRORS:
            yield Finding("tls", FAULT, self.transfer.failure.replace(" (see --ca-bundle)", ""),
                          "name the certificate to trust with --ca-bundle or AWS_CA_BUNDLE; is a "
                          "proxy reading along?")
        elif certificate:
            days = days_left(certificate.get("Expire date", ""))
            text = f"certificate of {name_in(certificate.get('Subject', ''))}"
            text += f", good for {days:,} days" if days is not None else ""
            facts = {"subject": certificate.get("Subject"), "issuer": certificate.get("Issuer"),
                     "days_left": days}
            if not verify:
                yield Finding("tls", WARNING, f"{text}, not checked (--no-verify-ssl)",
                              "name it with --ca-bundle instead", facts)
            elif days is not None and days < CERTIFICATE_DAYS:
                yield Finding("tls", WARNING, text, "tell whoever runs the server", facts)
            else:
                yield Finding("tls", OK, text, "", facts)

    def reached(self):
        """Return whether the server answers."""
        transfer, seen, proxy = self.transfer, self.seen, self.proxy
        if transfer is None and not self.addresses:
            return Finding("network", UNKNOWN, "not tried: there is no address")
        if transfer is None:
            return Finding("network", FAULT, "no answer", ADVICE[failures.TIMED_OUT])
        if not transfer.status:
            advice = ADVICE.get(transfer.errno, "try again")
            if proxy:
                advice = f"the proxy {shown(proxy)} is in the way: correct or unset it"
            return Finding("network", FAULT, transfer.failure, advice, {"errno": transfer.errno})
        if self.is_portal:
            return Finding("network", FAULT, "a web page answers, not S3",
                           "log in to this network, or correct the endpoint")
        times = {name: round(seen[name] * 1000, 1)
                 for name in ("connected", "secured", "answered") if seen[name]}
        told = (f"answers in {times.get('answered', 0):.0f} ms, connected after "
                f"{times.get('connected', 0):.0f}")
        told += f", TLS after {times['secured']:.0f}" if "secured" in times else ""
        return Finding("network", OK, told, "", {"address": seen["address"], "milliseconds": times})


def proxy_finding(proxy):
    """Return which proxy is used."""
    if proxy:
        return Finding("proxy", NOTE, f"{shown(proxy)}, from the environment", "",
                       {"proxy": shown(proxy)})
    return Finding("proxy", OK, "none")


def shown(proxy):
    """Return a proxy as it may be shown: without a password."""
    scheme, mark, rest = proxy.rpartition("://")
    return scheme + mark + rest.rpartition("@")[2]


def is_loopback(host):
    """Return whether a host is this machine."""
    return host in ("localhost", "::1") or (host or "").startswith("127.")


def days_left(date):
    """Return the whole days until a certificate's end (as OpenSSL writes it), or None."""
    try:
        end = datetime.strptime(date, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return (end - datetime.now(timezone.utc)).days


def name_in(subject):
    """Return the common name in a certificate's subject, or all of it."""
    return next((part.partition("=")[2].strip() for part in subject.replace(", ", ",").split(",")
                 if part.partition("=")[0].strip() == "CN"), subject) or "somebody"
