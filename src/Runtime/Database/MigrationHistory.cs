using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Runtime.Database;

/// <summary>Applied migration: a row of the table <c>schema_migrations</c>.</summary>
public sealed record AppliedMigration(string Module, int Number, string Name, string Checksum);

/// <summary>
/// Comparison of a database's migrations with the known ones, shared by both engines.
/// </summary>
public static class MigrationHistory
{
    /// <summary>SHA-256 in hex, independent of the line ends of the checkout.</summary>
    public static string Checksum(Migration migration) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(migration.Sql.ReplaceLineEndings("\n"))));

    /// <summary>
    /// Returns the migrations of <paramref name="known"/> still to be applied, in order. Throws
    /// <see cref="DatabaseUnfitException"/> unless the database's history is a prefix of the known one.
    /// </summary>
    public static IReadOnlyList<Migration> Pending(
        IReadOnlyList<Migration> known, IReadOnlyList<AppliedMigration> applied)
    {
        var pending = new List<Migration>();
        foreach (var module in known.GroupBy(migration => migration.Module))
        {
            var ours = module.OrderBy(migration => migration.Number).ToList();
            for (var i = 0; i < ours.Count; i++)
                if (ours[i].Number != i + 1)
                    throw new InvalidOperationException(
                        $"The migrations of {module.Key} must be numbered 1, 2, 3 …; after {i} comes {ours[i].Number}.");

            var theirs = applied.Where(past => past.Module == module.Key).OrderBy(past => past.Number).ToList();
            for (var i = 0; i < theirs.Count; i++) Check(theirs[i], i + 1, i < ours.Count ? ours[i] : null);
            pending.AddRange(ours.Skip(theirs.Count));
        }
        return pending;
    }

    static void Check(AppliedMigration past, int expected, Migration? ours)
    {
        var what = $"migration {past.Number:000}_{past.Name} of {past.Module}";
        if (past.Number != expected)
            throw new DatabaseUnfitException(
                $"The database has {what}, but not {expected:000}, which precedes it: its history has a gap. " +
                "Restore the table schema_migrations, or the database, from a backup.");
        if (ours is null)
            throw new DatabaseUnfitException(
                $"The database has {what}, which this version of the program does not know: a newer version has used it. " +
                "Start that version or a newer one.");
        if (ours.Name != past.Name || Checksum(ours) != past.Checksum)
            throw new DatabaseUnfitException(
                $"The database has {what}, but its text was different then ({past.Checksum[..8]}, now " +
                $"{ours.Name} {Checksum(ours)[..8]}). Applied migrations never change: restore the file " +
                "and put the change into a new migration.");
    }
}
