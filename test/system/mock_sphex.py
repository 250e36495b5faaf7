"""A control socket (doc/control.md) with canned answers, to test spxctl without an appliance.

    with MockSphex(path) as mock:
        mock.answers["stop"] = {"stopping": True}
        ... run spxctl ...
        mock.requests   # what it asked, in order, hello left out

An answer is a result; an Error; a function of the request's params; or bytes, sent as they are (b"" closes the
connection). A list of answers is given out one after the other, the last for ever.
"""

import array
import json
import os
import socket
import threading

HELLO = {"protocol": 1, "version": "0.1.0", "instance": "9f0c11", "pid": 4711, "role": "operator", "seconds": 12.3}


class Error:
    """An answer that says no."""

    def __init__(self, message, code=-32001, data=None):
        self.object = {"code": code, "message": message}
        if data is not None:
            self.object["data"] = data


class MockSphex:
    def __init__(self, path, answers=None):
        self.path = path
        self.answers = {"hello": HELLO, **(answers or {})}
        self.requests = []
        self.files = []  # descriptors that came along
        self.events = []  # lines sent right after the answer to subscribe; None: close the connection
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen()
        self.connections = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            self.close_one(connection)
        for file in self.files:
            os.close(file)

    @staticmethod
    def close_one(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()

    def accept(self):
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        """The lines of one connection, until it ends."""
        text = b""
        try:
            while True:
                part, control, _flags, _address = connection.recvmsg(1 << 20, socket.CMSG_SPACE(4))
                for _level, _kind, data in control:
                    self.files.extend(array.array("i", data))
                if not part:
                    return
                *lines, text = (text + part).split(b"\n")
                for line in lines:
                    if not self.answer(connection, json.loads(line)):
                        return
        except OSError:
            pass
        finally:
            self.close_one(connection)

    def answer(self, connection, request):
        """False when the connection is to be closed."""
        method, params = request["method"], request.get("params", {})
        if method != "hello":
            self.requests.append((method, params))
        answer = self.answers.get(method, Error(f'no such method "{method}"', -32601))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, bytes):
            connection.sendall(answer)
            return answer != b""
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        if isinstance(answer, Error):
            reply["error"] = answer.object
        else:
            reply["result"] = answer
        connection.sendall(json.dumps(reply).encode() + b"\n")
        return method != "subscribe" or self.send_events(connection)

    def send_events(self, connection):
        for event in self.events:
            if event is None:
                return False
            line = {"jsonrpc": "2.0", "method": "event", "params": event}
            connection.sendall(json.dumps(line).encode() + b"\n")
        return True
