# SPDX-License-Identifier: Apache-2.0
"""The safety modules, and the unit tests of each: what coverage.py and mutate.py look at. Names without firmware/ and .c."""

# group: {module: unit tests that notice when it is broken, the quickest first}
SAFETY = {
    "protection": {
        "core/protection/alarm": ["alarm", "boundaries", "limits", "biu", "reaction"],
        "core/protection/quantities": ["quantities", "limits", "runaway", "biu", "random", "reaction"],
        "core/measure/measure": ["measure", "boundaries", "limits", "plausible", "biu", "random"],
        "core/measure/plausible": ["plausible", "measure"],
        "core/measure/afe": ["afe", "afe_recovery", "measure", "biu", "random"],
        "core/measure/afe_frame": ["afe", "measure"],
        "core/measure/current": ["current", "biu", "random"],
        "core/measure/insulation": ["insulation", "limits", "biu"],
        "core/protection/trend": ["trend", "biu"],
        "core/protection/runaway": ["runaway", "biu"],
        "core/protection/limits": ["power_limits", "biu", "random"],
        "core/protection/freeze": ["freeze"],
        "core/diagnosis/self_check": ["self_check"],
        "core/actuators/balance": ["balance", "biu"],
    },
    "contactor": {
        "core/actuators/contactor": ["contactor", "precharge", "biu", "random", "reaction"],
        "core/actuators/outputs": ["outputs", "biu"],
        "core/actuators/thermal": ["thermal", "biu"],
        "core/charge/charge": ["charge", "charge_ends", "biu"],
        "core/charge/plug": ["plug"],
    },
    "store": {
        "core/store/key_data": ["key_data", "key_store"],
        "app/key_store": ["key_store", "key_flash", "flash"],
        "app/nvm": ["nvm", "flash", "biu_app"],
        "app/nvm_place": ["nvm_place", "nvm"],
    },
}


def modules():
    """{path of the source: its tests}"""
    return {f"firmware/{name}.c": tests for group in SAFETY.values() for name, tests in group.items()}
