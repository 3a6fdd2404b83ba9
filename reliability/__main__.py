"""``python -m reliability COMMAND``."""

import argparse
import sys

from reliability import faults, fuzz, guided, load, space, supply

_COMMANDS = {
    "fuzz": (fuzz, "damaged files at every door"),
    "guided": (guided, "damaged files at a door, guided by the code that they reach (atheris)"),
    "faults": (faults, "servers that are killed, stopped, out of disk or of weights, in the middle of work"),
    "space": (space, "what would go up to a Space of the hub's"),
    "supply": (supply, "bill of materials, licences and known vulnerabilities of what the studio needs"),
    "load": (load, "visitors with watermarks for some minutes: nobody refused without a reason, no foreign picture"),
}


def main() -> int:
    """Run a command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m reliability", description="Trials of reliability, on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
