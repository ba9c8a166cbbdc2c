# SPDX-License-Identifier: Apache-2.0
"""The REST API as a test sees it. Every call has a time-out; answers are what requests gives."""
import json
import time

import requests
import urllib3


def lines_of(answer):
    """The lines of a streamed answer, each as soon as it is there. (requests' iter_lines() does that byte by byte only, which costs more than the server.)"""
    rest = b""
    try:
        while piece := answer.raw.read1(65536):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.decode().rstrip("\r")
    except urllib3.exceptions.HTTPError as e:
        raise requests.ConnectionError(e) from e


class From(requests.adapters.HTTPAdapter):
    """Connections from one of this machine's own addresses."""

    def __init__(self, source):
        self.source = source
        super().__init__()

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, source_address=(self.source, 0), **options)


class Api:
    def __init__(self, base, source=None):
        """source: the address to call from (127.0.0.2, ...), for tests that are about an address."""
        self.base = base + "/api/v1"
        self.http = requests.Session()
        self.http.trust_env = False
        if source:
            self.http.mount("http://", From(source))
        self.csrf = None

    def sign_in(self, user, password):
        answer = self.call("POST", "/session", {"user": user, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def call(self, method, path, body=None, *, raw=None, csrf=True, headers=None, stream=False):
        headers = dict(headers or {})
        if csrf and self.csrf:
            headers["X-CSRF"] = self.csrf
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        return self.http.request(method, self.base + path, data=data, headers=headers, timeout=10, stream=stream)

    def get(self, path):
        answer = self.call("GET", path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def vehicles(self):
        return {row["id"]: row for row in self.get("/fleet/rows?limit=200")["rows"]}

    def vehicle(self, device):
        return self.get(f"/vehicles/{device}")

    def params(self, device):
        """id -> {running, stored, desired}"""
        return {value["id"]: value for value in self.get(f"/vehicles/{device}/params")["values"]}

    def op(self, device, kind, values=(), seconds=15, **more):
        """Start an operation and wait for its end; the operation as the API shows it, with the seconds that it took."""
        began = time.monotonic()
        body = {"kind": kind, **more}
        if values:
            body["values"] = [{"id": i, "value": v} for i, v in dict(values).items()]
        answer = self.call("POST", f"/vehicles/{device}/ops", body)
        assert answer.status_code == 202, f"{kind}: {answer.status_code} {answer.text}"
        op = answer.json()
        while op["state"] in ("queued", "sent"):
            assert time.monotonic() - began < seconds, f"{kind} is still {op['state']} after {seconds} s"
            time.sleep(0.02)
            op = self.get(f"/ops/{op['op']}")
        op["seconds"] = time.monotonic() - began
        return op

    def events(self, topics, seconds):
        """Server-sent events as (name, data), until the time is over or the caller stops."""
        end = time.monotonic() + seconds
        with self.http.get(self.base + "/stream", params={"topics": topics}, stream=True, timeout=(5, seconds)) as answer:
            assert answer.status_code == 200, answer.status_code
            name, data = None, []
            for line in lines_of(answer):
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and data:
                    yield name, json.loads("\n".join(data))
                    name, data = None, []
                if time.monotonic() > end:
                    return
