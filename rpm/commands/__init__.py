"""One module for each command of ``rpm-ledger``.

A module imports nothing heavy at its top: what a command works with is imported inside its
function, so that ``--help`` stays quick. It has one function ``register(app)`` that adds its
commands. A command ends with ``typer.Exit(1)`` when it found something wrong in data; a
``ServiceError`` that it lets pass becomes its message and exit code 2 (``rpm.cli``). Settings and
database come from ``rpm.commands.opened``.
"""
