"""Parts that pages share: chips, charts, segments, states of emptiness."""
