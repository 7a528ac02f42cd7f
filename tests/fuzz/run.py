"""Look for inputs that break a reader, guided by coverage: ``python tests/fuzz/run.py TARGET [libFuzzer's options]``.

What is found is written to build/fuzz/TARGET-crash-…: mend it, and keep the input in corpus/TARGET.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["xpc"]):
    from fuzz import targets


def main() -> None:
    name, *options = sys.argv[1:]
    if name not in targets.TARGETS:
        sys.exit(f"there are the targets {', '.join(targets.TARGETS)}")
    own = Path(__file__).resolve().parent
    found = own.parent.parent / "build/fuzz"
    (found / name).mkdir(parents=True, exist_ok=True)  # what is new for the search goes to the first folder
    places = [f"-dict={own / 'words.dict'}", f"-artifact_prefix={found / name}-", str(found / name)]
    atheris.Setup([sys.argv[0], *places, str(targets.CORPUS / name), *options], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
