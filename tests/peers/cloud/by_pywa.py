"""pywa, turned to the simulator."""

import httpx
import pywa
from world import SECRET, VERSION, WORD


class Towards(httpx.HTTPTransport):
    """Takes what is meant for Meta's host to the simulator. pywa has no setting for the host, but takes a client."""

    def __init__(self, url):
        super().__init__()
        self.url = httpx.URL(url)

    def handle_request(self, request):
        if request.url.host == "graph.facebook.com":
            place = {"scheme": self.url.scheme, "host": self.url.host, "port": self.url.port}
            request.url = request.url.copy_with(raw_path=b"/graph" + request.url.raw_path, **place)
            request.headers["host"] = f"{self.url.host}:{self.url.port}"
        return super().handle_request(request)


def client(world, **more):
    """pywa's client with the number of the test."""
    session = httpx.Client(transport=Towards(world.url), timeout=30)
    world.addCleanup(session.close)
    settings = {"waba_id": world.waba, "app_id": world.number["appId"], "app_secret": SECRET, "verify_token": WORD}
    settings |= {"token": world.token, **more}
    return pywa.WhatsApp(world.id, session=session, api_version=VERSION.removeprefix("v"), **settings)
