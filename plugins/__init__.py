"""Bundled plugins: each folder brings a plugin.toml and a `register(api)` of its own."""
