"""The ledger of a chaos run: a program that knows nothing of the engine's code and asks whether anything was lost.

    python -m tests.chaos.ledger RUN --database DSN --node local=127.0.0.1:8021:secret --spool DATA/spool

It reads what callers wrote down, what media nodes wrote down, the database and what the tenant's server was told, and
prints one JSON line: balanced or not, and a sentence for each difference. Nothing of `controlplane` or of the harness
is imported here, so that no mistake of theirs can be one of the ledger's, too.

One file a source (run, callers, node_records, received, database, live_nodes, spools), one a group of checks (rows,
durations, events, callbacks, telling, outcomes, dialling, driving, journal, rest). A check is a function from Evidence
to Problems, in the table of `checks.py`.
"""
