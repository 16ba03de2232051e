-- take_recordings: Take recordings that are to be fetched from their nodes; due again when the lease ends.
WITH taken AS (
    SELECT recording_id FROM recordings
    WHERE state = 'processing' AND due_at <= now()
    ORDER BY due_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
UPDATE recordings SET due_at = now() + make_interval(secs => %(lease_s)s), attempts = recordings.attempts + 1
FROM taken
WHERE recordings.recording_id = taken.recording_id
RETURNING
    recordings.recording_id, recordings.account_id, recordings.call_id, recordings.leg, recordings.node,
    recordings.channels, recordings.is_trimmed, recordings.duration_ms, recordings.attempts,
    recordings.due_at AS leased_until

-- postpone_recording: Try again later.
UPDATE recordings SET due_at = now() + make_interval(secs => %(delay_s)s), problem = %(problem)s
WHERE account_id = %(account_id)s AND recording_id = %(recording_id)s AND state = 'processing'

-- finish_recording: Say what became of a recording, once.
UPDATE recordings SET
    state = %(state)s, finished_at = now(), due_at = NULL, storage_key = %(storage_key)s, size_bytes = %(size_bytes)s,
    duration_ms = coalesce(%(duration_ms)s, duration_ms), problem = %(problem)s
WHERE account_id = %(account_id)s AND recording_id = %(recording_id)s AND state = 'processing'
RETURNING recording_id, account_id, call_id, leg, source, channels, state, duration_ms, webhook_url, callback

-- find_recording: One recording.
SELECT
    recording_id, account_id, call_id, leg, source, channels, state, duration_ms, size_bytes, storage_key, problem,
    created_at, finished_at
FROM recordings
WHERE account_id = %(account_id)s AND recording_id = %(recording_id)s AND state <> 'deleted'

-- list_recordings: A tenant's recordings, newest first; null in a filter means any.
SELECT
    recording_id, account_id, call_id, leg, source, channels, state, duration_ms, size_bytes, storage_key, problem,
    created_at, finished_at
FROM recordings
WHERE account_id = %(account_id)s AND recording_id < %(newest)s AND recording_id > %(oldest)s AND state <> 'deleted'
    AND (%(call_id)s::uuid IS NULL OR call_id = %(call_id)s)
ORDER BY recording_id DESC
LIMIT %(limit)s

-- delete_recording: Forget a recording that is through; its file is for the caller to delete.
UPDATE recordings SET state = 'deleted'
WHERE account_id = %(account_id)s AND recording_id = %(recording_id)s AND state IN ('completed', 'absent', 'failed')
RETURNING storage_key
