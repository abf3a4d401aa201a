using System.Text.RegularExpressions;

namespace Orderwright.Runtime.Database;

/// <summary>Pattern of argument names, <c>@such_as_this</c>, in the text of a statement.</summary>
public static partial class SqlNames
{
    /// <summary>
    /// Captures the name in group 1. A match without the group is quoted text or a comment, and stays unchanged.
    /// </summary>
    [GeneratedRegex("""'[^']*'|"[^"]*"|--[^\n]*|@([A-Za-z_][A-Za-z0-9_]*)""")]
    public static partial Regex InText { get; }

    public static InvalidOperationException NotGiven(SqlQuery query, string name) =>
        new($"The query '{query.Name}' refers to @{name}, which is missing from its arguments.");
}
