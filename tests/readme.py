#!/usr/bin/env python3
"""Does what a newcomer does: clones the project and runs the first commands of the README, as they stand there.

The clone is of HEAD, into a folder that goes away again, so nothing that is not committed can help. What is built
lies in the target folder of this checkout (or in CARGO_TARGET_DIR), so that nothing is built twice.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def first_commands(readme: str) -> list[str]:
    """The `sh` blocks before the first heading, those that a newcomer sees at once."""
    first_screen = readme.split("\n## ")[0]
    return re.findall(r"^```sh[^\n]*\n(.*?)^```$", first_screen, re.MULTILINE | re.DOTALL)


def promised_files(readme: str) -> list[str]:
    """What the README says that its first command writes."""
    promise = re.search(r"^It writes (.*?) into the working directory", readme, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", promise.group(1)) if promise else []


def main() -> None:
    environment = os.environ | {"CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))}
    # The tests look for reference files beside the checkout.
    for variable, place in [
        ("LEMS_CORPUS", "shared/corpus"),
        ("NEUROML2_CORE_TYPES", "shared/reference/NeuroML2CoreTypes"),
    ]:
        environment.setdefault(variable, str(ROOT.parent / place))
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "jlems-rs")
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


if __name__ == "__main__":
    main()
