"""T6: whatever the description of the API allows, or forbids, gets an answer that it describes."""

import re
import subprocess
import sys

from benchmarks.reliability.report import Report

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def fuzz(url: str, examples: int, phases: str = "examples,coverage,fuzzing") -> Report:
    """Send generated requests, those that break a rule of the description among them.

    Args:
        url: Of the service.
        examples: Of each operation.
        phases: schemathesis's.
    """
    options = [
        f"--checks={','.join(CHECKS)}",
        f"--max-examples={examples}",
        f"--phases={phases}",
        "--mode=all",
        "--seed=1",
        "--no-color",
        "--generation-database=none",
        "--warnings=off",
    ]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    generated = re.search(r"(\d+) generated", done.stdout)
    report = Report(
        {"requests": int(generated[1]) if generated else 0, "exit_code": done.returncode}
    )
    report.require(done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:])
    report.require(report.figures["requests"] > 0, "no request was generated")
    return report
