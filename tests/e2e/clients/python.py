"""Python's requests and urllib3 as clients of streams: their own lines, and a loop. See README.md.

    python3 python.py requests|urllib3 URL
"""

import json
import sys
import time

try:
    import requests
    import urllib3
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)


def lines_of_requests(url, headers):
    with requests.get(url, headers=headers, stream=True) as answer:
        answer.raise_for_status()
        yield from answer.iter_lines()


def lines_of_urllib3(url, headers):
    """A response of urllib3 is a file whose lines are iterated over."""
    pool = urllib3.PoolManager(retries=False)
    answer = pool.request("GET", url, headers=headers, preload_content=False)
    if answer.status != 200:
        raise urllib3.exceptions.HTTPError(answer.status)
    for line in answer:
        yield line.rstrip(b"\n")


class Client:
    def __init__(self, lines, url):
        self.lines = lines
        self.url = url
        self.last_id = None
        self.retry = 1.0

    def read_one_stream(self):
        headers = {"Accept": "text/event-stream"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        event = {}
        for line in self.lines(self.url, headers):
            if line:
                field, _, value = line.decode().partition(": ")
                event[field] = value
                if field == "retry":
                    self.retry = int(value) / 1000
                continue
            self.last_id = event.get("id", self.last_id)
            self.tell(event)
            event = {}

    def tell(self, event):
        name = event.get("event")
        if name not in ("n", "gap"):
            return
        data = json.loads(event["data"]) if name == "n" else None
        at = time.time_ns() // 1_000_000
        print(json.dumps({"name": name, "id": self.last_id, "at": at, "data": data}), flush=True)

    def run(self):
        while True:
            try:
                self.read_one_stream()
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                print(error, file=sys.stderr, flush=True)
            print(json.dumps({"name": "ended"}), flush=True)
            time.sleep(self.retry)


Client({"requests": lines_of_requests, "urllib3": lines_of_urllib3}[sys.argv[1]], sys.argv[2]).run()
