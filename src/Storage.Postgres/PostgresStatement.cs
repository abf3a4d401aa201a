using System.Runtime.CompilerServices;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// A statement as PostgreSQL itself takes it, with parameters by number: each name in the text is looked up once and not at
/// every execution.
/// </summary>
sealed class PostgresStatement
{
    // By the query itself, weakly: some are made on the fly.
    static readonly ConditionalWeakTable<SqlQuery, PostgresStatement> Known = [];

    PostgresStatement(SqlQuery query)
    {
        var names = new List<string>();
        Text = SqlNames.InText.Replace(
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
}
