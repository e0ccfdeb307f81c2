"""The command: ``python -m experiments.lecture [tables | figures | check | train | demo | C41]``."""

import sys

from experiments.lecture.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
