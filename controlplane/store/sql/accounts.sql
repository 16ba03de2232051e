-- insert_account: Add a tenant.
INSERT INTO accounts (account_id, name, auth_token, cps_limit, channel_cap)
VALUES (%(account_id)s, %(name)s, %(auth_token)s, %(cps_limit)s, %(channel_cap)s)
