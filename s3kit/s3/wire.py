"""The only pycurl: one libcurl multi loop over poll, SigV4 by libcurl, connections and handles
reused.

poll, not epoll: libcurl drops its interest in a socket with every answer and takes it up again with
the next request, which costs epoll two system calls and poll two entries of a dict.

libcurl signs every key but those with dot segments, which it would normalise to another key
(https://curl.se/libcurl/c/CURLOPT_PATH_AS_IS.html). They, and access keys that it would change, are
signed here (see signature).
"""

import os
import select
import time

import pycurl

from s3kit import __version__
from s3kit.s3 import failures, redirects, snowball
from s3kit.s3.address import has_dots
from s3kit.s3.answer import ERROR_BYTES, Transfer
from s3kit.s3.proxies import proxy_of
from s3kit.s3.request_rate import LIMIT
from s3kit.s3.signature import is_libcurls, signed
from s3kit.s3.stalls import Stalls

SECONDS_TO_CONNECT = 10
AGENT = f"s3kit/{__version__} {pycurl.version.split()[1]}"
SETTINGS = ((pycurl.NOSIGNAL, 1), (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.CONNECTTIMEOUT, SECONDS_TO_CONNECT), (pycurl.USERAGENT, AGENT),
            # the second is of each connection: more is no faster, and takes memory
            (pycurl.BUFFERSIZE, 512 << 10), (pycurl.UPLOAD_BUFFERSIZE, 128 << 10),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.NOPROXY, ""),       # who decides is proxy_of
            # A host that is gone is noticed within two minutes, however long an answer may take.
            (pycurl.TCP_KEEPALIVE, 1), (pycurl.TCP_KEEPIDLE, 20), (pycurl.TCP_KEEPINTVL, 10))
TIMES = (("found", pycurl.NAMELOOKUP_TIME), ("connected", pycurl.CONNECT_TIME),
         ("secured", pycurl.APPCONNECT_TIME), ("answered", pycurl.STARTTRANSFER_TIME))
INTEREST = {pycurl.POLL_IN: select.POLLIN, pycurl.POLL_OUT: select.POLLOUT,
            pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT}


def received(curl):
    """Return how many bytes of a body a handle has received."""
    return curl.getinfo(pycurl.SIZE_DOWNLOAD_T)


def moved(curl):
    """Return how many bytes of bodies a handle has sent and received."""
    return curl.getinfo(pycurl.SIZE_UPLOAD_T) + received(curl)


def giver(transfer, body):
    """Return what libcurl calls for the next bytes of a PUT's body."""

    def give(count):
        data = body.read(count)
        if data is None:
            transfer.is_paused = True
            return pycurl.READFUNC_PAUSE
        return data

    return give


def happened(mask):
    """Return what poll saw at a socket in libcurl's terms."""
    return ((pycurl.CSELECT_IN if mask & (select.POLLIN | select.POLLHUP) else 0)
            | (pycurl.CSELECT_OUT if mask & select.POLLOUT else 0)
            | (pycurl.CSELECT_ERR if mask & (select.POLLERR | select.POLLNVAL) else 0))


