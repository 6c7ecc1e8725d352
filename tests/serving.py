"""A server on this machine that breaks off, answers nonsense, or has moved away, as a test tells it to."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves one file on this machine, and misbehaves as a test tells it to."""

    content = bytes(range(256)) * 16
    status = 200
    cuts = ()  # after how many bytes the first answers break off
    ranges = True  # whether it goes on from where it is asked to
    announced = True  # whether it says how many bytes will come
    meeting = None  # a barrier at which requests wait for one another

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/small-weights.pth"
        self.requests = []  # the range that each asked for

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()


class Answer(BaseHTTPRequestHandler):
    """One answer of the server."""

    def do_GET(self):
        server, wanted = self.server, self.headers["Range"]
        number = len(server.requests)
        server.requests.append(wanted)
        if server.meeting is not None:
            server.meeting.wait(timeout=30)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        body = server.content[start:]
        self.send_response(206 if start and server.status == 200 else server.status)
        if server.announced:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cuts[number]] if number < len(server.cuts) else body)

    def log_message(self, *_):
        pass
