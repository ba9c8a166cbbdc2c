# SPDX-License-Identifier: Apache-2.0
"""Other people's implementations against ours: which versions they are is part of the result."""
from importlib.metadata import version

TOOLS = "udsoncan", "can-isotp", "python-can"


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line("against " + ", ".join(f"{tool} {version(tool)}" for tool in TOOLS))
