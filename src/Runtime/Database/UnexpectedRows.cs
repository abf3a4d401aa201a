namespace Orderwright.Runtime.Database;

/// <summary>What both engines throw where a deferred statement did not touch the rows that it had to.</summary>
public static class UnexpectedRows
{
    public static InvalidOperationException Of(SqlQuery query, int expected, int touched) =>
        new($"{query.Name} had to write {expected} rows and wrote {touched}.");
}