class Handles:
    """libcurl's handles, each used for one request after another.

    What a handle is set to is kept on it, so that a request sets only what is another's. `seconds`
    is how long a request may take in all; 0: as long as bytes come.
    """

    def __init__(self, seconds):
        self.seconds, self.idle = seconds, []

    def take(self):
        """Return a handle that is free."""
        return self.idle.pop() if self.idle else self.fresh()

    def fresh(self):
        """Return a new handle with what all requests share."""
        curl = pycurl.Curl()
        curl.head, curl.endpoint, curl.as_is, curl.method, curl.most = [], None, None, "", None
        curl.is_once = False
        curl.setopt(pycurl.HEADERFUNCTION, curl.head.append)
        for option, value in SETTINGS:
            curl.setopt(option, value)
        if self.seconds:
            curl.setopt(pycurl.TIMEOUT_MS, int(self.seconds * 1000))
        return curl

    def prepare(self, curl, endpoint, url, method, headers, most, body):
        """Set a handle to one request; the values are those of Wire.start."""
        if curl.endpoint is not endpoint:
            self.point(curl, endpoint)
        curl.setopt(pycurl.URL, url)
        # an empty list would leave the headers of the request before
        curl.unsetopt(pycurl.HTTPHEADER)
        as_is = "/." in url and has_dots(url.partition("?")[0])
        headers = with_own(endpoint, headers)
        if endpoint.access_key and (as_is or not curl.signs):
            headers = signed(endpoint, method, url, headers, b"" if method == "PUT" else body)
        curl.setopt(pycurl.HTTPHEADER, headers)
        curl.head.clear()
        most = max(most, ERROR_BYTES) if most is not None else 0
        if most != curl.most:
            curl.setopt(pycurl.MAXFILESIZE_LARGE, most)
            curl.most = most
        if method != curl.method:
            self.use(curl, method)
        if method == "POST":
            curl.setopt(pycurl.POSTFIELDS, body)
        elif method == "PUT":
            curl.setopt(pycurl.INFILESIZE_LARGE, body.size)
            curl.setopt(pycurl.SEEKFUNCTION, body.seek)
        if as_is != curl.as_is:
            self.sign(curl, endpoint, as_is)

    def point(self, curl, endpoint):
        """Set what a handle needs for another endpoint."""
        curl.setopt(pycurl.SSL_VERIFYPEER, int(endpoint.verify))
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if endpoint.verify else 0)
        if endpoint.ca_bundle and endpoint.verify:
            curl.setopt(pycurl.CAINFO, os.fsencode(endpoint.ca_bundle))     # a str must be ASCII
        curl.setopt(pycurl.PROXY, proxy_of(endpoint.url))
        curl.signs = is_libcurls(endpoint)
        self.sign(curl, endpoint, False)
        curl.endpoint = endpoint

    def use(self, curl, method):
        """Set a handle's method."""
        if curl.method == "DELETE":
            curl.unsetopt(pycurl.CUSTOMREQUEST)
        if curl.method == "POST":
            # libcurl would sign the next request as if it had the old body
            curl.setopt(pycurl.POSTFIELDS, b"")
        curl.setopt({"HEAD": pycurl.NOBODY, "POST": pycurl.POST, "PUT": pycurl.UPLOAD}.get(
            method, pycurl.HTTPGET), 1)
        if method == "DELETE":
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.method = method

    def sign(self, curl, endpoint, as_is):
        """Let libcurl sign, or leave what is signed, or not to be, as it is."""
        curl.as_is = as_is
        is_left = as_is or not endpoint.access_key or not curl.signs
        curl.setopt(pycurl.PATH_AS_IS, int(is_left))
        if is_left:
            curl.unsetopt(pycurl.USERNAME)
            curl.unsetopt(pycurl.PASSWORD)
            curl.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_NONE)
            return
        curl.setopt(pycurl.AWS_SIGV4, f"aws:amz:{endpoint.region}:{endpoint.service}")
        curl.setopt(pycurl.USERNAME, endpoint.access_key)
        curl.setopt(pycurl.PASSWORD, endpoint.secret_key)


def failure_of(curl, url, errno, text):
    """Return what people read of a request to `url` that ended with an error of libcurl's."""
    return failures.told(errno, text, url, oserror=curl.getinfo(pycurl.OS_ERRNO),
                         is_sent=curl.getinfo(pycurl.REQUEST_SIZE) > 0,
                         seconds=curl.getinfo(pycurl.TOTAL_TIME))


def with_own(endpoint, headers):
    """Return a request's own headers with the endpoint's."""
    headers = list(headers)
    if endpoint.token:
        headers.append(f"x-amz-security-token: {endpoint.token}")
    if endpoint.request_payer:
        headers.append(f"x-amz-request-payer: {endpoint.request_payer}")
    return headers


