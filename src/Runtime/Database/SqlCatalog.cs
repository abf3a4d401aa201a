using System.Collections.Frozen;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Orderwright.Runtime.Database;

/// <summary>A statement of a <c>Sql/</c> file, by its name. Adapters keep one prepared statement per query.</summary>
public sealed record SqlQuery(string Name, string Text);

/// <summary>
/// The named statements of one assembly for one engine, read from its embedded <c>Sql/*.{engine}.sql</c> files, where
/// <c>-- name: insert_orders</c> opens a statement. Both engines have the same names; a test holds them to it.
/// Files that begin with a number are migrations.
/// </summary>
public sealed partial class SqlCatalog
{
    readonly FrozenDictionary<string, SqlQuery> queries;

    public SqlCatalog(Assembly assembly, string engine)
    {
        var ending = $".{engine}.sql";
        var found = new Dictionary<string, SqlQuery>();
        var migrations = new List<Migration>();
        foreach (var file in assembly.GetManifestResourceNames().Where(
            name => name.EndsWith(ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var text = Read(assembly, file);
            if (NumberedFile().Match(file) is { Success: true } numbered)
                migrations.Add(new Migration(
                    assembly.GetName().Name!.ToLowerInvariant(), int.Parse(numbered.Groups[1].ValueSpan,
                    System.Globalization.CultureInfo.InvariantCulture), numbered.Groups[2].Value, text));
            else
                foreach (var query in Split(text))
                    if (!found.TryAdd(query.Name, query))
                        throw new InvalidOperationException($"{file}: the query '{query.Name}' is there twice.");
        }
        queries = found.ToFrozenDictionary();
        Migrations = migrations;
        Engine = engine;
    }

    public string Engine { get; }

    public IReadOnlyList<Migration> Migrations { get; }

    public IEnumerable<string> Names => queries.Keys;

    public SqlQuery this[string name] => queries.TryGetValue(name, out var query)
        ? query
        : throw new InvalidOperationException($"No query is named '{name}' for {Engine}.");

    static IEnumerable<SqlQuery> Split(string text) =>
        from block in text.Split("-- name:", StringSplitOptions.RemoveEmptyEntries).Skip(text.StartsWith("-- name:", StringComparison.Ordinal) ? 0 : 1)
        let end = block.IndexOf('\n', StringComparison.Ordinal)
        select new SqlQuery(block[..end].Trim(), block[(end + 1)..].Trim().TrimEnd(';'));

    static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^(\d{3})_([a-z0-9_]+)\.")]
    private static partial Regex NumberedFile();
}
