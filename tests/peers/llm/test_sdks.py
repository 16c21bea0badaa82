"""The vendors' own SDKs drive the simulator: if they understand it, it speaks as their vendors do."""

import base64
import json

import anthropic
import google.genai
import google.genai.errors
import openai
from google.genai import types
from world import HANDOVER, KEY, OGG, PNG, SHAPE, World

DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


class Anthropic(World):
    def client(self, **more):
        return anthropic.Anthropic(base_url=self.url, api_key=KEY, max_retries=0, **more)

    def ask(self, model="claude-haiku-5-5", **more):
        more.setdefault("messages", [{"role": "user", "content": "Hello"}])
        return self.client().messages.create(model=model, max_tokens=1024, **more)

    def test_words_with_a_system_text_and_what_they_cost(self):
        message = self.ask(system="You answer for Acme Homes.")
        self.assertEqual(message.content[0].text, "(simulated) You said: Hello")
        self.assertEqual((message.stop_reason, message.role, message.model), ("end_turn", "assistant", "claude-haiku-5-5"))
        self.assertGreater(message.usage.input_tokens, 6)
        self.assertEqual(message.usage.output_tokens, 7)
        self.assertEqual(message._request_id, "req_sim_000001")

    def test_an_image(self):
        source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
        message = self.ask(messages=[{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "What?"}]}])
        self.assertIn("I got 1 image.", message.content[0].text)

    def test_a_tool_is_used_and_its_result_heard(self):
        tools = [{"name": "handover", "description": "Pass to a person", "strict": True, "input_schema": HANDOVER}]
        turns = [{"role": "user", "content": "Handover, please"}]
        message = self.ask(messages=turns, tools=tools)
        self.assertEqual(message.stop_reason, "tool_use")
        call = message.content[0]
        self.assertEqual((call.name, call.input), ("handover", {"reason": "simulated"}))
        turns += [
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Somebody is there"}]},
        ]
        self.assertEqual(self.ask(messages=turns, tools=tools).content[0].text, "(simulated) The tool answered: Somebody is there")

    def test_an_answer_with_a_shape(self):
        message = self.ask(output_config={"format": {"type": "json_schema", "schema": SHAPE}})
        self.assertEqual(json.loads(message.content[0].text), {"intent": "book", "reply": "(simulated) You said: Hello"})

    def test_a_stream_is_the_same_message(self):
        tools = [{"name": "handover", "description": "Pass to a person", "input_schema": HANDOVER}]
        for words in ["Hello", "Handover, please"]:
            ask = {"model": "m", "max_tokens": 1024, "tools": tools, "messages": [{"role": "user", "content": words}]}
            with self.client().messages.stream(**ask) as stream:
                shown = "".join(stream.text_stream)
                message = stream.get_final_message()
            whole = self.client().messages.create(**ask)
            self.assertEqual(shown, "".join(block.text for block in whole.content if block.type == "text"))
            self.assertEqual(message.stop_reason, whole.stop_reason)
            self.assertEqual(message.usage.output_tokens, whole.usage.output_tokens)
            self.assertEqual([block.type for block in message.content], [block.type for block in whole.content])
            if whole.content[0].type == "tool_use":
                self.assertEqual(message.content[0].input, whole.content[0].input)

    def test_a_refusal(self):
        self.play("m", {"does": "refuse", "category": "bio"})
        message = self.ask("m")
        self.assertEqual((message.stop_reason, message.stop_details.category, message.content), ("refusal", "bio", []))

    def test_each_error_is_the_one_its_users_know(self):
        for play, error, status in [
            ({"does": "overloaded"}, anthropic.InternalServerError, 529),
            ({"does": "rate", "after": 7}, anthropic.RateLimitError, 429),
            ({"does": "noMoney"}, anthropic.RateLimitError, 429),
            ({"does": "badKey"}, anthropic.AuthenticationError, 401),
            ({"does": "retired"}, anthropic.NotFoundError, 404),
            ({"does": "tooLong"}, anthropic.BadRequestError, 400),
            ({"does": "busy"}, anthropic.ConflictError, 409),
            ({"does": "dislikes", "parameter": "temperature"}, anthropic.BadRequestError, 400),
            ({"does": "fails", "status": 500}, anthropic.InternalServerError, 500),
        ]:
            with self.subTest(play=play):
                self.play("m", play)
                with self.assertRaises(error) as raised:
                    self.ask("m")
                self.assertEqual(raised.exception.status_code, status)
                self.assertEqual(raised.exception.body["type"], "error")
                if play["does"] == "rate":
                    self.assertEqual(raised.exception.response.headers["retry-after"], "7")
                if play["does"] == "noMoney":
                    self.assertEqual(type(raised.exception).__name__, "EnforcedSpendLimitReachedError")
                if play["does"] == "overloaded":
                    self.assertIsInstance(raised.exception, anthropic.OverloadedError)

    def test_an_error_in_a_stream_and_a_cut(self):
        for model in ["sim-breaks", "sim-cut-off"]:
            with self.subTest(model), self.assertRaises(Exception) as raised:
                with self.client().messages.stream(model=model, max_tokens=64, messages=[{"role": "user", "content": "Hello"}]) as stream:
                    stream.get_final_message()
            self.assertNotIsInstance(raised.exception, AssertionError)

    def test_it_tries_again_by_itself_what_may_pass(self):
        client = anthropic.Anthropic(base_url=self.url, api_key=KEY, max_retries=2)
        message = client.messages.create(model="sim-fails:1", max_tokens=64, messages=[{"role": "user", "content": "Hello"}])
        self.assertEqual(message.stop_reason, "end_turn")
        self.assertEqual(len(self.requests()), 2)

    def test_a_hang_ends_with_the_callers_patience(self):
        with self.assertRaises(anthropic.APITimeoutError):
            self.client(timeout=0.2).messages.create(model="sim-hang", max_tokens=64, messages=[{"role": "user", "content": "Hello"}])

    def test_both_versions_and_both_headers(self):
        old = {"anthropic-version": "2023-06-01"}
        self.assertEqual(self.ask(extra_headers=old, extra_body={"temperature": 0.5}).stop_reason, "end_turn")
        with self.assertRaises(anthropic.BadRequestError):
            self.ask(extra_body={"temperature": 0.5})

    def test_counting_and_listing(self):
        count = self.client().messages.count_tokens(model="m", messages=[{"role": "user", "content": "Hello you"}])
        self.assertEqual(count.input_tokens, 3)
        models = {model.id: model.lifecycle for model in self.client().models.list()}
        self.assertEqual(models["claude-haiku-5-5"], "active")
        self.assertEqual(models["claude-opus-4-1"], "retired")


