"""The call machine: events in, commands out, one generator a verb. Pure.

A call is its journal: `CallMachine` fed the same entries answers the same commands, whoever runs it.
"""
