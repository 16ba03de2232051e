"""PostgreSQL: pool, transactions, named SQL, migrations, the journal, shards, the outbox."""
