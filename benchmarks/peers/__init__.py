"""The same model behind other servers, each a module to run: --port, --poet torch or ours."""

BATCH = 64  # requests that a server may take together: as many as are in flight at most
PATIENCE_S = 0.05  # that a server waits for a batch to fill: until 64 clients have asked again
