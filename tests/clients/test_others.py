"""Other libraries against the sandbox, each where it is installed: `pip install langchain-openai pydantic-ai ...`.

They are no dependency of ours, not even for development: between them they bring a hundred packages. What they need of
the API is held by tests of its own (`tests/sandbox`, `test_openai_python`); here is shown that the whole works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pydantic = pytest.importorskip("pydantic")

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import SandboxRouter

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(120)]  # their warnings and their imports
MODEL = "claude-haiku-4-5"
PROMPT = "Oslo has 700000 inhabitants."


class City(pydantic.BaseModel):  # type: ignore[misc,name-defined] - imported only where it is installed
    name: str
    population: int


def is_oslo(city: Any) -> bool:
    return bool((city.name, city.population) == ("Oslo", 700000))


def needs(module: str) -> Any:
    return pytest.importorskip(module, reason=f"{module} is not installed, and no dependency", exc_type=ImportError)


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_langchain_gives_objects(router: SandboxRouter, method: str) -> None:
    model = needs("langchain_openai").ChatOpenAI(model=MODEL, base_url=router.base_url, api_key=router.issue_key())
    asked = f"{PROMPT} Answer as JSON with the keys name and population (integer)."
    assert is_oslo(model.with_structured_output(City, method=method).invoke(asked))


def test_langchain_streams_and_embeds(router: SandboxRouter) -> None:
    langchain = needs("langchain_openai")
    key = router.issue_key()
    model = langchain.ChatOpenAI(model=MODEL, base_url=router.base_url, api_key=key)
    assert "391" in "".join(str(chunk.content) for chunk in model.stream("What is 17 * 23?"))
    makes = langchain.OpenAIEmbeddings(
        model="gemini-embedding-2", base_url=router.base_url, api_key=key, check_embedding_ctx_length=False
    )
    assert [len(vector) for vector in makes.embed_documents(["one", "two"])] == [3072, 3072]


def test_langchain_reads_json_asked_for_in_words(router: SandboxRouter) -> None:
    langchain = needs("langchain_openai")
    parser = needs("langchain_core.output_parsers").PydanticOutputParser(pydantic_object=City)
    model = langchain.ChatOpenAI(model=MODEL, base_url=router.base_url, api_key=router.issue_key())
    assert is_oslo(parser.invoke(model.invoke(f"{parser.get_format_instructions()}\n\n{PROMPT}")))


@pytest.mark.parametrize("mode", ["ToolOutput", "NativeOutput", "PromptedOutput"])
def test_pydantic_ai_gives_objects(router: SandboxRouter, mode: str) -> None:
    pydantic_ai = needs("pydantic_ai")
    models, providers = needs("pydantic_ai.models.openai"), needs("pydantic_ai.providers.openai")
    provider = providers.OpenAIProvider(base_url=router.base_url, api_key=router.issue_key())
    model = models.OpenAIChatModel(MODEL, provider=provider)
    agent = pydantic_ai.Agent(model, output_type=getattr(pydantic_ai, mode)(City))
    assert is_oslo(agent.run_sync(PROMPT).output)


@pytest.mark.parametrize("mode", ["TOOLS", "JSON", "MD_JSON", "JSON_SCHEMA"])
def test_instructor_gives_objects(router: SandboxRouter, mode: str) -> None:
    instructor, openai = needs("instructor"), needs("openai")
    client = openai.OpenAI(base_url=router.base_url, api_key=router.issue_key())
    patched = instructor.from_openai(client, mode=getattr(instructor.Mode, mode))
    messages = [{"role": "user", "content": PROMPT}]
    assert is_oslo(patched.chat.completions.create(model=MODEL, messages=messages, response_model=City, max_retries=0))


def test_litellm_asks_streams_and_embeds(router: SandboxRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it fetches its prices from elsewhere
    litellm = needs("litellm")
    where = {"api_base": router.base_url, "api_key": router.issue_key()}
    asked: Any = {"model": f"openai/{MODEL}", "messages": [{"role": "user", "content": "What is 17 * 23?"}], **where}
    assert "391" in litellm.completion(**asked).choices[0].message.content
    chunks = litellm.completion(**asked, stream=True)
    assert "391" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    made = litellm.embedding(model="openai/gemini-embedding-2", input=["one"], **where)
    assert len(made.data[0]["embedding"]) == 3072


def test_llm_asks_with_a_schema(router: SandboxRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    needs("llm")
    chat = needs("llm.default_plugins.openai_models").Chat
    model = chat(MODEL, model_name=MODEL, api_base=router.base_url, supports_schema=True)
    model.key = router.issue_key()
    assert "391" in model.prompt("What is 17 * 23?", stream=False).text()
    assert "391" in model.prompt("What is 17 * 23?", stream=True).text()
    assert is_oslo(City.model_validate_json(model.prompt(PROMPT, schema=City, stream=False).text()))
