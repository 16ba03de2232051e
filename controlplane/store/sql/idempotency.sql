-- try_idempotency_lock: Take a key for as long as this transaction lasts, if nobody has it.
SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0)) AS is_taken

-- find_answer: What a key was answered with, within a day.
SELECT request_digest, status, body AS sealed FROM idempotency_keys
WHERE account_id = %(account_id)s AND key = %(key)s AND created_at > now() - interval '24 hours'

-- keep_answer: Keep what a key was answered with.
INSERT INTO idempotency_keys (account_id, key, request_digest, status, body)
VALUES (%(account_id)s, %(key)s, %(request_digest)s, %(status)s, %(body)s)
ON CONFLICT (account_id, key) DO UPDATE SET
    request_digest = excluded.request_digest, status = excluded.status, body = excluded.body, created_at = now()

-- forget_answers: Take away what is older than a day.
DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