class Wire:
    """Up to `connections` requests at once; `start` them, then `turn` until they are answered.

    `seconds` is how long a request may take in all; 0: as long as bytes come.
    """

    def __init__(self, connections, seconds=0):
        self.handles = Handles(seconds)
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, connections + 4)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.on_socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.on_timer)
        self.poll = select.poll()
        self.deadline = None
        self.busy = {}
        self.stalls = Stalls(self.busy, moved)
        self.watched = None
        self.opened = 0

    @property
    def active(self):
        """How many requests are on their way."""
        return len(self.busy)

    def watch(self, fd):
        """Let `turn` return as soon as `fd` can be read."""
        self.watched = fd
        self.poll.register(fd, select.POLLIN)

    def on_socket(self, event, fd, multi, data):
        """Follow libcurl's interest in a socket."""
        if event == pycurl.POLL_REMOVE:
            self.poll.unregister(fd)
        else:
            self.poll.register(fd, INTEREST[event])

    def on_timer(self, milliseconds):
        """Follow libcurl's one timer."""
        self.deadline = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def start(self, owner, endpoint, url, *, method="GET", headers=(), sink=None, most=None,
              body=b"", is_patient=False, is_once=False):
        """Start a request and return its Transfer; `turn` gives it back once it is answered.

        `sink(transfer, data)` takes the body of a 2xx answer, else it is kept in memory, as much as
        any answer of S3's has (answer.LARGEST); more than `most` bytes are refused. `body` is a
        POST's, or a PUT's Content (see content). `is_patient`: the answer may come in drops.
        `is_once`: it goes on a new connection, for libcurl sends again what a connection that was
        used before has not answered.
        """
        transfer = Transfer(owner, endpoint, sink, is_patient, is_once)
        self.send(transfer, endpoint, url, method, headers, most, body)
        return transfer

    def send(self, transfer, *request):
        """Send a Transfer's request: Endpoint, URL, method, headers, `most`, body."""
        transfer.request = request
        curl = transfer.curl = self.handles.take()
        self.handles.prepare(curl, *request)
        if transfer.is_once != curl.is_once:
            curl.setopt(pycurl.FRESH_CONNECT, int(transfer.is_once))
            curl.is_once = transfer.is_once
        curl.setopt(pycurl.WRITEFUNCTION, transfer.take if transfer.sink else transfer.keep)
        if transfer.content:
            transfer.content.seek(0)
            curl.setopt(pycurl.READFUNCTION, giver(transfer, transfer.content))
        self.busy[curl] = transfer
        LIMIT.spend()
        self.multi.add_handle(curl)

    @classmethod
    def once(cls, endpoint, url="", method="GET", headers=()):
        """Ask one thing (of the bucket itself, or of `url`) on a connection for this alone; return
        the Transfer.
        """
        wire = cls(1)
        transfer = wire.start(None, endpoint, url or endpoint.url, method=method, headers=headers)
        while wire.active:
            wire.turn(0.5)
        return transfer

    @classmethod
    def probe(cls, endpoint, seconds):
        """Ask an Endpoint's URL for its head, within `seconds`; return (Transfer, what was seen on
        the way).

        That is a dict: `address`, seconds since the start at which it was `found`, `connected`,
        `secured` and `answered`, and the server's own `certificate` as libcurl tells it, a dict.
        """
        wire = cls(1, seconds)
        curl = wire.handles.fresh()
        curl.setopt(pycurl.OPT_CERTINFO, 1)
        wire.handles.idle.append(curl)
        transfer = wire.start(None, endpoint, f"{endpoint.url}/", method="HEAD")
        while wire.active:
            wire.turn(0.5)
        certificates = curl.getinfo(pycurl.INFO_CERTINFO)
        seen = {"address": curl.getinfo(pycurl.PRIMARY_IP),
                "certificate": dict(certificates[0]) if certificates else {}}
        return transfer, seen | {name: curl.getinfo(info) for name, info in TIMES}

    def turn(self, seconds):
        """Wait at most `seconds` for something to happen; return the Transfers that are answered.
        """
        wait = LIMIT.wait(seconds)
        if self.deadline is not None:
            wait = min(wait, max(0.0, self.deadline - time.monotonic()))
        for fd, mask in self.poll.poll(wait * 1000):
            if fd != self.watched:
                self.multi.socket_action(fd, happened(mask))
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.deadline = None
            self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return self.answered() + [self.finish(curl, failures.TIMED_OUT, why)
                                  for curl, why in self.stalls.found()]

    def answered(self):
        """Return the Transfers that libcurl says are done, but for those that are redirected."""
        done = []
        while True:
            left, good, bad = self.multi.info_read()
            for curl in good:
                transfer = self.finish(curl, 0, "")
                if transfer.status < 300 or not self.is_sent_on(transfer):
                    done.append(transfer)
            for curl, errno, text in bad:
                url = self.busy[curl].request[1]
                done.append(self.finish(curl, errno, failure_of(curl, url, errno, text)))
            if not left:
                return done

    def is_sent_on(self, transfer):
        """Send a request to where its answer points, if it may go there; return whether it did."""
        place = redirects.further(transfer)
        if place:
            transfer.begin()
            transfer.hops += 1
            self.send(transfer, *place, *transfer.request[2:])
        return bool(place)

    def finish(self, curl, errno, failure):
        """Return the Transfer of a handle, which is free again."""
        transfer = self.busy.pop(curl)
        self.stalls.forget(transfer)
        self.opened += curl.getinfo(pycurl.NUM_CONNECTS)
        sent = curl.getinfo(pycurl.PRETRANSFER_TIME)
        transfer.waited = max(0.0, curl.getinfo(pycurl.STARTTRANSFER_TIME) - sent)
        transfer.took = max(0.0, curl.getinfo(pycurl.TOTAL_TIME) - sent)
        transfer.size = moved(curl)
        if transfer.content:        # the wait is what came after the last byte was sent
            waited = time.monotonic() - transfer.content.sent_at
            transfer.waited = min(transfer.took, waited)
        transfer.conclude(errno, failure)
        snowball.heed(transfer)
        self.multi.remove_handle(curl)
        self.handles.idle.append(curl)
        return transfer

    def pause(self, transfer):
        """Let no more of a body come, until `resume`; may be called by the sink."""
        transfer.is_paused = True
        transfer.curl.pause(pycurl.PAUSE_RECV)

    def resume(self, transfer):
        """Let a paused body go on, if it is still on its way."""
        transfer.is_paused = False
        self.stalls.forget(transfer)
        if self.is_under_way(transfer):
            transfer.curl.pause(pycurl.PAUSE_CONT)

    def is_under_way(self, transfer):
        """Return whether a Transfer has not been answered yet; its handle may serve another by now.
        """
        return self.busy.get(transfer.curl) is transfer

    def stop(self):
        """Break off everything."""
        for curl in list(self.busy):
            self.multi.remove_handle(curl)
            curl.close()
        self.busy.clear()
