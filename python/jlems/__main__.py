"""``python -m jlems`` is ``jlems-rs``."""

import sys

from ._command import main

sys.exit(main())
