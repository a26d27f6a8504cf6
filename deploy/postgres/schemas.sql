-- Runs inside the database, as its superuser, after roles.sql and before any migration.
-- May run any number of times.
DO $$
DECLARE
    service text;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;

    -- TEMPORARY: what arrives by COPY is sorted out in a temporary table.
    FOREACH service IN ARRAY ARRAY['invoicing', 'collections', 'entitlements', 'escalation'] LOOP
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION owner', service);
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), service);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, service);
        EXECUTE format('ALTER ROLE %I SET search_path = %I', service, service);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA %I
                        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', service, service);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA %I
                        GRANT USAGE ON SEQUENCES TO %I', service, service);
    END LOOP;

    CREATE SCHEMA IF NOT EXISTS clock AUTHORIZATION owner;
    GRANT USAGE ON SCHEMA clock TO invoicing, collections, entitlements, escalation, monitor, clock;
    ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA clock
        GRANT SELECT ON TABLES TO invoicing, collections, entitlements, escalation, monitor, clock;
    ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA clock GRANT INSERT, UPDATE ON TABLES TO clock;
    ALTER ROLE clock SET search_path = clock;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO monitor, clock', current_database());
END $$;
