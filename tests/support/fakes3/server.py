"""The server: an account on loopback, with credentials, faults and a log."""

import asyncio
import inspect
import ssl
import threading
import time
import traceback

import fakes3.arrivals  # noqa: F401  these enter their kinds of faults
import fakes3.attributes  # noqa: F401  and these their operations
import fakes3.buckets  # noqa: F401
import fakes3.completions  # noqa: F401
import fakes3.damage  # noqa: F401
import fakes3.denials  # noqa: F401
import fakes3.listers  # noqa: F401
import fakes3.listings  # noqa: F401
import fakes3.multipart  # noqa: F401
import fakes3.object_characters  # noqa: F401
import fakes3.reads  # noqa: F401
import fakes3.restores  # noqa: F401
import fakes3.settings  # noqa: F401
import fakes3.snowball  # noqa: F401
import fakes3.tagging  # noqa: F401
import fakes3.upload_characters  # noqa: F401
import fakes3.writes  # noqa: F401
import fakes3.writing_faults  # noqa: F401
from fakes3.account import Account
from fakes3.characters import CHARACTERS, Character
from fakes3.chunks import decode_chunks
from fakes3.connection import Connection
from fakes3.errors import S3Error
from fakes3.faults import ANSWER, ARRIVAL, BEFORE, KINDS, Fault
from fakes3.operations import STEPS, route
from fakes3.policies import enforce
from fakes3.signatures import Authority, Credential, check_payload


