-- insert_number: Add a number, for a tenant.
INSERT INTO numbers (number_id, account_id, number, name)
VALUES (%(number_id)s, %(account_id)s, %(number)s, %(name)s)

-- find_number: One number.
SELECT numbers.number_id, numbers.account_id, numbers.number, numbers.name, numbers.created_at, numbers.app_id, apps.name AS app_name
FROM numbers LEFT JOIN apps ON apps.account_id = numbers.account_id AND apps.app_id = numbers.app_id
WHERE numbers.account_id = %(account_id)s AND numbers.number_id = %(number_id)s

-- list_numbers: A tenant's numbers, newest first; of some apps, or with a text in number or name.
SELECT numbers.number_id, numbers.account_id, numbers.number, numbers.name, numbers.created_at, numbers.app_id, apps.name AS app_name
FROM numbers LEFT JOIN apps ON apps.account_id = numbers.account_id AND apps.app_id = numbers.app_id
WHERE numbers.account_id = %(account_id)s AND numbers.number_id < %(newest)s AND numbers.number_id > %(oldest)s
    AND (%(app_ids)s::uuid[] IS NULL OR numbers.app_id = ANY(%(app_ids)s::uuid[]))
    AND (strpos(numbers.number, %(search)s) > 0 OR strpos(lower(numbers.name), lower(%(search)s)) > 0)
ORDER BY numbers.number_id DESC
LIMIT %(limit)s

-- rename_number: Call a number something else.
UPDATE numbers SET name = %(name)s WHERE account_id = %(account_id)s AND number_id = %(number_id)s

-- lead_numbers: Let numbers lead to an app, or to none.
UPDATE numbers SET app_id = %(app_id)s
WHERE account_id = %(account_id)s AND number_id = ANY(%(number_ids)s::uuid[])

-- lead_all_numbers: The same for every number that a list would show.
UPDATE numbers SET app_id = %(app_id)s
WHERE account_id = %(account_id)s
    AND (%(app_ids)s::uuid[] IS NULL OR app_id = ANY(%(app_ids)s::uuid[]))
    AND (strpos(number, %(search)s) > 0 OR strpos(lower(name), lower(%(search)s)) > 0)

-- release_numbers_of_app: Let an app's numbers lead to none.
UPDATE numbers SET app_id = NULL WHERE account_id = %(account_id)s AND app_id = %(app_id)s

-- delete_number: Take a number from its tenant.
DELETE FROM numbers WHERE account_id = %(account_id)s AND number_id = %(number_id)s

-- callers: Tenants that want to show these numbers: whether each is active, and the number its own.
SELECT accounts.account_id, asked.number, accounts.status, numbers.number_id IS NOT NULL AS is_own
FROM unnest(%(account_ids)s::uuid[], %(numbers)s::text[]) AS asked (account_id, number)
JOIN accounts ON accounts.account_id = asked.account_id
LEFT JOIN numbers ON numbers.account_id = asked.account_id AND numbers.number = asked.number

-- routing: Where every number leads: what call servers keep in memory.
SELECT
    numbers.number, numbers.account_id, apps.app_id, apps.flow_url, apps.flow_method, apps.fallback_url,
    apps.fallback_method, apps.webhook_url, apps.status_callback_url, apps.status_callback_method,
    apps.status_callback_events, apps.record, apps.channel_limit, accounts.cps_limit, accounts.channel_cap
FROM numbers
JOIN accounts ON accounts.account_id = numbers.account_id AND accounts.status = 'active'
JOIN apps ON apps.account_id = numbers.account_id AND apps.app_id = numbers.app_id AND apps.status = 'active'
ORDER BY numbers.number

-- holders: Whose every number is.
SELECT numbers.number, numbers.account_id
FROM numbers JOIN accounts ON accounts.account_id = numbers.account_id AND accounts.status = 'active'
