"""A receiver of herald's webhooks.

    python3 webhook_receiver.py PORT FILE SECRET..

Takes POST with a signature of one of the secrets (whsec_..), as Standard Webhooks has it, and writes each
event of the batch to FILE, a JSON object a line, up to 20 ms before it answers 204: killed in between it is
told of them again. Anything else is 400, and a line {"refused": WHY}. Says {"port": N} on standard output when
it listens; with PORT 0 on a free one.
"""

import base64
import hashlib
import hmac
import http.server
import json
import random
import sys
import time


def fault_of(headers, body, keys):
    """Why the request is not a good one; nothing if it is."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    given = [headers.get(name) for name in names]
    if None in given:
        return "a header is missing"
    name, at, signatures = given
    if abs(time.time() - int(at)) > 300:
        return "the time is not now"
    signed = f"{name}.{at}.".encode() + body
    for key in keys:
        good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if f"v1,{good}" in signatures.split(" "):
            return None
    return "no signature is good"


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = fault_of(self.headers, body, self.server.keys)
        batch = json.loads(body) if not fault else {"events": [{"refused": fault}]}
        with open(self.server.file, "a", encoding="utf-8") as out:
            out.write("".join(json.dumps(event) + "\n" for event in batch["events"]))
        time.sleep(random.uniform(0, 0.02))
        self.send_response(400 if fault else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


server = Server(("127.0.0.1", int(sys.argv[1])), Receiver)
server.file = sys.argv[2]
server.keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in sys.argv[3:]]
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
