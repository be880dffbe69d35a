"""A target under atheris, which looks for inputs that reach lines that no input reached before.

python -m tests.fuzz.guided KIT FOLDER TARGET [options of libFuzzer: -runs=N, -seed=N, a folder of cases, ...]
"""

import sys

import atheris

with atheris.instrument_imports(include=["card", "terminal.firmware"]):
    from tests.fuzz.targets import Targets
    from tests.fuzz.world import Kit, World


def main(kit: str, folder: str, name: str, *options: str) -> None:
    """Ends the process."""
    target = getattr(Targets(World(Kit(kit), folder), each=16), name)
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
