using System.Text.RegularExpressions;

namespace Orderwright.Runtime.Database;

/// <summary>The names <c>@such_as_this</c> by which a statement's text refers to what it is given.</summary>
public static partial class SqlNames
{
    /// <summary>The name is the first group; a match without it is what is in quotes or in a comment, and stays.</summary>
    [GeneratedRegex("""'[^']*'|"[^"]*"|--[^\n]*|@([A-Za-z_][A-Za-z0-9_]*)""")]
    public static partial Regex InText { get; }

    public static InvalidOperationException NotGiven(SqlQuery query, string name) =>
        new($"The query '{query.Name}' names @{name}, which it is not given.");
}
