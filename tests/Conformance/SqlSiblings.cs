using System.Reflection;
using System.Text.RegularExpressions;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance;

/// <summary>Compares an assembly's SQL in both dialects: names of statements, and their arguments.</summary>
public static partial class SqlSiblings
{
    /// <summary>Lists the differences between the engines, a sentence each.</summary>
    public static IReadOnlyList<string> Differences(Assembly assembly) =>
        Differences(new SqlCatalog(assembly, "postgres"), new SqlCatalog(assembly, "sqlite"));

    public static IReadOnlyList<string> Differences(SqlCatalog one, SqlCatalog other) =>
    [
        .. one.Names.Except(other.Names).Select(name => $"{other.Engine} lacks the query {name}"),
        .. other.Names.Except(one.Names).Select(name => $"{one.Engine} lacks the query {name}"),
        .. Numbered(one).Except(Numbered(other)).Select(name => $"{other.Engine} lacks the migration {name}"),
        .. Numbered(other).Except(Numbered(one)).Select(name => $"{one.Engine} lacks the migration {name}"),
        .. from name in one.Names.Intersect(other.Names)
           from parameter in Scalars(other[name]).Except(Scalars(one[name]))
           select $"{other.Engine} names @{parameter} in {name}, and {one.Engine} does not",
    ];

    static IEnumerable<string> Numbered(SqlCatalog catalog) =>
        catalog.Migrations.Select(migration => $"{migration.Number:000}_{migration.Name}");

    static IEnumerable<string> Scalars(SqlQuery query) =>
        Parameters().Matches(query.Text).Select(match => match.Groups[1].Value).Where(name => name is not ("" or SqlArgs.Rows));

    [GeneratedRegex("""'[^']*'|--[^\n]*|@([A-Za-z_][A-Za-z0-9_]*)""")]
    private static partial Regex Parameters();
}

public sealed class SqlSiblingFacts
{
    public static TheoryData<string> AssembliesWithSql => new(
        Directory.GetFiles(AppContext.BaseDirectory, "Orderwright.*.dll").Select(Assembly.LoadFrom)
            .Where(assembly => assembly.GetManifestResourceNames().Any(name => name.EndsWith(".sql", StringComparison.Ordinal)))
            .Select(assembly => assembly.GetName().Name!));

    [Theory]
    [MemberData(nameof(AssembliesWithSql))]
    public void Sql_is_the_same_in_both_dialects(string assembly) =>
        Assert.Empty(SqlSiblings.Differences(Assembly.Load(assembly)));

    [Fact]
    public void The_runtime_and_the_services_are_among_those_with_sql() => Assert.Superset(
        new HashSet<string> { "Orderwright.Runtime", "Orderwright.OrderService", "Orderwright.StockService" },
        new HashSet<string>(AssembliesWithSql.Select(row => row.Data)));

    [Fact]
    public void A_missing_sibling_is_found()
    {
        var differences = SqlSiblings.Differences(
            new SqlCatalog(typeof(IDatabase).Assembly, "postgres"), new SqlCatalog(typeof(SqlSiblings).Assembly, "sqlite"));
        Assert.Contains("sqlite lacks the query store_answers", differences);
        Assert.Contains("postgres lacks the query insert_sample", differences);
        Assert.Contains("sqlite lacks the migration 001_runtime", differences);
        Assert.Contains("postgres lacks the migration 001_conformance", differences);
    }
}