class OpenAiChat(World):
    def client(self, **more):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0, **more)

    def ask(self, model="gpt-6-luna", **more):
        more.setdefault("messages", [{"role": "user", "content": "Hello"}])
        return self.client().chat.completions.create(model=model, **more)

    def tools(self):
        return [{"type": "function", "function": {"name": "handover", "description": "Pass", "parameters": HANDOVER, "strict": True}}]

    def test_words_an_image_and_what_they_cost(self):
        content = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": DATA_URL}}]
        messages = [{"role": "system", "content": "You answer for Acme Homes."}, {"role": "user", "content": content}]
        answer = self.ask(messages=messages, max_completion_tokens=1024)
        self.assertEqual(answer.choices[0].message.content, "(simulated) You said: What? I got 1 image.")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertEqual(answer._request_id, "req_sim_000001")

    def test_a_tool_is_used_and_its_result_heard(self):
        turns = [{"role": "user", "content": "Handover, please"}]
        answer = self.ask(messages=turns, tools=self.tools())
        message = answer.choices[0].message
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        self.assertEqual(json.loads(message.tool_calls[0].function.arguments), {"reason": "simulated"})
        turns += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Somebody is there"}]
        answer = self.ask(messages=turns, tools=self.tools())
        self.assertEqual(answer.choices[0].message.content, "(simulated) The tool answered: Somebody is there")

    def test_an_answer_with_a_shape(self):
        shape = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SHAPE}}
        answer = self.ask(response_format=shape)
        self.assertEqual(json.loads(answer.choices[0].message.content)["intent"], "book")
        loose = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object", "properties": {}}}}
        with self.assertRaises(openai.BadRequestError):
            self.ask(response_format=loose)

    def test_a_stream_is_the_same_answer(self):
        for words in ["Hello", "Handover, please"]:
            messages = [{"role": "user", "content": words}]
            with self.client().chat.completions.stream(
                model="gpt-6-luna", messages=messages, tools=self.tools(), stream_options={"include_usage": True}
            ) as stream:
                for _ in stream:
                    pass
                streamed = stream.get_final_completion()
            whole = self.ask(messages=messages, tools=self.tools())
            self.assertEqual(streamed.choices[0].message.content, whole.choices[0].message.content)
            self.assertEqual(streamed.choices[0].finish_reason, whole.choices[0].finish_reason)
            self.assertEqual(streamed.usage, whole.usage)
            if whole.choices[0].message.tool_calls:
                [ours], [theirs] = whole.choices[0].message.tool_calls, streamed.choices[0].message.tool_calls
                self.assertEqual((ours.function.name, ours.function.arguments), (theirs.function.name, theirs.function.arguments))

    def test_refusals(self):
        self.play("m", {"does": "refuse"}, {"does": "block"})
        self.assertIn("can't help", self.ask("m").choices[0].message.refusal)
        self.assertEqual(self.ask("m").choices[0].finish_reason, "content_filter")

    def test_each_error_is_the_one_its_users_know(self):
        for play, error, code in [
            ({"does": "overloaded"}, openai.InternalServerError, "server_is_overloaded"),
            ({"does": "rate", "after": 7}, openai.RateLimitError, "rate_limit_exceeded"),
            ({"does": "noMoney"}, openai.RateLimitError, "credit_balance_exhausted"),
            ({"does": "badKey"}, openai.AuthenticationError, "invalid_api_key"),
            ({"does": "retired"}, openai.NotFoundError, "model_not_found"),
            ({"does": "tooLong"}, openai.BadRequestError, "context_length_exceeded"),
            ({"does": "busy"}, openai.ConflictError, None),
            ({"does": "dislikes", "parameter": "temperature"}, openai.BadRequestError, "unsupported_parameter"),
            ({"does": "fails", "status": 502}, openai.InternalServerError, None),
        ]:
            with self.subTest(play=play):
                self.play("m", play)
                with self.assertRaises(error) as raised:
                    self.ask("m")
                self.assertEqual(raised.exception.code, code)
                if play["does"] == "dislikes":
                    self.assertEqual(raised.exception.param, "temperature")
                if play["does"] == "noMoney":
                    self.assertEqual(raised.exception.type, "insufficient_quota")

    def test_newer_models_are_particular(self):
        for settings in [{"max_tokens": 64}, {"temperature": 0.2}]:
            with self.subTest(settings), self.assertRaises(openai.BadRequestError):
                self.ask(**settings)
            self.assertEqual(self.ask("qwen3", **settings).choices[0].finish_reason, "stop")

    def test_a_stream_that_breaks_and_a_hang(self):
        with self.assertRaises(openai.APIError):
            list(self.ask("sim-breaks", stream=True))
        with self.assertRaises(Exception) as raised:
            list(self.ask("sim-cut-off", stream=True))
        self.assertNotIsInstance(raised.exception, AssertionError)
        with self.assertRaises(openai.APITimeoutError):
            self.client(timeout=0.2).chat.completions.create(model="sim-hang", messages=[{"role": "user", "content": "Hello"}])

    def test_vectors_in_both_forms(self):
        for form in [{}, {"encoding_format": "float"}]:
            answer = self.client().embeddings.create(model="text-embedding-3-small", input=["a flat", "a house"], dimensions=256, **form)
            self.assertEqual([len(one.embedding) for one in answer.data], [256, 256])
            self.assertAlmostEqual(sum(number * number for number in answer.data[0].embedding), 1.0, places=4)

    def test_a_recording(self):
        answer = self.client().audio.transcriptions.create(model="gpt-transcribe", file=("voice.ogg", OGG, "audio/ogg"), language="sw")
        self.assertEqual(answer.text, "(simulated) A recording of 5004 bytes.")

    def test_listing(self):
        self.assertIn("gpt-6-luna", [model.id for model in self.client().models.list()])
        self.assertEqual(self.client().models.retrieve("gpt-6-luna").id, "gpt-6-luna")


