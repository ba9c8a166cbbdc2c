# SPDX-License-Identifier: Apache-2.0
"""Other people's implementations against ours: which versions they are is part of the result."""
import subprocess
from importlib.metadata import version

TOOLS = "udsoncan", "can-isotp", "python-can", "cantools", "autosar-e2e", "pymodbus"


def pytest_terminal_summary(terminalreporter):
    tshark = subprocess.run(["tshark", "--version"], capture_output=True, text=True, timeout=30).stdout.split(".\n")[0].splitlines()[0]
    mbpoll = subprocess.run(["mbpoll", "-V"], capture_output=True, text=True, timeout=30).stdout.split("\n")[0]
    terminalreporter.write_line("against " + ", ".join(f"{tool} {version(tool)}" for tool in TOOLS) + ", " + tshark + ", mbpoll " + mbpoll)
