"""`python -m edgekit` is the same as `edgekit`."""

import sys

from edgekit.cli import main

sys.exit(main())
