"""`python -m cnncourse`: the same as the command `cnncourse`, wherever scripts are not on the PATH."""

import sys

from cnncourse.cli import main

sys.exit(main())
