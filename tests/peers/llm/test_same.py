"""The same things done by the vendors' SDKs and by our crate, and what each sent compared field by field.

A difference is mended, or it stands in differences.json with its reason. One that stands there and no longer occurs fails too.
"""

import base64
import json
import pathlib

import anthropic
import google.genai
import openai
from google.genai import types
from side_by_side import Differences
from world import HANDOVER, KEY, OGG, PNG, SHAPE, World

B64 = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{B64}"
SYSTEM = "You answer for Acme Homes."


# What our crate is asked, in its own words.
def text(words):
    return {"kind": "text", "text": words}


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def assistant(*parts):
    return {"role": "assistant", "parts": list(parts)}


TOOL = {"name": "handover", "description": "Pass to a person", "parameters": {"name": "handover", "schema": HANDOVER}}
TALK = {"system": SYSTEM, "turns": [user(text("Hi")), assistant(text("Hello")), user(text("Which room?"))], "maxOutput": 1024}
SEEN = {"turns": [user({"kind": "image", "mime": "image/png", "bytes": B64}, text("Which room?"))], "maxOutput": 1024}
SHAPED = {"turns": [user(text("Hi"))], "answer": {"name": "answer", "schema": SHAPE}, "maxOutput": 1024}
TOOLED = {"turns": [user(text("Hi"))], "tools": [TOOL], "choice": "any", "maxOutput": 1024}
NAMED = {"turns": [user(text("Hi"))], "tools": [TOOL], "choice": {"named": "handover"}, "maxOutput": 1024}
CALL = {"kind": "toolCall", "id": "c1", "name": "handover", "arguments": {"reason": "asked"}}
RESULT = {"kind": "toolResult", "id": "c1", "name": "handover", "text": "Somebody is there"}
LOOP = {"turns": [user(text("A person, please")), assistant(CALL), user(RESULT)], "tools": [TOOL], "maxOutput": 1024}
SET = {"turns": [user(text("Hi"))], "maxOutput": 1024, "effort": "low", "user": "u-7f3a", "cache": "acme-assistant"}


def claude(url):
    client = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
    model, hi = "claude-haiku-5-5", [{"role": "user", "content": "Hi"}]
    tool = {"name": "handover", "description": "Pass to a person", "strict": True, "input_schema": HANDOVER}
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Which room?"}]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": B64}}
    loop = [
        {"role": "user", "content": "A person, please"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "handover", "input": {"reason": "asked"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "Somebody is there"}]},
    ]

    def ask(**more):
        return lambda: client.messages.create(model=model, max_tokens=1024, **more)

    def stream():
        with client.messages.stream(model=model, max_tokens=1024, system=SYSTEM, messages=talk) as stream:
            stream.get_final_message()

    form = {"type": "json_schema", "schema": SHAPE}
    cached = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    chat = {"kind": "claude", "base": url, "model": model}
    return {
        "talk": (ask(system=SYSTEM, messages=talk), {**chat, "chat": TALK}),
        "stream": (stream, {**chat, "chat": TALK, "stream": True}),
        "image": (ask(messages=[{"role": "user", "content": [image, {"type": "text", "text": "Which room?"}]}]), {**chat, "chat": SEEN}),
        "shape": (ask(messages=hi, output_config={"format": form}), {**chat, "chat": SHAPED}),
        "tool": (ask(messages=hi, tools=[tool], tool_choice={"type": "any"}), {**chat, "chat": TOOLED}),
        "named tool": (ask(messages=hi, tools=[tool], tool_choice={"type": "tool", "name": "handover"}), {**chat, "chat": NAMED}),
        "tool loop": (ask(messages=loop, tools=[tool]), {**chat, "chat": LOOP}),
        "settings": (
            ask(messages=hi, system=cached, output_config={"effort": "low"}, metadata={"user_id": "u-7f3a"}),
            {**chat, "chat": {**SET, "system": SYSTEM}},
        ),
        "list": (lambda: client.models.list(limit=1000), chat),
    }


