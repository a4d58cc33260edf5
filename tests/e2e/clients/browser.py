"""A browser with a page that holds a stream. See README.md.

    python3 browser.py PROGRAM KIND FOLDER URL

Serves the page and the npm packages on a port of loopback, which is another origin than the stream's,
starts PROGRAM (chromium or firefox-esr) there with a profile in FOLDER, and writes what the page reports.
"""

import http.server
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

program, kind, folder, stream_url = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent
modules = here / "node_modules"


def need(what, there):
    if not there:
        print(f"{what} is not installed", file=sys.stderr)
        sys.exit(77)


need(program, shutil.which(program))
if kind in ("event-source-polyfill", "fetch-event-source"):
    need("the npm package " + kind, modules.is_dir())


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together.
    wbufsize = 65536

    def answer(self, status, content=b"", kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/":
            return self.answer(200, (here / "page.html").read_bytes(), "text/html; charset=utf-8")
        file = (here / path[1:]).resolve()
        # fetch-event-source imports its parts without their suffix.
        if not file.suffix:
            file = file.with_suffix(".js")
        if not file.is_relative_to(modules) or not file.is_file():
            return self.answer(404)
        return self.answer(200, file.read_bytes(), "text/javascript")

    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.answer(204)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
query = urllib.parse.urlencode({"kind": kind, "stream": stream_url})
url = f"http://127.0.0.1:{server.server_port}/?{query}"
# Browsers write much of their own to both outputs.
log = open(pathlib.Path(folder) / "browser.log", "wb")
subprocess.Popen(
    [sys.executable, here / "open_page.py", program, folder, url],
    stdin=subprocess.DEVNULL,
    stdout=log,
    stderr=log,
)
server.serve_forever()
