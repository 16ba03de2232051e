-- insert_secret: Add a webhook secret.
INSERT INTO secrets (secret_id, account_id, name, value)
VALUES (%(secret_id)s, %(account_id)s, %(name)s, %(value)s)

-- find_secret: One webhook secret, with how many apps use it.
SELECT secret_id, name, created_at, rotated_at, value AS sealed,
    (SELECT count(*) FROM apps WHERE apps.account_id = secrets.account_id AND apps.secret_id = secrets.secret_id) AS app_count
FROM secrets WHERE account_id = %(account_id)s AND secret_id = %(secret_id)s

-- list_secrets: A tenant's webhook secrets, newest first; with a text in the name.
SELECT secret_id, name, created_at, rotated_at, value AS sealed,
    (SELECT count(*) FROM apps WHERE apps.account_id = secrets.account_id AND apps.secret_id = secrets.secret_id) AS app_count
FROM secrets
WHERE account_id = %(account_id)s AND secret_id < %(newest)s AND secret_id > %(oldest)s
    AND strpos(lower(name), lower(%(search)s)) > 0
ORDER BY secret_id DESC
LIMIT %(limit)s

-- change_secret: Give a webhook secret another value or name.
UPDATE secrets SET
    value = coalesce(%(value)s::bytea, value),
    rotated_at = CASE WHEN %(value)s::bytea IS NULL THEN rotated_at ELSE now() END,
    name = coalesce(%(name)s, name)
WHERE account_id = %(account_id)s AND secret_id = %(secret_id)s

-- delete_secret: Take a webhook secret away that no app uses.
DELETE FROM secrets WHERE account_id = %(account_id)s AND secret_id = %(secret_id)s

-- auth_tokens_to_reseal: What signs tenants' requests and is sealed with another key than the current one; held.
SELECT account_id, auth_token AS sealed FROM accounts WHERE substr(auth_token, 1, 4) <> %(current)s FOR UPDATE

-- reseal_auth_token: Put it there, sealed anew.
UPDATE accounts SET auth_token = %(sealed)s WHERE account_id = %(account_id)s

-- secrets_to_reseal: Webhook secrets, of every tenant, that are sealed with another key than the current one; held.
SELECT secret_id, value AS sealed FROM secrets WHERE substr(value, 1, 4) <> %(current)s FOR UPDATE

-- reseal_secret: Put one there, sealed anew.
UPDATE secrets SET value = %(sealed)s WHERE secret_id = %(secret_id)s

-- answers_to_reseal: Kept answers, of every tenant, that are sealed with another key than the current one; held.
SELECT account_id, key, body AS sealed FROM idempotency_keys WHERE substr(body, 1, 4) <> %(current)s FOR UPDATE

-- reseal_answer: Put one there, sealed anew.
UPDATE idempotency_keys SET body = %(sealed)s WHERE account_id = %(account_id)s AND key = %(key)s