def openai_chat(url, kind="openai", model="gpt-6-luna", most="max_completion_tokens"):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    ours = {"store": False} if kind == "openai" else {}
    hi = [{"role": "user", "content": "Hi"}]
    tool = {"type": "function", "function": {"name": "handover", "description": "Pass to a person", "parameters": HANDOVER, "strict": True}}
    talk = [{"role": "system", "content": SYSTEM}, *hi, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Which room?"}]
    image = {"type": "image_url", "image_url": {"url": DATA_URL}}
    call = {"id": "c1", "type": "function", "function": {"name": "handover", "arguments": json.dumps({"reason": "asked"}, separators=(",", ":"))}}
    loop = [
        {"role": "user", "content": "A person, please"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Somebody is there"},
    ]

    def ask(**more):
        return lambda: client.chat.completions.create(model=model, **{most: 1024}, **ours, **more)

    def stream():
        with client.chat.completions.stream(model=model, **{most: 1024}, **ours, messages=talk, stream_options={"include_usage": True}) as stream:
            stream.get_final_completion()

    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SHAPE}}
    named = {"type": "function", "function": {"name": "handover"}}
    chat = {"kind": kind, "base": f"{url}/v1", "model": model}
    operations = {
        "talk": (ask(messages=talk), {**chat, "chat": TALK}),
        "stream": (stream, {**chat, "chat": TALK, "stream": True}),
        "image": (ask(messages=[{"role": "user", "content": [image, {"type": "text", "text": "Which room?"}]}]), {**chat, "chat": SEEN}),
        "shape": (ask(messages=hi, response_format=form), {**chat, "chat": SHAPED}),
        "tool": (ask(messages=hi, tools=[tool], tool_choice="required"), {**chat, "chat": TOOLED}),
        "named tool": (ask(messages=hi, tools=[tool], tool_choice=named), {**chat, "chat": NAMED}),
        "tool loop": (ask(messages=loop, tools=[tool]), {**chat, "chat": LOOP}),
        "vectors": (
            lambda: client.embeddings.create(model=model, input=["a flat", "a house"], dimensions=256, encoding_format="float"),
            {**chat, "embed": {"texts": ["a flat", "a house"], "dimensions": 256}},
        ),
        "recording": (
            lambda: client.audio.transcriptions.create(model=model, file=("recording.ogg", OGG, "audio/ogg"), language="sw", response_format="json"),
            {**chat, "audio": {"mime": "audio/ogg; codecs=opus", "bytes": base64.b64encode(OGG).decode(), "language": "sw"}},
        ),
        "list": (lambda: client.models.list(), chat),
    }
    if kind == "openai":
        settings = {"reasoning_effort": "low", "safety_identifier": "u-7f3a", "prompt_cache_key": "acme-assistant"}
        operations["settings"] = (ask(messages=hi, **settings), {**chat, "chat": SET})
    return operations


def compatible(url):
    return openai_chat(url, "compatible", "qwen3", "max_tokens")


def responses(url):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    model = "gpt-6-luna"
    hi = [{"role": "user", "content": "Hi"}]
    tool = {"type": "function", "name": "handover", "description": "Pass to a person", "parameters": HANDOVER, "strict": True}
    talk = [*hi, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Which room?"}]
    image = {"type": "input_image", "image_url": DATA_URL, "detail": "auto"}
    loop = [
        {"role": "user", "content": "A person, please"},
        {"type": "function_call", "call_id": "c1", "name": "handover", "arguments": json.dumps({"reason": "asked"}, separators=(",", ":"))},
        {"type": "function_call_output", "call_id": "c1", "output": "Somebody is there"},
    ]

    def ask(**more):
        return lambda: client.responses.create(model=model, max_output_tokens=1024, store=False, **more)

    def stream():
        with client.responses.stream(model=model, max_output_tokens=1024, store=False, instructions=SYSTEM, input=talk) as stream:
            stream.get_final_response()

    thoughts = {"include": ["reasoning.encrypted_content"]}
    form = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SHAPE}}
    chat = {"kind": "openai-responses", "base": f"{url}/v1", "model": model}
    settings = {"reasoning": {"effort": "low"}, "safety_identifier": "u-7f3a", "prompt_cache_key": "acme-assistant"}
    return {
        "talk": (ask(instructions=SYSTEM, input=talk), {**chat, "chat": TALK}),
        "stream": (stream, {**chat, "chat": TALK, "stream": True}),
        "image": (ask(input=[{"role": "user", "content": [image, {"type": "input_text", "text": "Which room?"}]}]), {**chat, "chat": SEEN}),
        "shape": (ask(input=hi, text=form), {**chat, "chat": SHAPED}),
        "tool": (ask(input=hi, tools=[tool], tool_choice="required", **thoughts), {**chat, "chat": TOOLED}),
        "named tool": (ask(input=hi, tools=[tool], tool_choice={"type": "function", "name": "handover"}, **thoughts), {**chat, "chat": NAMED}),
        "tool loop": (ask(input=loop, tools=[tool], **thoughts), {**chat, "chat": LOOP}),
        "settings": (ask(input=hi, **settings), {**chat, "chat": SET}),
    }


