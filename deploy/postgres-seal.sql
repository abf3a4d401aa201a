-- Takes the journal out of customer-service's own hands. Run once in its database by the server's administrator:
--   psql -d orderwright_customer -f postgres-seal.sql
-- A service makes its tables itself, so it owns them, and an owner may do anything to them again. After this the journal
-- and its schema belong to a role that nobody can be: customer-service may read and add, and neither change, delete,
-- truncate, alter nor drop. Before the first start the migration that makes the table calls it; later it takes effect now.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orderwright_journal') THEN
        CREATE ROLE orderwright_journal NOLOGIN;
    END IF;
END $$;

-- With the administrator's rights, whoever calls it: it can do nothing but this.
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
    -- The owner of a schema may drop what stands in it.
    ALTER SCHEMA public OWNER TO orderwright_journal;
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT ON public.journal TO %I', service);
END $$;

DO $$ BEGIN
    IF to_regclass('public.journal') IS NOT NULL THEN
        PERFORM public.seal_journal();
    END IF;
END $$;
