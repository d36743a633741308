"""python -m lenswidget: the command line, `lenswidget.interactive.command_line`."""

import sys

from lenswidget.interactive.command_line import main

if __name__ == "__main__":
    sys.exit(main())
