using System.Runtime.CompilerServices;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Statement in PostgreSQL's own form, with numbered parameters: names in the text are resolved once, not at every execution.
/// </summary>
sealed class PostgresStatement
{
    // Keyed weakly by the query object, because some queries are created on the fly.
    static readonly ConditionalWeakTable<SqlQuery, PostgresStatement> Known = [];

    PostgresStatement(SqlQuery query)
    {
        var names = new List<string>();
        Text = SqlNames.InText.Replace(
            query.Text, match => match.Groups[1] is { Success: true, Value: var name } ? Number(name) : match.Value);
        ParameterNames = names;

        string Number(string name)
        {
            if (!names.Contains(name)) names.Add(name);
            return $"${names.IndexOf(name) + 1}";
        }
    }

    public string Text { get; }

    /// <summary>Names in the order of the numbers.</summary>
    public IReadOnlyList<string> ParameterNames { get; }

    public static PostgresStatement Of(SqlQuery query) => Known.GetValue(query, query => new(query));
}
