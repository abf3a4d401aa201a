using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Sqlite;

/// <summary>Migrates a file's schema within an exclusive write transaction.</summary>
static class SqliteMigrations
{
    static readonly SqlQuery History = new(
        "history", "SELECT module, number, name, checksum FROM schema_migrations");

    static readonly SqlQuery Note = new(
        "note",
        """
        INSERT INTO schema_migrations (module, number, name, checksum, applied_at)
        VALUES (@module, @number, @name, @checksum, CAST(unixepoch('subsec') * 1000 AS INTEGER))
        """);

    /// <summary>
    /// Returns the number of applied migrations. If none may be applied, throws <see cref="DatabaseUnavailableException"/>
    /// while any is pending.
    /// </summary>
    public static int Apply(SqliteSession session, IReadOnlyList<Migration> migrations, bool mayApply)
    {
        session.RunScript(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                module TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
                applied_at INTEGER NOT NULL, PRIMARY KEY (module, number)) STRICT
            """);
        var applied = session.Stream(
            History, SqlArgs.None,
            row => new AppliedMigration(row.Text("module"), row.Int("number"), row.Text("name"), row.Text("checksum")), default)
            .ToList();
        var pending = MigrationHistory.Pending(migrations, applied);
        if (pending.Count > 0 && !mayApply)
            throw new DatabaseUnavailableException(
                $"The file lacks {pending.Count} migrations, and ORDERWRIGHT_MIGRATE is false. Run the program with migrate.");
        foreach (var migration in pending)
        {
            session.RunScript(migration.Sql);
            session.Execute(
                Note,
                SqlArgs.With("module", migration.Module).And("number", migration.Number).And("name", migration.Name)
                    .And("checksum", MigrationHistory.Checksum(migration)));
        }
        return pending.Count;
    }
}
