"""A small language model behind an OpenAI-compatible API, as one Ray Serve application."""
