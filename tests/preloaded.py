"""What a process that tests fork off has read already: imported, and thereby done, once by who forks them all."""

import importlib
import sys
from pathlib import Path

from onshore.ledger.packs import shipped, shipped_names

sys.path.insert(0, str(Path(__file__).parent))  # who forks is not told where its parent looks (Python 3.11)
for name in ("pytest", "fault_acts", "sending_acts", "key_makers", "onshore.cli.backing_up", "onshore.cli.restoring"):
    importlib.import_module(name)
for pack in shipped_names():
    shipped(pack).pack()
