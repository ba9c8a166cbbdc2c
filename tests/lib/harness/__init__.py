# SPDX-License-Identifier: Apache-2.0
"""What the integration and fault tests share: an instance of the whole system, boards and DTUs of their own, a wire that can be cut."""
from .api import Api
from .instance import BUILD, PRESET, Instance, ROOT, free_port, program, wait_until
from .process import Dtu, Pack, Process
from .proxy import Proxy

__all__ = ["Api", "BUILD", "Dtu", "Instance", "PRESET", "Pack", "Process", "Proxy", "ROOT", "free_port", "program", "wait_until"]
