"""What works with every SDK against every provider."""

import base64
import json

import pytest
from clients import Media

PNG = Media("image/png", base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
))
PDF = Media("application/pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
                               b"trailer<</Root 1 0 R>>\n%%EOF\n")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}


@pytest.fixture(params=["whole", "streamed"])
def ask(request, client):
    return client.ask if request.param == "whole" else client.stream


def test_plain(client, model):
    answer = client.ask(model, client.user("Good morning"))
    assert answer.text == "Mock reply to: Good morning"
    assert answer.stop == client.stops["end"]
    assert answer.input_tokens >= 2
    assert answer.output_tokens > 0


def test_stream_equals_whole(client, model):
    long = f"{model}+chunks=40"
    whole, streamed = client.ask(long, client.user("Tell me more")), client.stream(long, client.user("Tell me more"))
    assert streamed.pieces > 10, "the text comes in pieces, as the provider sends them"
    assert streamed.text == whole.text
    assert streamed.stop == whole.stop == client.stops["end"]
    assert (streamed.input_tokens, streamed.output_tokens) == (whole.input_tokens, whole.output_tokens)


def test_length_limit(client, model, ask):
    answer = ask(f"{model}+chunks=60", client.user("Go on"), max_tokens=16)
    assert answer.stop == client.stops["length"]
    assert answer.text


def test_tool_call(client, model, ask):
    answer = ask(model, client.user("Use the tool"), tools=["get_weather"])
    assert [call.name for call in answer.calls] == ["get_weather"]
    assert isinstance(answer.calls[0].arguments["city"], str)
    assert isinstance(answer.calls[0].arguments["days"], int)
    assert answer.stop == client.stops["tools"]


def test_parallel_tool_calls(client, model, ask):
    answer = ask(model, client.user("Use tools in parallel"), tools=["get_weather", "get_time"])
    assert sorted(call.name for call in answer.calls) == ["get_time", "get_weather"]
    ids = [call.id for call in answer.calls if call.id]
    assert len(set(ids)) == len(ids), "ids tell the calls apart"
    assert client.name == "gemini" or len(ids) == 2


def test_tool_round_trip(client, model, ask):
    question = client.user("Use the tool")
    first = client.ask(model, question, tools=["get_weather"])
    turns = question + first.turn + client.results([(first.calls[0], "22 degrees")])
    second = ask(model, turns, tools=["get_weather"])
    assert second.text.startswith("Mock reply to tool result:")
    assert "22 degrees" in second.text
    assert second.stop == client.stops["end"]


def test_parallel_tool_round_trip(client, model):
    question = client.user("Use tools in parallel")
    first = client.ask(model, question, tools=["get_weather", "get_time"])
    outputs = {"get_weather": "22 degrees", "get_time": "ten past nine"}
    turns = question + first.turn + client.results([(call, outputs[call.name]) for call in first.calls])
    second = client.ask(model, turns, tools=["get_weather", "get_time"])
    assert "22 degrees" in second.text
    assert "ten past nine" in second.text


def test_vision(client, model, ask):
    answer = ask(model, client.user("What is this", [PNG]))
    assert "I see 1 image(s) and 0 document(s)" in answer.text


def test_pdf(client, model, ask):
    answer = ask(model, client.user("Summarise this", [PDF]))
    assert "I see 0 image(s) and 1 document(s)" in answer.text


def test_structured_output(client, model, ask):
    answer = ask(model, client.user("Name a city"), schema=SCHEMA)
    value = json.loads(answer.text)
    assert set(value) == {"city", "population"}
    assert isinstance(value["city"], str)
    assert isinstance(value["population"], int)


def test_thinking_replay(client, model):
    question = client.user("Think about this")
    first = client.ask(model, question, thinking=True)
    assert first.text == "Mock reply to: Think about this"
    second = client.ask(model, question + first.turn + client.user("And now"), thinking=True)
    assert second.text == "Mock reply to: And now"


@pytest.mark.parametrize("provider", ["anthropic", "gemini"], indirect=True)
def test_thinking_is_shown(client, model, ask):
    if client.name == "openai":
        return  # the dialect has no field of its own for it
    answer = ask(model, client.user("Think about this"), thinking=True)
    assert answer.thinking.startswith("Thinking about:")


def test_thinking_replay_around_a_tool(client, model):
    """Providers refuse the tool's result when the thinking before the call comes back changed or not at all."""
    question = client.user("Think, then use the tool")
    first = client.ask(model, question, tools=["get_weather"], thinking=True)
    assert [call.name for call in first.calls] == ["get_weather"]
    turns = question + first.turn + client.results([(first.calls[0], "22 degrees")])
    second = client.ask(model, turns, tools=["get_weather"], thinking=True)
    assert "22 degrees" in second.text