def gemini(url):
    client = google.genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))
    model = "gemini-3.8-flash"
    signature = b"a thought"
    tool = types.Tool(
        function_declarations=[types.FunctionDeclaration(name="handover", description="Pass to a person", parameters_json_schema=HANDOVER)]
    )
    manual = types.AutomaticFunctionCallingConfig(disable=True)

    def content(role, *parts):
        return types.Content(role=role, parts=list(parts))

    def said(words):
        return types.Part(text=words)

    hi = [content("user", said("Hi"))]
    talk = [*hi, content("model", said("Hello")), content("user", said("Which room?"))]
    image = types.Part.from_bytes(data=PNG, mime_type="image/png")
    call = types.FunctionCall(id="c1", name="handover", args={"reason": "asked"})
    result = types.FunctionResponse(id="c1", name="handover", response={"output": "Somebody is there"})
    loop = [
        content("user", said("A person, please")),
        content("model", types.Part(function_call=call, thought_signature=signature)),
        content("user", types.Part(function_response=result)),
    ]
    kept = {"kind": "kept", "vendor": "gemini", "data": {"thoughtSignature": base64.b64encode(signature).decode()}}

    def ask(contents, **config):
        config = types.GenerateContentConfig(max_output_tokens=1024, **config)
        return lambda: client.models.generate_content(model=model, contents=contents, config=config)

    def stream():
        config = types.GenerateContentConfig(max_output_tokens=1024, system_instruction=SYSTEM)
        list(client.models.generate_content_stream(model=model, contents=talk, config=config))

    def calling(**how):
        return {"tools": [tool], "automatic_function_calling": manual, "tool_config": types.ToolConfig(function_calling_config=types.FunctionCallingConfig(**how))}

    chat = {"kind": "gemini", "base": f"{url}/v1beta", "model": model}
    vectors = types.EmbedContentConfig(output_dimensionality=256, task_type="RETRIEVAL_QUERY")
    embedding = "gemini-embedding-001"
    return {
        "talk": (ask(talk, system_instruction=SYSTEM), {**chat, "chat": TALK}),
        "stream": (stream, {**chat, "chat": TALK, "stream": True}),
        "image": (ask([content("user", image, said("Which room?"))]), {**chat, "chat": SEEN}),
        "shape": (ask(hi, response_mime_type="application/json", response_json_schema=SHAPE), {**chat, "chat": SHAPED}),
        "tool": (ask(hi, **calling(mode="ANY")), {**chat, "chat": TOOLED}),
        "named tool": (ask(hi, **calling(mode="ANY", allowed_function_names=["handover"])), {**chat, "chat": NAMED}),
        "tool loop": (
            ask(loop, tools=[tool], automatic_function_calling=manual),
            {**chat, "chat": {**LOOP, "turns": [LOOP["turns"][0], assistant(kept, CALL), LOOP["turns"][2]]}},
        ),
        "settings": (
            ask(hi, temperature=0.2, thinking_config=types.ThinkingConfig(thinking_level="LOW")),
            {**chat, "chat": {**SET, "temperature": 0.2}},
        ),
        "vectors": (
            lambda: client.models.embed_content(model=embedding, contents=["a flat", "a house"], config=vectors),
            {**chat, "model": embedding, "embed": {"texts": ["a flat", "a house"], "dimensions": 256, "purpose": "query"}},
        ),
        "list": (lambda: client.models.list(config={"page_size": 1000}), chat),
    }


VENDORS = {"claude": claude, "openai": openai_chat, "openai-responses": responses, "compatible": compatible, "gemini": gemini}


def respelled(value, names):
    """The same with other names for some keys."""
    if isinstance(value, dict):
        return {names.get(key, key): respelled(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [respelled(one, names) for one in value]
    return value


def sent(request):
    """What of a request is compared: everything but where and when it was received."""
    whole = {key: request[key] for key in ["method", "path", "query", "headers", "body"]}
    kind = whole["headers"].get("content-type", "")
    if kind.startswith("multipart/"):
        whole["headers"]["content-type"] = kind.split(";")[0]  # the boundary is by chance
    return whole


class Same(World):
    def test_our_crate_sends_what_the_sdks_send(self):
        differences = Differences(pathlib.Path(__file__).parent / "differences.json")
        for kind, operations in VENDORS.items():
            for name, (theirs, ours) in operations(self.url).items():
                self.control("DELETE", "requests")
                theirs()
                [came] = self.does("operations", [ours])
                self.assertNotIn("failed", came, f"{kind}, {name}")
                requests = self.requests()
                self.assertEqual([request["status"] for request in requests], [200, 200], f"{kind}, {name}")
                differences.rewritten("respell", kind, name, lambda names, sent=requests[0]: respell(sent, names))
                differences.compare(kind, name, sent(requests[0]), sent(requests[1]))
        differences.settle(self)


def respell(request, names):
    """Gives some keys of the body the names that we use."""
    before, request["body"] = request["body"], respelled(request["body"], names)
    return request["body"] != before
