using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace Orderwright.Runtime.Database;

/// <summary>
/// Named statement of a <c>Sql/</c> file. Adapters cache prepared statements per instance: take statements from a
/// <see cref="SqlCatalog"/> and keep them.
/// </summary>
public sealed record SqlQuery(string Name, string Text);

/// <summary>
/// Named statements of one assembly for one engine. Statements for both engines are in <c>Sql/orders.sql</c>, the
/// others in <c>Sql/orders.{engine}.sql</c>, under the same name in both (a test compares them). Files with names that start with
/// a number are migrations.
/// </summary>
/// <remarks>
/// A line <c>-- name: insert_orders</c> opens a statement. A line <c>-- columns: order</c> opens a list of columns, which any
/// statement of the assembly includes as <c>{order}</c>. Lines with only a comment are dropped.
/// </remarks>
public sealed partial class SqlCatalog
{
    const string Opening = "-- name:";
    const string ColumnsOpening = "-- columns:";

    static readonly ConcurrentDictionary<(Assembly, string), SqlCatalog> Known = new();

    readonly FrozenDictionary<string, SqlQuery> queries;

    public SqlCatalog(Assembly assembly, string engine)
    {
        // Orderwright.StockService: its history is the module "stockservice".
        var module = assembly.GetName().Name!.Split('.')[^1].ToLowerInvariant();
        var found = new Dictionary<string, SqlQuery>();
        var columns = new Dictionary<string, string>();
        var migrations = new List<Migration>();
        foreach (var file in assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith($".{engine}.sql", StringComparison.Ordinal) || SharedFile().IsMatch(name))
            .Order(StringComparer.Ordinal))
        {
            var text = Read(assembly, file);
            if (NumberedFile().Match(file) is { Success: true } numbered)
                migrations.Add(new Migration(
                    module, int.Parse(numbered.Groups[1].ValueSpan, CultureInfo.InvariantCulture), numbered.Groups[2].Value,
                    text));
            else
                foreach (var (opening, block) in Split(file, text))
                    if (!(opening == Opening ? found.TryAdd(block.Name, block) : columns.TryAdd(block.Name, block.Text)))
                        throw new InvalidOperationException($"{file}: '{block.Name}' is defined twice.");
        }
        queries = found.ToFrozenDictionary(
            pair => pair.Key, pair => pair.Value with { Text = Include(pair.Value, columns) });
        Migrations = migrations;
        Engine = engine;
    }

    /// <summary>
    /// Returns the catalog, read once per process: a restarted service finds all statements prepared.
    /// </summary>
    public static SqlCatalog Of(Assembly assembly, string engine) =>
        Known.GetOrAdd((assembly, engine), key => new SqlCatalog(key.Item1, key.Item2));

    /// <summary>All migrations of a service's database: the runtime's and the module's own.</summary>
    public static IReadOnlyList<Migration> MigrationsOf(IServiceModule module, string engine) =>
        [.. Of(typeof(SqlCatalog).Assembly, engine).Migrations, .. Of(module.GetType().Assembly, engine).Migrations];

    public string Engine { get; }

    public IReadOnlyList<Migration> Migrations { get; }

    public IEnumerable<string> Names => queries.Keys;

    public SqlQuery this[string name] => queries.TryGetValue(name, out var query)
        ? query
        : throw new InvalidOperationException($"No query is named '{name}' for {Engine}.");

    static IEnumerable<(string Opening, SqlQuery Block)> Split(string file, string text)
    {
        var (opening, name) = (Opening, (string?)null);
        var statement = new StringBuilder();
        foreach (var line in text.Split('\n'))
        {
            var next = line.StartsWith(Opening, StringComparison.Ordinal) ? Opening
                : line.StartsWith(ColumnsOpening, StringComparison.Ordinal) ? ColumnsOpening : null;
            if (next is not null && name is not null) yield return (opening, Close(file, name, statement));
            if (next is not null) (opening, name) = (next, line[next.Length..].Trim());
            else if (line.AsSpan().TrimStart().StartsWith("--")) continue;
            else if (name is not null) statement.Append(line.TrimEnd()).Append('\n');
            else if (!string.IsNullOrWhiteSpace(line))
                throw new InvalidOperationException($"{file}: '{line.Trim()}' precedes the first '{Opening}'.");
        }
        if (name is not null) yield return (opening, Close(file, name, statement));
    }

    static string Include(SqlQuery query, Dictionary<string, string> columns) =>
        ColumnList().Replace(query.Text, match => columns.TryGetValue(match.Groups[1].Value, out var list)
            ? list
            : throw new InvalidOperationException($"{query.Name}: no columns are named '{match.Groups[1].Value}'."));

    static SqlQuery Close(string file, string name, StringBuilder statement)
    {
        var text = statement.ToString().Trim().TrimEnd(';');
        statement.Clear();
        if (!QueryName().IsMatch(name)) throw new InvalidOperationException($"{file}: '{name}' is not in snake_case.");
        if (text.Length == 0) throw new InvalidOperationException($"{file}: the query '{name}' is empty.");
        return new SqlQuery(name, text);
    }

    static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^(\d{3})_([a-z0-9_]+)\.")]
    private static partial Regex NumberedFile();

    [GeneratedRegex(@"^[a-z][a-z0-9-]*\.sql$")]
    private static partial Regex SharedFile();

    [GeneratedRegex(@"\{([a-z][a-z0-9_]*)\}")]
    private static partial Regex ColumnList();

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex QueryName();
}
