-- Seals the journal against changes by customer-service. Run once in its database, as the server's administrator:
--   psql -d orderwright_customer -f postgres-seal.sql
-- A service creates its own tables and therefore owns them, and an owner can grant itself any right. This script hands the
-- journal and its schema to a role without login: customer-service can read and append, but not change, delete, truncate,
-- alter or drop. Before the first start, the migration that creates the table calls the function; later it runs at once.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orderwright_journal') THEN
        CREATE ROLE orderwright_journal NOLOGIN;
    END IF;
END $$;

-- Runs with the administrator's rights for any caller; sealing is its only effect.
CREATE OR REPLACE FUNCTION public.seal_journal() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    service text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.journal'::regclass);
BEGIN
    IF service = 'orderwright_journal' THEN
        RETURN;
    END IF;
    ALTER TABLE public.journal OWNER TO orderwright_journal;
    ALTER FUNCTION public.refuse_journal_change() OWNER TO orderwright_journal;
    -- The owner of a schema may drop its objects.
    ALTER SCHEMA public OWNER TO orderwright_journal;
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT ON public.journal TO %I', service);
END $$;

DO $$ BEGIN
    IF to_regclass('public.journal') IS NOT NULL THEN
        PERFORM public.seal_journal();
    END IF;
END $$;
