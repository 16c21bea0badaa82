"""A small server on a free loopback port that gives what Meta sends to pywa, by the routes that pywa itself puts into it."""

import logging
import threading

import flask
from werkzeug.serving import make_server


class Receiver:
    """A Flask application that listens. The first thing to do with it is `WhatsApp(server=receiver.app)`."""

    def __init__(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each hook
        self.app = flask.Flask("receiver")
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()
