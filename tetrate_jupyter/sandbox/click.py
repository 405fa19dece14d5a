"""Deciding on the consent page over real HTTP, as a person's click does, without a browser."""

from __future__ import annotations

import http.client
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

TIMEOUT = 10.0  # seconds


class _Form(HTMLParser):
    """Finds the form's action, its hidden fields and the page's text."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found.get("action", "")
        elif tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        if data.strip() and self.get_starttag_text() != "<style>":
            self.text.append(data.strip())


def decide(address: str, decision: str) -> str:
    """Open the consent page, submit "approve" or "deny", and return the address that the browser is redirected to.

    Raises `ValueError` where the page or the decision is refused.
    """
    split = urlsplit(address)
    connection = http.client.HTTPConnection(split.netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", f"{split.path}?{split.query}")
        response = connection.getresponse()
        form = _Form()
        form.feed(response.read().decode("utf-8"))
        if response.status != 200:
            raise ValueError(f"the consent page says {response.status}: {' '.join(form.text)}")
        body = urlencode({**form.fields, "decision": decision})
        connection.request("POST", form.action, body, {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        response.read()
        location = response.getheader("Location")
        if location is None:
            raise ValueError(f"the decision was refused with {response.status}")
        return location
    finally:
        connection.close()
