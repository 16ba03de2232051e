"""HTTP to tenants: fetch, sign, and guard which addresses may be asked."""
