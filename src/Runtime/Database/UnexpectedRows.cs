namespace Orderwright.Runtime.Database;

/// <summary>Exception of both engines for a deferred statement that wrote an unexpected number of rows.</summary>
public static class UnexpectedRows
{
    public static InvalidOperationException Of(SqlQuery query, int expected, int touched) =>
        new($"{query.Name} had to write {expected} rows and wrote {touched}.");
}
