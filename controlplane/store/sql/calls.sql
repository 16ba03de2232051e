-- queue_call: Put a call into the queue.
INSERT INTO calls (call_id, account_id, app_id, created_at, status, direction, from_number, to_number, facts)
VALUES (
    %(call_id)s, %(account_id)s, %(app_id)s, now(), 'queued', 'outbound-api', %(from_number)s, %(to_number)s,
    %(facts)s::json)
