"""`POST /v1/embeddings`: vectors that depend only on the text; texts with words in common are closer together.

The service's documentation doesn't describe this route; it follows OpenAI's: limits, `dimensions`, `encoding_format`,
token arrays, usage.
"""

from __future__ import annotations

import array
import asyncio
import base64
import hashlib
import math
import struct
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.asked import AskedEndpoint
from tetrate_jupyter.sandbox.replies.words import stem, words
from tetrate_jupyter.sandbox.usage import tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tetrate_jupyter.sandbox.faults import Route

_KNOWN: Final = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_MOST_INPUTS: Final = 2048  # OpenAI's limit for one request
_MOST_TOKENS: Final = 8192  # tokens of one input
_MOST_TOKENS_IN_ALL: Final = 300_000
_FULL_SIZE: Final = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
_USUAL_SIZE: Final = 3072  # Gemini's, used for any other model
_FIXED_SIZE: Final = frozenset({"text-embedding-ada-002"})
_PLACES: Final = 16  # dimensions of a vector that one word adds to
_NOISE: Final = 0.02  # a text's own part in each dimension, so that none is 0 and no two texts are equal


class EmbeddingsEndpoint(AskedEndpoint):
    """The embeddings route."""

    route: ClassVar[Route] = "embeddings"

    async def post(self) -> None:
        """Answer with one vector per input."""
        self.check_key()
        body = self.read_body()
        if unknown := sorted(body.keys() - _KNOWN):
            raise bad_request(f"Unrecognized request argument supplied: {', '.join(unknown)}", param=unknown[0])
        model = self.state.models.find_embedding(body.get("model"))
        inputs = _inputs(body.get("input"))
        size = _size(model, body.get("dimensions"))
        as_text = _is_base64(body.get("encoding_format"))
        data = []
        for index, given in enumerate(inputs):
            vector = embed(model, given, _FULL_SIZE.get(model, _USUAL_SIZE), size)
            shown: list[float] | str = packed(vector) if as_text else list(vector)
            data.append({"object": "embedding", "index": index, "embedding": shown})
            await asyncio.sleep(0)  # thousands of inputs must not block other streams
        tokens = sum(map(_tokens, inputs))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        await self.send_json({"object": "list", "data": data, "model": model, "usage": usage})


def embed(model: str, given: str | list[int], full_size: int, size: int) -> array.array[float]:
    """Return the vector of a text or of tokens: `full_size` dimensions, cut to `size` and scaled to length 1."""
    features = [str(t) for t in given] if isinstance(given, list) else [stem(w) for w in words(given)]
    noise = hashlib.shake_256(f"{model}|{given}".encode("utf-8", "replace")).digest(2 * full_size)
    vector = [_NOISE * value / 32768 for value in struct.unpack(f"<{full_size}h", noise)]
    for feature in features:
        drawn = hashlib.blake2b(f"{model}|{feature}".encode("utf-8", "replace"), digest_size=4 * _PLACES).digest()
        for value in struct.unpack(f"<{_PLACES}I", drawn):
            vector[(value >> 1) % full_size] += 1.0 if value & 1 else -1.0
    return _of_length_one(vector[:size])


def packed(vector: array.array[float]) -> str:
    """Return the vector as base64 of little-endian 32-bit floats."""
    copy = array.array("f", vector)
    if sys.byteorder == "big":
        copy.byteswap()
    return base64.b64encode(copy.tobytes()).decode("ascii")


def _of_length_one(vector: Iterable[float]) -> array.array[float]:
    values = list(vector)
    length = math.sqrt(sum(v * v for v in values)) or 1.0
    return array.array("f", (v / length for v in values))  # 32 bits, so that both formats have the same values


def _inputs(given: object) -> list[str | list[int]]:
    if isinstance(given, str) or _is_tokens(given):
        inputs: list[Any] = [given]
    elif isinstance(given, list) and given and (_all_text(given) or all(map(_is_tokens, given))):
        inputs = given
    else:
        raise bad_request("'input' must be text, a list of texts, tokens, or a list of tokens.", param="input")
    if len(inputs) > _MOST_INPUTS:
        raise bad_request(f"'input' may have {_MOST_INPUTS} entries, not {len(inputs)}.", param="input")
    if not all(inputs):
        raise bad_request("'input' cannot be an empty string.", param="input")
    counts = [_tokens(each) for each in inputs]
    if max(counts) > _MOST_TOKENS:
        raise bad_request(
            f"This model's maximum context length is {_MOST_TOKENS} tokens, you requested {max(counts)} tokens.",
            code="context_length_exceeded",
            param="input",
        )
    if sum(counts) > _MOST_TOKENS_IN_ALL:
        raise bad_request(f"One request may have {_MOST_TOKENS_IN_ALL} tokens, not {sum(counts)}.", param="input")
    return inputs


def _is_tokens(given: object) -> bool:
    return isinstance(given, list) and bool(given) and all(type(t) is int and t >= 0 for t in given)


def _all_text(given: list[Any]) -> bool:
    return all(isinstance(each, str) for each in given)


def _tokens(given: str | list[int]) -> int:
    return tokens_in(given) if isinstance(given, str) else len(given)


def _size(model: str, wanted: object) -> int:
    full = _FULL_SIZE.get(model, _USUAL_SIZE)
    if wanted is None:
        return full
    if model in _FIXED_SIZE:
        raise bad_request("This model does not support specifying dimensions.", param="dimensions")
    if type(wanted) is not int or not 1 <= wanted <= full:
        raise bad_request(f"'dimensions' must be a whole number from 1 to {full}.", param="dimensions")
    return wanted


def _is_base64(wanted: object) -> bool:
    if wanted not in (None, "float", "base64"):
        raise bad_request("'encoding_format' must be float or base64.", param="encoding_format")
    return wanted == "base64"
