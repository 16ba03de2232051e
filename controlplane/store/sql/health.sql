-- check_database: Whether it answers, and every migration's tables are there.
SELECT api_keys.key_id FROM api_keys LIMIT 1
