"""A process that records and says after each commit how far it is, to be killed at any moment.

Run as a script: FILE and the number to begin with. Prints the last number that was acknowledged
as committed, again and again, until it is killed.
"""

import sys
from pathlib import Path

from app.domain.readings import Reading
from app.runtime.clock import SystemClock
from app.runtime.events import EventBus
from app.store.history import HistoryStore

T0 = 1_790_000_000_000
BATCH = 40


def record(path: Path, number: int) -> None:
    """Put readings, flush, say so; value and time both tell the number."""
    store = HistoryStore(path, key=bytes(32), clock=SystemClock(), bus=EventBus())
    store.start()
    while True:
        for _ in range(BATCH):
            store.put([Reading("pump", "19", number, T0 + number)])
            number += 1
        if store.flush(20):
            print(number - 1, flush=True)


if __name__ == "__main__":
    record(Path(sys.argv[1]), int(sys.argv[2]))
