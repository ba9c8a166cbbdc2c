# SPDX-License-Identifier: Apache-2.0
"""The safety modules, and the unit tests of each: what coverage.py and mutate.py look at. Names without firmware/ and .c."""

# group: {module: unit tests that notice when it is broken, the quickest first}
SAFETY = {
    "protection": {
        "core/alarm": ["alarm", "boundaries", "limits", "biu", "reaction"],
        "core/quantities": ["quantities", "limits", "runaway", "biu", "random", "reaction"],
        "core/measure": ["measure", "boundaries", "limits", "plausible", "biu", "random"],
        "core/plausible": ["plausible", "measure"],
        "core/afe": ["afe", "measure", "biu", "random"],
        "core/afe_frame": ["afe", "measure"],
        "core/current": ["current", "biu", "random"],
        "core/insulation": ["insulation", "limits", "biu"],
        "core/trend": ["trend", "biu"],
        "core/runaway": ["runaway", "biu"],
        "core/limits": ["power_limits", "biu", "random"],
        "core/balance": ["balance", "biu"],
    },
    "contactor": {
        "core/contactor": ["contactor", "biu", "random", "reaction"],
        "core/outputs": ["outputs", "biu"],
        "core/thermal": ["thermal", "biu"],
        "core/charge/charge": ["charge", "biu"],
    },
    "store": {
        "core/key_data": ["key_data", "key_store"],
        "app/key_store": ["key_store", "flash"],
        "app/nvm": ["nvm", "flash", "biu_app"],
    },
}


def modules():
    """{path of the source: its tests}"""
    return {f"firmware/{name}.c": tests for group in SAFETY.values() for name, tests in group.items()}
