#!/usr/bin/env python3
"""Does what a newcomer does: clones the project and runs the first commands of the README, unchanged.

The clone is of HEAD, so uncommitted files are not there. The clone and its build are in the target folder of this
checkout (or in CARGO_TARGET_DIR). They are always in the same place, because cargo would rebuild everything for another
place.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def first_commands(readme: str) -> list[str]:
    """The `sh` blocks before the first heading, which a newcomer sees at once."""
    first_screen = readme.split("\n## ")[0]
    return re.findall(r"^```sh[^\n]*\n(.*?)^```$", first_screen, re.MULTILINE | re.DOTALL)


def promised_files(readme: str) -> list[str]:
    """The files that the first command writes, according to the README."""
    promise = re.search(r"^It writes (.*?) into the working directory", readme, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", promise.group(1)) if promise else []


def main() -> None:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    # The tests look for reference files beside the checkout.
    environment.setdefault("LEMS_CORPUS", str(ROOT.parent / "shared/corpus"))
    environment.setdefault("NEUROML2_CORE_TYPES", str(ROOT.parent / "shared/reference/NeuroML2CoreTypes"))

    clone = target / "readme" / "jlems-rs"
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    readme = (clone / "README.md").read_text()
    commands, files = first_commands(readme), promised_files(readme)
    if len(commands) != 2 or not files:
        sys.exit("the first screen of README.md has a run, what it writes, and the tests; this one has not")
    for command in commands:
        print(f"$ {command.strip()}", flush=True)
        done = subprocess.run(["sh", "-e", "-c", command], cwd=clone, env=environment)
        if done.returncode != 0:
            sys.exit(f"README.md: `{command.strip()}` ends with status {done.returncode}")
    missing = [name for name in files if not (clone / name).is_file()]
    if missing:
        sys.exit(f"README.md promises files that were not written: {', '.join(missing)}")
    shutil.rmtree(clone)


if __name__ == "__main__":
    main()
