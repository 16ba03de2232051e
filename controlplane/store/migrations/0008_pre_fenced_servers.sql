-- Whoever was taken for dead may live, and takes a moment to see that others follow it.
ALTER TABLE call_servers ADD COLUMN fenced_at timestamptz;
