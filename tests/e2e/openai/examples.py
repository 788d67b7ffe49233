"""A governed session, driven by OpenAI's own SDK: base URL and key are all that is different."""

from openai import OpenAI
from openai.types.chat import ChatCompletion


def connect(url: str, key: str) -> OpenAI:
    """Return the client."""
    return OpenAI(base_url=f"{url}/v1", api_key=key)


def chat(client: OpenAI, model: str) -> ChatCompletion:
    """Return a chat completion."""
    return client.chat.completions.create(
        model=model,
        messages=[
            {"role": "system", "content": "Answer in one short sentence."},
            {"role": "user", "content": "What is a ledger?"},
        ],
        max_completion_tokens=40,
        temperature=0,
    )


def read_on(client: OpenAI, model: str) -> str:
    """Leave the stream of a response in the background, read on from where it was left, and return the text."""
    response_id, cursor, text = "", 0, ""
    with client.responses.create(
        model=model, input="Name three colours.", max_output_tokens=40, background=True, stream=True
    ) as stream:
        for event in stream:
            cursor = event.sequence_number
            if event.type == "response.created":
                response_id = event.response.id
            if event.type == "response.output_text.delta":
                text += event.delta
                break
    for event in client.responses.retrieve(response_id, stream=True, starting_after=cursor):
        if event.type == "response.output_text.delta":
            text += event.delta
    return text
