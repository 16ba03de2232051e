-- insert_app: Add an app.
INSERT INTO apps (
    app_id, account_id, name, flow_url, flow_method, fallback_url, fallback_method, webhook_url, webhook_api_version,
    status_callback_url, status_callback_method, status_callback_events, secret_id, channel_limit, record, status)
VALUES (
    %(app_id)s, %(account_id)s, %(name)s, %(flow_url)s, %(flow_method)s, %(fallback_url)s, %(fallback_method)s,
    %(webhook_url)s, %(webhook_api_version)s, %(status_callback_url)s, %(status_callback_method)s,
    %(status_callback_events)s, %(secret_id)s, %(channel_limit)s, %(record)s, %(status)s)

-- update_app: Set everything of an app that a tenant can.
UPDATE apps SET
    name = %(name)s, flow_url = %(flow_url)s, flow_method = %(flow_method)s, fallback_url = %(fallback_url)s,
    fallback_method = %(fallback_method)s, webhook_url = %(webhook_url)s,
    webhook_api_version = %(webhook_api_version)s, status_callback_url = %(status_callback_url)s,
    status_callback_method = %(status_callback_method)s, status_callback_events = %(status_callback_events)s,
    secret_id = %(secret_id)s, channel_limit = %(channel_limit)s, record = %(record)s, status = %(status)s,
    updated_at = now()
WHERE account_id = %(account_id)s AND app_id = %(app_id)s

-- find_app: One app, with how many numbers lead to it.
SELECT
    apps.app_id, apps.account_id, apps.name, apps.flow_url, apps.flow_method, apps.fallback_url, apps.fallback_method,
    apps.webhook_url, apps.webhook_api_version, apps.status_callback_url, apps.status_callback_method,
    apps.status_callback_events, apps.secret_id, apps.channel_limit, apps.record, apps.status, apps.created_at,
    apps.updated_at, secrets.name AS secret_name,
    (SELECT count(*) FROM numbers WHERE numbers.account_id = apps.account_id AND numbers.app_id = apps.app_id) AS number_count
FROM apps
LEFT JOIN secrets ON secrets.account_id = apps.account_id AND secrets.secret_id = apps.secret_id
WHERE apps.account_id = %(account_id)s AND apps.app_id = %(app_id)s

-- lock_app: Hold an app while it is changed.
SELECT app_id FROM apps WHERE account_id = %(account_id)s AND app_id = %(app_id)s FOR UPDATE

-- list_apps: A tenant's apps, newest first; of some statuses, or with a text in the name.
SELECT
    apps.app_id, apps.account_id, apps.name, apps.flow_url, apps.flow_method, apps.fallback_url, apps.fallback_method,
    apps.webhook_url, apps.webhook_api_version, apps.status_callback_url, apps.status_callback_method,
    apps.status_callback_events, apps.secret_id, apps.channel_limit, apps.record, apps.status, apps.created_at,
    apps.updated_at, secrets.name AS secret_name,
    (SELECT count(*) FROM numbers WHERE numbers.account_id = apps.account_id AND numbers.app_id = apps.app_id) AS number_count
FROM apps
LEFT JOIN secrets ON secrets.account_id = apps.account_id AND secrets.secret_id = apps.secret_id
WHERE apps.account_id = %(account_id)s AND apps.app_id < %(newest)s AND apps.app_id > %(oldest)s
    AND (cardinality(%(statuses)s::text[]) = 0 OR apps.status = ANY(%(statuses)s::text[]))
    AND strpos(lower(apps.name), lower(%(search)s)) > 0
ORDER BY apps.app_id DESC
LIMIT %(limit)s

-- delete_app: Take an app away that no number leads to.
DELETE FROM apps WHERE account_id = %(account_id)s AND app_id = %(app_id)s