class OpenAiResponses(World):
    def client(self, **more):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0, **more)

    def ask(self, model="gpt-6-luna", **more):
        more.setdefault("input", "Hello")
        return self.client().responses.create(model=model, store=False, **more)

    def tools(self):
        return [{"type": "function", "name": "handover", "description": "Pass", "parameters": HANDOVER, "strict": True}]

    def test_words_an_image_and_what_they_cost(self):
        content = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": DATA_URL, "detail": "auto"}]
        answer = self.ask(instructions="You answer for Acme Homes.", input=[{"role": "user", "content": content}], max_output_tokens=1024)
        self.assertEqual(answer.output_text, "(simulated) You said: What? I got 1 image.")
        self.assertEqual((answer.status, answer.usage.output_tokens), ("completed", 11))

    def test_a_tool_is_used_and_its_result_heard(self):
        turns = [{"role": "user", "content": "Handover, please"}]
        answer = self.ask(input=turns, tools=self.tools())
        call = answer.output[0]
        self.assertEqual((call.type, call.name, json.loads(call.arguments)), ("function_call", "handover", {"reason": "simulated"}))
        turns += [
            {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
            {"type": "function_call_output", "call_id": call.call_id, "output": "Somebody is there"},
        ]
        self.assertEqual(self.ask(input=turns, tools=self.tools()).output_text, "(simulated) The tool answered: Somebody is there")

    def test_an_answer_with_a_shape(self):
        answer = self.ask(text={"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SHAPE}})
        self.assertEqual(json.loads(answer.output_text)["intent"], "book")

    def test_a_stream_is_the_same_answer(self):
        for words in ["Hello", "Handover, please"]:
            shown, kinds = "", []
            with self.client().responses.stream(model="gpt-6-luna", input=words, tools=self.tools(), store=False) as stream:
                for event in stream:
                    kinds.append(event.type)
                    if event.type == "response.output_text.delta":
                        shown += event.delta
                streamed = stream.get_final_response()
            whole = self.ask(input=words, tools=self.tools())
            self.assertEqual((shown, streamed.output_text), (whole.output_text, whole.output_text))
            self.assertEqual(streamed.usage, whole.usage)
            self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))

    def test_refusal_filter_and_limit(self):
        self.play("m", {"does": "refuse"}, {"does": "block"}, {"does": "cutShort"})
        self.assertEqual(self.ask("m").output[0].content[0].type, "refusal")
        self.assertEqual(self.ask("m").incomplete_details.reason, "content_filter")
        self.assertEqual(self.ask("m").incomplete_details.reason, "max_output_tokens")

    def test_a_stream_that_breaks(self):
        last = list(self.ask("sim-breaks", stream=True))[-1]
        self.assertEqual((last.type, last.code), ("error", "server_is_overloaded"))

    def test_errors(self):
        for play, error in [
            ({"does": "noMoney"}, openai.RateLimitError),
            ({"does": "retired"}, openai.NotFoundError),
            ({"does": "overloaded"}, openai.InternalServerError),
        ]:
            self.play("m", play)
            with self.assertRaises(error):
                self.ask("m")


class Gemini(World):
    def client(self, version="v1beta", **more):
        client = google.genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=self.url, api_version=version, **more))
        self.addCleanup(client.close)  # and it must be held: one that is let go closes itself in the middle of a call
        return client

    def ask(self, contents="Hello", model="gemini-3.8-flash", version="v1beta", **config):
        return self.client(version).models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(**config) if config else None
        )

    def tools(self):
        declared = types.FunctionDeclaration(name="handover", description="Pass", parameters_json_schema=HANDOVER)
        return [types.Tool(function_declarations=[declared])]

    def test_words_an_image_and_what_they_cost_in_both_versions(self):
        for version in ["v1", "v1beta"]:
            contents = [types.Part.from_bytes(data=PNG, mime_type="image/png"), "What?"]
            answer = self.ask(contents, version=version, system_instruction="You answer for Acme Homes.", max_output_tokens=1024)
            self.assertEqual(answer.text, "(simulated) You said: What? I got 1 image.")
            usage = answer.usage_metadata
            self.assertEqual(usage.total_token_count, usage.prompt_token_count + usage.candidates_token_count)
            self.assertEqual(answer.candidates[0].finish_reason, types.FinishReason.STOP)

    def test_a_tool_is_used_and_its_result_heard(self):
        turns = [types.Content(role="user", parts=[types.Part(text="Handover, please")])]
        config = {"tools": self.tools(), "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True)}
        answer = self.ask(turns, **config)
        call = answer.function_calls[0]
        self.assertEqual((call.name, call.args), ("handover", {"reason": "simulated"}))
        result = types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "Somebody is there"}))
        turns += [answer.candidates[0].content, types.Content(role="user", parts=[result])]
        self.assertEqual(self.ask(turns, **config).text, "(simulated) The tool answered: Somebody is there")
        unsigned = types.Content(role="model", parts=[types.Part(function_call=types.FunctionCall(id="a", name="handover", args={}))])
        with self.assertRaises(google.genai.errors.ClientError):
            self.ask([turns[0], unsigned, turns[2]], **config)

    def test_an_answer_with_a_shape(self):
        answer = self.ask(response_mime_type="application/json", response_json_schema=SHAPE)
        self.assertEqual(json.loads(answer.text)["intent"], "book")

    def test_a_stream_is_the_same_answer(self):
        config = types.GenerateContentConfig(
            tools=self.tools(), automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
        )
        for words in ["Hello", "Handover, please"]:
            pieces = list(self.client().models.generate_content_stream(model="gemini-3.8-flash", contents=words, config=config))
            whole = self.client().models.generate_content(model="gemini-3.8-flash", contents=words, config=config)
            parts = [part for piece in pieces for part in piece.candidates[0].content.parts]
            self.assertEqual("".join(part.text or "" for part in parts), "".join(p.text or "" for p in whole.candidates[0].content.parts))
            self.assertEqual([p.function_call.name for p in parts if p.function_call], [call.name for call in whole.function_calls or []])
            self.assertEqual(pieces[-1].usage_metadata, whole.usage_metadata)
            self.assertEqual(pieces[-1].candidates[0].finish_reason, types.FinishReason.STOP)

    def test_refusals(self):
        self.play("m", {"does": "refuse"}, {"does": "block"})
        self.assertEqual(self.ask(model="m").candidates[0].finish_reason, types.FinishReason.SAFETY)
        blocked = self.ask(model="m")
        self.assertEqual((blocked.candidates, blocked.prompt_feedback.block_reason), (None, types.BlockedReason.PROHIBITED_CONTENT))

    def test_each_error_is_the_one_its_users_know(self):
        for play, error, code, status in [
            ({"does": "overloaded"}, google.genai.errors.ServerError, 503, "UNAVAILABLE"),
            ({"does": "rate", "after": 7}, google.genai.errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
            ({"does": "dailyQuota"}, google.genai.errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
            ({"does": "noMoney"}, google.genai.errors.ClientError, 402, "PAYMENT_REQUIRED"),
            ({"does": "badKey"}, google.genai.errors.ClientError, 400, "INVALID_ARGUMENT"),
            ({"does": "retired"}, google.genai.errors.ClientError, 404, "NOT_FOUND"),
            ({"does": "tooLong"}, google.genai.errors.ClientError, 400, "INVALID_ARGUMENT"),
            ({"does": "fails", "status": 500}, google.genai.errors.ServerError, 500, "INTERNAL"),
        ]:
            with self.subTest(play=play):
                self.play("m", play)
                with self.assertRaises(error) as raised:
                    self.ask(model="m")
                self.assertEqual((raised.exception.code, raised.exception.status), (code, status))

    def test_a_stream_that_breaks_and_a_hang(self):
        for model in ["sim-breaks", "sim-cut-off"]:
            with self.subTest(model), self.assertRaises(Exception) as raised:
                list(self.client().models.generate_content_stream(model=model, contents="Hello"))
            self.assertNotIsInstance(raised.exception, AssertionError)
        with self.assertRaises(Exception) as raised:
            self.client(timeout=200).models.generate_content(model="sim-hang", contents="Hello")
        self.assertIn("Timeout", type(raised.exception).__name__)

    def test_vectors_counting_and_listing(self):
        client = self.client()
        config = types.EmbedContentConfig(output_dimensionality=256, task_type="RETRIEVAL_QUERY")
        answer = client.models.embed_content(model="gemini-embedding-001", contents=["a flat", "a house"], config=config)
        self.assertEqual([len(one.values) for one in answer.embeddings], [256, 256])
        self.assertEqual(client.models.count_tokens(model="gemini-3.8-flash", contents="Hello you").total_tokens, 3)
        self.assertIn("models/gemini-3.8-flash", [model.name for model in client.models.list()])
