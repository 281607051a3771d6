"""One face for the three official SDKs, so that a case is written once and runs with each."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import errors as google_errors
from google.genai import types

TOOLS = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    },
    "get_time": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
}


@dataclass
class Call:
    id: str
    name: str
    arguments: dict


@dataclass
class Answer:
    text: str
    calls: list[Call] = field(default_factory=list)
    thinking: str = ""
    stop: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    pieces: int = 1
    turn: Any = None  # the answer as a turn of the conversation, in the SDK's own form


@dataclass
class Failure:
    status: int | None  # None when the failure came inside a stream
    message: str


@dataclass
class Media:
    mime: str
    data: bytes

    @property
    def base64(self):
        return base64.b64encode(self.data).decode()


class OpenAi:
    name = "openai"
    stops = {"end": "stop", "tools": "tool_calls", "length": "length"}

    def __init__(self, url, key):
        self.sdk = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60)

    def user(self, text, media=()):
        parts = [{"type": "text", "text": text}]
        for item in media:
            url = f"data:{item.mime};base64,{item.base64}"
            if item.mime.startswith("image/"):
                parts.append({"type": "image_url", "image_url": {"url": url}})
            else:
                parts.append({"type": "file", "file": {"filename": "paper.pdf", "file_data": url}})
        return [{"role": "user", "content": parts if media else text}]

    def results(self, outputs):
        return [{"role": "tool", "tool_call_id": call.id, "content": output} for call, output in outputs]

    def arguments(self, model, turns, tools=(), schema=None, thinking=False, max_tokens=4096):
        wanted = {"model": model, "messages": turns, "max_completion_tokens": max_tokens}
        if tools:
            wanted["tools"] = [
                {"type": "function", "function": {"name": name, "description": f"Calls {name}", "parameters": TOOLS[name]}}
                for name in tools
            ]
        if schema:
            wanted["response_format"] = {
                "type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}
            }
        if thinking:
            wanted["reasoning_effort"] = "medium"
        return wanted

    def ask(self, model, turns, **more):
        reply = self.sdk.chat.completions.create(**self.arguments(model, turns, **more))
        choice = reply.choices[0]
        calls = [Call(call.id, call.function.name, json.loads(call.function.arguments))
                 for call in choice.message.tool_calls or []]
        # Fields that the SDK does not know (reasoning) are kept by it and replayed.
        turn = choice.message.model_dump(exclude_none=True)
        return Answer(choice.message.content or "", calls, turn.get("reasoning_content", ""), choice.finish_reason,
                      reply.usage.prompt_tokens, reply.usage.completion_tokens, turn=[turn])

    def stream(self, model, turns, **more):
        answer, calls = Answer("", pieces=0), {}
        wanted = self.arguments(model, turns, **more)
        for event in self.sdk.chat.completions.create(**wanted, stream=True, stream_options={"include_usage": True}):
            if event.usage:
                answer.input_tokens, answer.output_tokens = event.usage.prompt_tokens, event.usage.completion_tokens
            for choice in event.choices:
                if choice.delta.content:
                    answer.text += choice.delta.content
                    answer.pieces += 1
                answer.thinking += (choice.delta.model_extra or {}).get("reasoning_content") or ""
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, {"id": part.id, "name": "", "arguments": ""})
                    call["name"] += (part.function and part.function.name) or ""
                    call["arguments"] += (part.function and part.function.arguments) or ""
                answer.stop = choice.finish_reason or answer.stop
        answer.calls = [Call(call["id"], call["name"], json.loads(call["arguments"])) for call in calls.values()]
        return answer

    def open_stream(self, model, turns):
        stream = self.sdk.chat.completions.create(**self.arguments(model, turns), stream=True)
        return iter(stream), stream.close

    def failure(self, action):
        try:
            action()
        except openai.APIStatusError as error:
            return Failure(error.status_code, str(error))
        except openai.APIError as error:
            return Failure(None, str(error))
        return None


class Anthropic:
    name = "anthropic"
    stops = {"end": "end_turn", "tools": "tool_use", "length": "max_tokens"}

    def __init__(self, url, key):
        self.sdk = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=60)

    def user(self, text, media=()):
        content = [{"type": "text", "text": text}]
        for item in media:
            kind = "image" if item.mime.startswith("image/") else "document"
            content.append({"type": kind, "source": {"type": "base64", "media_type": item.mime, "data": item.base64}})
        return [{"role": "user", "content": content}]

    def results(self, outputs):
        content = [{"type": "tool_result", "tool_use_id": call.id, "content": output} for call, output in outputs]
        return [{"role": "user", "content": content}]

    def arguments(self, model, turns, tools=(), schema=None, thinking=False, max_tokens=4096):
        wanted = {"model": model, "messages": turns, "max_tokens": max_tokens}
        if tools:
            wanted["tools"] = [
                {"name": name, "description": f"Calls {name}", "input_schema": TOOLS[name]} for name in tools
            ]
        if schema:
            wanted["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if thinking:
            wanted["thinking"] = {"type": "enabled", "budget_tokens": 2048}
        return wanted

    def ask(self, model, turns, **more):
        return self._answer(self.sdk.messages.create(**self.arguments(model, turns, **more)))

    def stream(self, model, turns, **more):
        pieces = 0
        with self.sdk.messages.stream(**self.arguments(model, turns, **more)) as stream:
            for event in stream:
                pieces += event.type == "text"
            answer = self._answer(stream.get_final_message())
        answer.pieces = pieces
        return answer

    def _answer(self, reply):
        of = lambda kind: [block for block in reply.content if block.type == kind]
        calls = [Call(block.id, block.name, block.input) for block in of("tool_use")]
        turn = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]}
        return Answer("".join(block.text for block in of("text")), calls,
                      "".join(block.thinking for block in of("thinking")), reply.stop_reason,
                      reply.usage.input_tokens, reply.usage.output_tokens, turn=[turn])

    def open_stream(self, model, turns):
        stream = self.sdk.messages.create(**self.arguments(model, turns), stream=True)
        texts = (event for event in stream if event.type == "content_block_delta")
        return texts, stream.close

    def failure(self, action):
        try:
            action()
        except anthropic.APIStatusError as error:
            # The SDK gives an error event inside a stream the status of the stream's head.
            return Failure(error.status_code if error.status_code >= 400 else None, str(error))
        except anthropic.APIError as error:
            return Failure(None, str(error))
        return None


class Gemini:
    name = "gemini"
    stops = {"end": "STOP", "tools": "STOP", "length": "MAX_TOKENS"}

    def __init__(self, url, key):
        self.sdk = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url, timeout=60_000))

    def user(self, text, media=()):
        parts = [types.Part(text=text)]
        parts += [types.Part.from_bytes(data=item.data, mime_type=item.mime) for item in media]
        return [types.Content(role="user", parts=parts)]

    def results(self, outputs):
        parts = [
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": output}))
            for call, output in outputs
        ]
        return [types.Content(role="user", parts=parts)]

    def arguments(self, model, turns, tools=(), schema=None, thinking=False, max_tokens=4096):
        config = types.GenerateContentConfig(max_output_tokens=max_tokens)
        if tools:
            declarations = [
                types.FunctionDeclaration(name=name, description=f"Calls {name}", parameters_json_schema=TOOLS[name])
                for name in tools
            ]
            config.tools = [types.Tool(function_declarations=declarations)]
            config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
        if schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = schema
        if thinking:
            config.thinking_config = types.ThinkingConfig(thinking_budget=2048, include_thoughts=True)
        return {"model": model, "contents": turns, "config": config}

    def ask(self, model, turns, **more):
        return self._answer([self.sdk.models.generate_content(**self.arguments(model, turns, **more))])

    def stream(self, model, turns, **more):
        return self._answer(list(self.sdk.models.generate_content_stream(**self.arguments(model, turns, **more))))

    def _answer(self, replies):
        parts, stop, usage, pieces = [], "", None, 0
        for reply in replies:
            usage = reply.usage_metadata or usage
            for candidate in reply.candidates or []:
                new = (candidate.content and candidate.content.parts) or []
                pieces += any(part.text and not part.thought for part in new)
                parts += new
                stop = candidate.finish_reason.value if candidate.finish_reason else stop
        calls = [Call(part.function_call.id, part.function_call.name, part.function_call.args)
                 for part in parts if part.function_call]
        text = "".join(part.text or "" for part in parts if not part.thought)
        thinking = "".join(part.text or "" for part in parts if part.thought)
        output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0) if usage else 0
        return Answer(text, calls, thinking, stop, usage.prompt_token_count if usage else 0, output, pieces,
                      [types.Content(role="model", parts=parts)])

    def open_stream(self, model, turns):
        stream = self.sdk.models.generate_content_stream(**self.arguments(model, turns))
        return stream, stream.close

    def failure(self, action):
        try:
            action()
        except google_errors.APIError as error:
            return Failure(error.code, str(error))
        return None


CLIENTS = {client.name: client for client in (OpenAi, Anthropic, Gemini)}
