"""A backend over TLS, as a gateway's callbacks may find one behind a load balancer.

    python3 tls_backend.py CERTIFICATE KEY

Takes POST /callback, and answers elsewhere with what the path says: /status/N, /redirect/N, whose
Location is the rest of the path with @HOST for the host as asked, or /text/T, whose body is T
unescaped. Writes one JSON object a line:
{"port"} when it listens, then {"method", "path", "body", "type", "peer", "webhook"} for each request; the last
has its headers webhook-*.
"""

import http.server
import json
import ssl
import sys
import threading
import urllib.parse

printing = threading.Lock()


def tell(what):
    with printing:
        print(json.dumps(what), flush=True)


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together: who has the one has the other.
    wbufsize = 65536

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        tell(
            {
                "method": self.command,
                "path": self.path,
                "body": body,
                "type": self.headers.get("Content-Type"),
                "peer": self.client_address[1],
                "webhook": {k: v for k, v in self.headers.items() if k.startswith("webhook-")},
            }
        )
        kind, _, rest = self.path[1:].partition("/")
        status, _, target = rest.partition("/")
        code = int(status) if kind in ("status", "redirect") else 200
        self.send_response(code)
        if kind == "redirect":
            self.send_header("Location", target.replace("@HOST", self.headers["Host"]))
        content = b"" if code == 204 else b"{}"
        if kind == "text":
            content = urllib.parse.unquote_to_bytes(self.path[len("/text/") :])
        if content:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that does not trust the certificate leaves; the test sees that elsewhere."""


server = Server(("127.0.0.1", 0), Backend)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
tell({"port": server.server_port})
server.serve_forever()
