-- The roles of one Postgres server. Passwords are set by whoever runs this; none is written down here.
-- May run any number of times. Runs in the database `postgres`, as the superuser.
--
-- A role logs in to the database of Goodstanding only (schemas.sql grants that), has no more connections than its
-- processes use, so that one that runs wild leaves the others theirs, and waits for nothing without end. A limit that
-- was set by hand stays. `owner` has no time-outs: a migration may take long, and sets its own.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['owner', 'invoicing', 'collections', 'entitlements', 'escalation', 'monitor', 'clock'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role);
        END IF;
        IF (SELECT rolconnlimit FROM pg_roles WHERE rolname = role) = -1 THEN
            EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', role,
                CASE WHEN role IN ('owner', 'monitor', 'clock') THEN 10 ELSE 60 END);
        END IF;
        CONTINUE WHEN role = 'owner';
        EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', role, '60s');
        EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', role, '10s');
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', role, '60s');
    END LOOP;
END $$;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