class FakeS3(Account):
    """A fake S3 on loopback, in a thread of its own.

    FakeS3(sign=True, region="us-east-1", tls=None): `sign=False` believes everybody; `region=None`
    takes signatures for any region, a
    character may have one of its own; `tls=(certificate file, key file)` makes it https;
    `character` names a server that is not Amazon's (see characters).

    What tests may set: user, latency, hook, skew, credentials, restore_seconds, expedited,
    min_part, max_part, max_object.
    What tests may read: url, access_key, secret_key, log, connections, live, errors, faults, clock.
    Leaving the `with` block raises if a request or a hook crashed inside the server.
    """

    access_key = Character.access_key
    secret_key = "fakes3/secret+key/example"

    def __init__(self, sign=True, region="us-east-1", tls=None, character=None):
        self.character = CHARACTERS[character]() if character else Character()
        region = region and (self.character.region or region)
        super().__init__(region or "us-east-1")
        self.access_key = self.character.access_key
        self.sign, self.region, self.tls = sign, region, tls
        self.credentials = {self.access_key: Credential(self.secret_key)}
        self.authority = Authority(self)
        self.user = None            # the ARN by which policies know who asks
        self.skew = 0.0             # how far the server's clock is off, for signatures and Date
        self.latency = 0.0          # seconds before each answer
        self.hook = None  # called with each Request before it is answered, in the server's thread
        self.faults = []
        self.postponed = []         # (request, what tells after which other one it is carried out)
        self.log = []
        self.received = 0           # requests ever, also those no longer in the log
        self.connections = 0        # ever accepted
        self.live = set()           # open now
        self.errors = []            # tracebacks from inside

    # Life

    def start(self, port=0):
        """Listen on loopback; return self."""
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(port, ready), name="fakes3",
                                       daemon=True)
        self.thread.start()
        ready.wait()
        if self.errors:
            raise OSError(self.errors[-1])
        return self

    def run(self, port, ready):
        """Be the server's thread."""
        self.loop = asyncio.new_event_loop()
        try:
            server = self.loop.run_until_complete(self.listen(port))
            ready.set()
            self.loop.run_forever()
            server.close()
            self.loop.run_until_complete(self.hang_up())
        except OSError as error:
            self.errors.append(f"cannot listen on port {port}: {error}")
            ready.set()
        finally:
            self.loop.close()

    async def listen(self, port):
        """Open the port and say where it is."""
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
        inbox = memoryview(bytearray(256 * 1024))
        server = await self.loop.create_server(lambda: Connection(self, inbox), "127.0.0.1", port,
                                               backlog=1024, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        return server

    async def hang_up(self):
        """Drop all connections, with whatever waits in them."""
        waiting = [connection.task for connection in self.live if connection.task]
        for connection in list(self.live):
            connection.transport.abort()        # connection_lost cancels the task
        await asyncio.gather(*waiting, return_exceptions=True)
        while self.live:
            await asyncio.sleep(0)

    def stop(self):
        """Drop all connections and end the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        self.stop()
        if self.errors and kind is None:
            raise AssertionError("inside the fake S3:\n" + "\n".join(self.errors))

    # Answers

    def time(self):
        """Return the server's idea of the real time."""
        return time.time() + self.skew

    def enter(self, request):
        """Number a request and put it in the log."""
        request.n = self.received
        self.received += 1
        self.log.append(request)

    def respond(self, request):
        """Return the Response to one whole request: hook, fault, operation."""
        with self.lock:
            try:
                if self.hook:
                    self.hook(request)
                for rule in self.faults_for(request, BEFORE):
                    KINDS[rule.kind](self, request, None, **rule.options)
                fault = next(self.faults_for(request, ANSWER), None)
                if fault is None:
                    return self.carry_out_with_others(request)
                spoil = KINDS[fault.kind]
                response = None
                if fault.done or not spoil.replaces:
                    response = self.carry_out_with_others(request)
                return spoil(self, request, response, **fault.options)
            except Exception:
                self.errors.append(traceback.format_exc())
                return S3Error("InternalError", traceback.format_exc()).response(request)

    def faults_for(self, request, stage):
        """Yield the rules of one stage that take this request."""
        return (rule for rule in self.faults
                if KINDS[rule.kind].stage == stage and rule.takes(request))

    def interruption(self, request):
        """Return the Interruption of a request whose head alone is there, or None."""
        if not self.faults:
            return None
        with self.lock:
            rule = next(self.faults_for(request, ARRIVAL), None)
            return KINDS[rule.kind](self, request, None, **rule.options) if rule else None

    def carry_out_with_others(self, request):
        """Carry out a request, then those that waited for it; return the answer to the first."""
        response = self.carry_out(request)
        due = [pair for pair in self.postponed if pair[1](request)]
        self.postponed = [pair for pair in self.postponed if pair not in due]
        for waiting, _ in due:
            self.carry_out(waiting)
        return response

    def carry_out(self, request):
        """Return what S3 would answer."""
        try:
            if request.problem:
                raise request.problem
            if self.sign:
                self.authority.check(request)
            else:
                check_payload(request)
            headers = request.headers
            if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
                decode_chunks(request)
            elif request.method == "PUT" and "content-length" not in headers:
                raise S3Error("MissingContentLength")
            self.character.asked(self, request)
            enforce(self, request)
            response = self.character.instead(self, request) or route(self, request)
            response = self.character.answered(self, request, response)
        except S3Error as error:
            # HEAD tells the region to anyone [API HeadBucket].
            if request.method == "HEAD" and request.bucket in self.buckets:
                error.headers.setdefault("x-amz-bucket-region", self.region_of(request.bucket))
            response = error.response(request)
        response.headers.setdefault("Server", self.character.server)
        return response

    # For tests

    def fault(self, kind, key=None, method="GET", times=1, after=0, *, bucket=None, where=None,
              step=None, done=False, **options):
        """Spoil the answers to matching requests; return the Fault (see its `hits`).

        `key`: the key; "" requests of a bucket; a function of the key (`key=bool`: any object);
        None any. `method` None: any. `times` None: always. `after`: let so many matching requests
        pass first. `where`: a function of the Request. `step`: the name of an operation of an
        upload (see operations.STEPS), then the method does not count. `done`: a kind that replaces
        the answer does carry the request out before. Kinds and their options: the functions under
        @kind. Of several rules for answers the first that takes it counts.
        """
        # a wrong option fails here
        inspect.signature(KINDS[kind]).bind(self, None, None, **options)
        assert step is None or step in STEPS.values(), f"{step} is no operation of an upload"
        rule = Fault(kind, key, bucket, None if step else method, times, after, where, step, done,
                     options)
        with self.lock:
            self.faults.append(rule)
        return rule

    def requests(self, method=None, key=None, bucket=None, status=None, where=None):
        """Return the log's records that match, in order of arrival."""
        return [r for r in list(self.log) if method in (None, r.method) and key in (None, r.key)
                and bucket in (None, r.bucket) and status in (None, r.status)
                and (where is None or where(r))]
