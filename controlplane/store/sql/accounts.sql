-- insert_account: Add a tenant.
INSERT INTO accounts (account_id, name, auth_token, cps_limit, channel_cap)
VALUES (%(account_id)s, %(name)s, %(auth_token)s, %(cps_limit)s, %(channel_cap)s)

-- find_account: One tenant.
SELECT account_id, name, status, cps_limit, channel_cap, created_at FROM accounts WHERE account_id = %(account_id)s

-- list_accounts: Tenants, newest first; for operators.
SELECT account_id, name, status, cps_limit, channel_cap, created_at FROM accounts
WHERE account_id < %(newest)s AND account_id > %(oldest)s
ORDER BY account_id DESC
LIMIT %(limit)s

-- change_account: Set a tenant's status and limits.
UPDATE accounts SET status = %(status)s, cps_limit = %(cps_limit)s, channel_cap = %(channel_cap)s
WHERE account_id = %(account_id)s
RETURNING account_id, name, status, cps_limit, channel_cap, created_at

-- find_auth_token: What signs a tenant's requests.
SELECT auth_token AS sealed FROM accounts WHERE account_id = %(account_id)s

-- insert_api_key: Add a key; only its digest is kept.
INSERT INTO api_keys (key_id, account_id, name, prefix, digest, scopes)
VALUES (%(key_id)s, %(account_id)s, %(name)s, %(prefix)s, %(digest)s, %(scopes)s)

-- revoke_api_key: End a key.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE account_id = %(account_id)s AND key_id = %(key_id)s
RETURNING key_id, name, prefix, scopes, created_at, revoked_at

-- list_api_keys: A tenant's keys, newest first.
SELECT key_id, name, prefix, scopes, created_at, revoked_at FROM api_keys
WHERE account_id = %(account_id)s AND key_id < %(newest)s AND key_id > %(oldest)s
ORDER BY key_id DESC
LIMIT %(limit)s

-- find_key_holders: Whose keys these are, those that are still good and whose tenants are active.
SELECT api_keys.digest, accounts.account_id, api_keys.key_id, api_keys.scopes
FROM api_keys JOIN accounts ON accounts.account_id = api_keys.account_id
WHERE api_keys.digest = ANY(%(digests)s::bytea[]) AND api_keys.revoked_at IS NULL AND accounts.status = 'active'

-- auth_tokens: What signs the requests of every tenant, sealed.
SELECT account_id, auth_token FROM accounts
