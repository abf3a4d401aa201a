using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// A statement as PostgreSQL itself takes it, with parameters by number: each name in the text is looked up once and not at
/// every execution.
/// </summary>
sealed partial class PostgresStatement
{
    // By the query itself, weakly: some are made on the fly.
    static readonly ConditionalWeakTable<SqlQuery, PostgresStatement> Known = [];

    readonly string name;

    PostgresStatement(SqlQuery query)
    {
        name = query.Name;
        var names = new List<string>();
        Text = Names().Replace(
            query.Text, match => match.Groups[1] is { Success: true, Value: var said } ? Number(said) : match.Value);
        ParameterNames = names;

        string Number(string said)
        {
            if (!names.Contains(said)) names.Add(said);
            return $"${names.IndexOf(said) + 1}";
        }
    }

    public string Text { get; }

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<string> ParameterNames { get; }

    public static PostgresStatement Of(SqlQuery query) => Known.GetValue(query, query => new(query));

    /// <summary>What the statement was not given.</summary>
    public InvalidOperationException Lacks(string parameter) =>
        new($"The query '{name}' names @{parameter}, which it is not given.");

    // What is in quotes or in a comment is stepped over.
    [GeneratedRegex("""'[^']*'|"[^"]*"|--[^\n]*|@([A-Za-z_][A-Za-z0-9_]*)""")]
    private static partial Regex Names();
}
