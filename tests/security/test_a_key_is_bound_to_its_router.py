"""A key is bound to the router it was made for: no redirect and no other address takes it elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.recorder import Arrived, Recorder, Reply
from tests.security.searched import where
from tetrate_jupyter import Session, config
from tetrate_jupyter.errors import NotSignedInError, TetrateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tetrate_jupyter.sandbox import SandboxRouter

KEY = "sk-bound-to-one-router-0123456789"
STATUSES = (300, 301, 302, 303, 304, 305, 307, 308)
WAYS: dict[str, Callable[[Session], object]] = {
    "ask": lambda s: s.ask("hello", model="m"),
    "models": lambda s: s.models(),
    "status": lambda s: s.status(),
    "login": lambda s: s.login(key=KEY, store="memory"),
    "compare": lambda s: s.compare("hello", ["m", "n"]),
}
FORMS = ("{other}/v1/models", "//{bare}/v1/models", "{other}\\@127.0.0.1/", "http://user:{key}@{bare}/")


def listed(arrived: Arrived) -> Reply:
    return Reply(body={"data": [{"id": "m"}, {"id": "n"}]} if arrived.path.endswith("/models") else {"models": []})


def outcome(work: Callable[[], object]) -> str:
    """What is shown of a value or of one of our errors; any other error goes on."""
    try:
        return repr(work())
    except TetrateError as error:
        return str(error)


@pytest.mark.parametrize("way", WAYS)
def test_no_redirect_takes_a_key_along(way: str, tmp_path: Path) -> None:
    with Recorder(listed) as other:
        for number, status in enumerate(STATUSES):
            target = FORMS[number % len(FORMS)].format(other=other.origin, bare=other.origin[7:], key=KEY)
            redirect = Reply(status, headers={"Location": target, "Refresh": f"0; {target}"})
            with Recorder(lambda _, reply=redirect: reply) as first:
                session = Session(base_url=first.base_url, key=KEY, data_dir=tmp_path)
                shown = outcome(lambda s=session: WAYS[way](s))
                session.close()
            assert first.arrived
            assert where([KEY], shown.encode()) == []
        assert other.arrived == []


def test_another_router_never_gets_it(router: SandboxRouter, tmp_path: Path) -> None:
    with Recorder(listed) as other:
        session = Session(base_url=router.base_url, data_dir=tmp_path)
        session.login(key=router.issue_key(), store="file")
        session.connect(other.base_url)
        with pytest.raises(NotSignedInError):
            session.models()
        session.close()
        given = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "none")
        given.connect(other.base_url)
        with pytest.raises(NotSignedInError):
            given.ask("hello", model="m")
        given.close()
        assert [a for a in other.arrived if "authorization" in {name.lower() for name in a.headers}] == []


def test_an_environment_key_goes_to_the_router_that_the_environment_names(
    router: SandboxRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = router.issue_key()
    monkeypatch.setenv(config.KEY_VARIABLES[0], key)
    with Recorder(listed) as other:
        elsewhere = Session(base_url=other.base_url, data_dir=tmp_path)
        with pytest.raises(NotSignedInError):  # the variable belongs to the real service, which is the default
            elsewhere.models()
        elsewhere.close()
        monkeypatch.setenv(config.BASE_URL_VARIABLE, router.base_url)
        named = Session(data_dir=tmp_path)
        assert named.models()
        named.connect(other.base_url)
        with pytest.raises(NotSignedInError):
            named.models()
        named.close()
        assert other.arrived == []
