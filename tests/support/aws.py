"""A stand-in for STS, IAM and Access Analyzer on loopback: answers what a test says, in their
protocols.

Real ones are in moto; this one refuses, simulates and validates, which moto does not. The shape of
the answers is that of botocore's service models.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

DOCUMENT = (
    '<{0}Response xmlns="https://aws"><{0}Result>{1}</{0}Result><ResponseMetadata>'
    '<RequestId>1</RequestId></ResponseMetadata></{0}Response>')
ERROR = (
    '<ErrorResponse xmlns="https://aws"><Error><Type>Sender</Type><Code>{}</Code><Message>not for '
    'you</Message></Error></ErrorResponse>')


class Services:
    """The services; set `arn` (the caller), `users` and `roles` {name: ARN}, `denied` {(user's ARN,
    action)}, `findings`, `refuses` {operation}.
    """

    def __init__(self, arn):
        self.arn, self.users, self.roles, self.denied, self.findings, self.refuses, self.asked = (
            arn, {}, {}, set(), [], set(), [])

    def __enter__(self):
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, kind, text = services.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        url = f"http://127.0.0.1:{self.server.server_port}"
        self.env = {f"AWS_ENDPOINT_URL_{name}": url for name in ("STS", "IAM", "ACCESSANALYZER")}
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, path, body):
        """Return (status, type, text)."""
        if path.startswith("/policy/validation"):
            self.asked.append(("ValidatePolicy", json.loads(body)))
            if "ValidatePolicy" in self.refuses:
                return (403, "application/json",
                        '{"__type": "AccessDeniedException", "message": "not for you"}')
            return 200, "application/json", json.dumps({"findings": self.findings})
        query = {name: values[0] for name, values in parse_qs(body).items()}
        action = query["Action"]
        self.asked.append((action, query))
        if action in self.refuses:
            return 403, "text/xml", ERROR.format("AccessDenied")
        if action == "GetCallerIdentity":
            return 200, "text/xml", DOCUMENT.format(action,
                                                    f"<Arn>{self.arn}</Arn>"
                                                    "<UserId>AIDAEXAMPLE</UserId>"
                                                    f"<Account>{self.arn.split(':')[4]}</Account>")
        if action == "GetRole":
            if query["RoleName"] not in self.roles:
                return 404, "text/xml", ERROR.format("NoSuchEntity")
            return 200, "text/xml", DOCUMENT.format(action,
                                                    "<Role><Path>/</Path>"
                                                    f"<RoleName>{query['RoleName']}</RoleName>"
                                                    "<RoleId>AROA</RoleId>"
                                                    f"<Arn>{self.roles[query['RoleName']]}</Arn>"
                                                    "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
                                                    "</Role>")
        if action == "GetUser":
            if query["UserName"] not in self.users:
                return 404, "text/xml", ERROR.format("NoSuchEntity")
            return 200, "text/xml", DOCUMENT.format(action,
                                                    "<User><Path>/</Path>"
                                                    f"<UserName>{query['UserName']}</UserName>"
                                                    "<UserId>AIDA</UserId>"
                                                    f"<Arn>{self.users[query['UserName']]}</Arn>"
                                                    "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
                                                    "</User>")
        if action == "SimulatePrincipalPolicy":
            names = [value for name, value in query.items()
                     if name.startswith("ActionNames.member.")]
            said = {name: (query["PolicySourceArn"], name) in self.denied for name in names}
            members = "".join(f"<member><EvalActionName>{name}</EvalActionName><EvalDecision>"
                              f"{'explicitDeny' if is_denied else 'allowed'}</EvalDecision>"
                              "</member>" for name, is_denied in said.items())
            return 200, "text/xml", DOCUMENT.format(action,
                                                    f"<EvaluationResults>{members}</"
                                                    "EvaluationResults><IsTruncated>false</"
                                                    "IsTruncated>")
        return 400, "text/xml", ERROR.format("InvalidAction")
