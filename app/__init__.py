"""The web service and the command line."""

import os

# Threads that compute together wait for each other by spinning, 300,000 turns if nothing is said:
# where somebody else has a processor, that burns the other for nothing, and steps take six times as
# long. Read when torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
