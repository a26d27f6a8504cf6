-- The roles of one Postgres server. Passwords are set by whoever runs this; none is written down here.
-- May run any number of times.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['owner', 'invoicing', 'collections', 'entitlements', 'escalation', 'monitor', 'clock'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role);
        END IF;
    END LOOP;
END $$;
