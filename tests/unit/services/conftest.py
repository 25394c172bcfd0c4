"""A bench of services per test, over stores of its own."""

import pytest
from fakes.bench import running_bench


@pytest.fixture
def bench(tmp_path):
    """The services, running."""
    with running_bench(tmp_path) as running:
        yield running
