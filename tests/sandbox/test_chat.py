from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

from .conftest import events, text_of

if TYPE_CHECKING:
    from .conftest import Api


def test_a_stream_says_the_same_as_the_whole_answer(api: Api) -> None:
    whole = api.text("What is 17 * 23?")
    chunks = events(api.chat("What is 17 * 23?", stream=True).text)
    assert text_of(chunks) == whole
    assert "391" in whole
    assert chunks[-1] == "[DONE]"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert len({c["id"] for c in chunks[:-1]}) == 1


def test_usage_comes_only_when_asked_for_and_is_counted_from_the_text(api: Api) -> None:
    plain = events(api.chat("hello", stream=True).text)
    assert not any(c.get("usage") for c in plain[:-1])
    asked = events(api.chat("hello", stream=True, stream_options={"include_usage": True}).text)
    last = asked[-2]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == math.ceil(len(text_of(asked)) / 3.5)
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"]


def test_thinking_models_count_their_thoughts_and_some_show_them(api: Api) -> None:
    silent = api.chat(model="gpt-6-sol").json()
    assert silent["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert "reasoning_content" not in silent["choices"][0]["message"]
    shown = events(api.chat(model="groq/openai/gpt-oss-20b", stream=True).text)
    assert any(c["choices"][0]["delta"].get("reasoning_content") for c in shown[:-1])
    assert "completion_tokens_details" not in api.chat().json()["usage"]


def test_more_effort_means_more_thoughts(api: Api) -> None:
    def thoughts(effort: str) -> int:
        usage = api.chat(model="gpt-6-sol", reasoning_effort=effort).json()["usage"]
        return int(usage["completion_tokens_details"]["reasoning_tokens"])

    assert thoughts("none") == 0 < thoughts("low") < thoughts("max")


def test_a_long_shared_beginning_counts_as_cached_the_second_time(api: Api) -> None:
    long = "Bees make honey. " * 500
    cached = [
        api.chat(long + end, model="gpt-6-sol").json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        for end in ("first", "second")
    ]
    assert cached[0] == 0
    assert cached[1] > 2000
    assert cached[1] % 128 == 0


def test_the_cap_and_stop_sequences_end_an_answer(api: Api) -> None:
    short = api.chat("Explain PKCE", max_tokens=5).json()
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] <= 5
    assert "honey" not in api.text("Say 'milk and honey'", stop="and")


def test_the_same_request_gives_the_same_answer_and_another_seed_may_not() -> None:
    prompts = [f"Write a haiku about {w}" for w in ("bees", "rain", "kernels", "maps", "tea")]

    def answers(seed: int) -> list[str]:
        with SandboxRouter(speed=INSTANT, seed=seed) as router:
            headers = {"Authorization": f"Bearer {router.issue_key()}"}
            url = router.base_url + "/chat/completions"
            bodies = [{"model": "xai/grok-4.5", "messages": [{"role": "user", "content": p}]} for p in prompts]
            return [
                str(
                    httpx.post(url, json=b, headers=headers, trust_env=False).json()["choices"][0]["message"]["content"]
                )
                for b in bodies
            ]

    assert answers(1) == answers(1) != answers(2)


def test_echo_repeats_and_stream_paces_exactly(api: Api) -> None:
    assert api.text("Grüße\n🌍", model="sandbox/echo") == "Grüße\n🌍"
    chunks = events(api.chat("chunks=7 size=11", model="sandbox/stream", stream=True).text)
    texts = [c["choices"][0]["delta"].get("content") for c in chunks[1:-2]]
    assert [len(t) for t in texts] == [11] * 7
    assert texts[3].startswith("#3 ")
    assert api.code("chunks=two", model="sandbox/stream")[0] == 200  # nothing said: the defaults
    assert api.code("chunk=2", model="sandbox/stream")[0] == 400


def test_test_models_are_listed_only_on_request() -> None:
    for listed in (True, False):
        with SandboxRouter(speed=INSTANT, list_faults=listed) as router:
            headers = {"Authorization": f"Bearer {router.issue_key()}"}
            ids = {
                m["id"] for m in httpx.get(router.base_url + "/models", headers=headers, trust_env=False).json()["data"]
            }
        assert ("sandbox/echo" in ids) is listed
        assert ("sandbox/fault-stream-cut" in ids) is listed


def test_a_hang_up_is_seen_while_the_answer_is_being_written(router: SandboxRouter, api: Api) -> None:
    prompt = "chunks=100000 size=10 interval=0.01"
    body = {"model": "sandbox/stream", "messages": [{"role": "user", "content": prompt}], "stream": True}
    url = router.base_url + "/chat/completions"
    with api.client.stream("POST", url, json=body, headers=api.headers) as response:
        next(response.iter_raw())
    seen = router.wait_for(lambda r: r.hung_up_at is not None)
    assert seen.finished_at is None
    assert seen.chunks_sent < 100_000


def test_a_hang_up_is_seen_while_the_model_still_thinks() -> None:
    with SandboxRouter(speed=0.0001) as router, httpx.Client(trust_env=False, timeout=0.2) as client:
        headers = {"Authorization": f"Bearer {router.issue_key()}"}
        body = {"model": "gpt-6-sol", "messages": [{"role": "user", "content": "x"}]}
        with pytest.raises(httpx.ReadTimeout):
            client.post(router.base_url + "/chat/completions", json=body, headers=headers)
        assert router.wait_for(lambda r: r.hung_up_at is not None).status is None


def test_a_pace_is_kept_when_a_speed_is_given() -> None:
    with SandboxRouter(speed=50) as router, httpx.Client(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {router.issue_key()}"}
        body = {"model": "gpt-6-sol", "messages": [{"role": "user", "content": "x"}], "stream": True}
        client.post(router.base_url + "/chat/completions", json=body, headers=headers)
        seen = router.wait_for(lambda r: r.finished_at is not None)
    assert seen.first_chunk_at is not None
    assert seen.first_chunk_at - seen.arrived_at >= (1.0 + 2.0) / 50  # it starts no sooner than its pace allows


def test_many_streams_at_once_all_arrive_whole(router: SandboxRouter) -> None:
    key = router.issue_key()
    texts: list[str] = []

    def ask(number: int) -> None:
        body = {
            "model": "sandbox/stream",
            "messages": [{"role": "user", "content": f"chunks=200 size=10 interval=0.001 first=0.0{number % 5}"}],
            "stream": True,
        }
        headers = {"Authorization": f"Bearer {key}"}
        reply = httpx.post(
            router.base_url + "/chat/completions", json=body, headers=headers, trust_env=False, timeout=50
        )
        texts.append(text_of(events(reply.text)))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(t) for t in texts] == [2000] * 30


def test_stopping_ends_the_answers_that_are_under_way() -> None:
    router = SandboxRouter(speed=INSTANT).start()
    body = {"model": "sandbox/fault-stream-stall", "messages": [{"role": "user", "content": "x"}], "stream": True}
    headers = {"Authorization": f"Bearer {router.issue_key()}"}
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", router.base_url + "/chat/completions", json=body, headers=headers) as response,
    ):
        pieces = response.iter_raw()
        next(pieces)
        router.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
