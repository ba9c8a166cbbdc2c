# SPDX-License-Identifier: Apache-2.0
"""A TCP wire that can be cut: it forwards bytes between a local port and a target, and stops when told.

cut() is what a dead radio does: nothing is forwarded, nothing is closed, new connections get no answer; mend() ends it, and the connections
that were cut are then reset, as a network does with a flow that it has forgotten.
"""
import selectors
import socket
import threading


class Proxy:
    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.listener.getsockname()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.peer = {}
        self.cut_now = threading.Event()
        self.ended = threading.Event()
        self.forwarded = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(5)
        for s in [self.listener, *self.peer]:
            s.close()

    def cut(self):
        self.cut_now.set()

    def mend(self):
        self.cut_now.clear()

    def _run(self):
        was_cut = False
        while not self.ended.is_set():
            if self.cut_now.is_set():
                was_cut = True
                self.ended.wait(0.05)
                continue
            if was_cut:
                was_cut = False
                for s in list(self.peer):
                    self._drop(s)
            for key, _ in self.selector.select(0.05):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.peer:
                    self._forward(key.fileobj)

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(self.target, timeout=2)
        except OSError:
            client.close()
            return
        for a, b in ((client, server), (server, client)):
            a.settimeout(5)
            self.peer[a] = b
            self.selector.register(a, selectors.EVENT_READ)

    def _forward(self, s):
        try:
            data = s.recv(65536)
            if data:
                self.peer[s].sendall(data)
                self.forwarded += len(data)
                return
        except OSError:
            pass
        self._drop(s)

    def _drop(self, s):
        other = self.peer.pop(s, None)
        for one in (s, other):
            if one is not None:
                self.peer.pop(one, None)
                try:
                    self.selector.unregister(one)
                except (KeyError, ValueError):
                    pass
                one.close()
