using System.Collections.Frozen;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Orderwright.OperatorConsole;

/// <summary>One look at a page: what the address asks for, what to read with, and when it is.</summary>
/// <param name="Path">Such as <c>/orders</c>.</param>
/// <param name="Query">The page's filter: it lives in the address.</param>
/// <param name="Api">Reads and acts as the visitor.</param>
/// <param name="Now">The moment that all ages on the page count from.</param>
/// <param name="Token">Stands in every form.</param>
/// <param name="HasKeys">Visitors come in with a key, and can leave.</param>
public sealed record Visit(
    string Path, IReadOnlyDictionary<string, string> Query, Api Api, DateTimeOffset Now, string Token, bool HasKeys)
{
    /// <summary>Under which address the visitor knows this server.</summary>
    public string Origin { get; init; } = "http://127.0.0.1:4000";

    /// <summary>The address narrows the page to something.</summary>
    public bool IsFiltered => Query.Any(pair => pair.Key is not ("cursor" or "done") && !string.IsNullOrWhiteSpace(pair.Value));

    /// <summary>What went wrong with the form that was just sent.</summary>
    public string? Trouble { get; init; }

    /// <summary>The page has found that what its address names does not exist. It says so, and so does the answer.</summary>
    public bool IsOfNothing { get; set; }

    /// <summary>What stands for <c>{id}</c> in the page's route.</summary>
    public string Id => Uri.UnescapeDataString(Path.Split('/') is { Length: > 2 } parts ? parts[2] : "");

    /// <summary>Null where the address says nothing, or nothing but blanks.</summary>
    public string? this[string name] =>
        Query.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public static Visit Of(string at, Api api, DateTimeOffset now, string token, bool hasKeys)
    {
        var split = at.Split('?', 2);
        var query = QueryHelpers.ParseQuery(split.Length > 1 ? split[1] : "");
        return new(
            split[0], query.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToString()), api, now, token, hasKeys);
    }

    /// <summary>This page's address with another filter; null takes a part away. A new filter begins on page one.</summary>
    public string With(params ReadOnlySpan<(string Name, string? Value)> changes)
    {
        var query = Query.Where(pair => pair.Key != "cursor" && pair.Value.Length > 0).ToDictionary();
        foreach (var (name, value) in changes)
            if (value is null) query.Remove(name);
            else query[name] = value;
        return Path + Of(query);
    }

    /// <summary>The part of an API call that repeats what the address says under these names.</summary>
    public string Filter(params ReadOnlySpan<string> names)
    {
        var query = new Dictionary<string, string>();
        foreach (var name in names)
            if (this[name] is { } value) query[name] = value;
        return Of(query);
    }

    static string Of(IEnumerable<KeyValuePair<string, string>> query)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in query.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append(text.Length == 0 ? '?' : '&').Append(Uri.EscapeDataString(name)).Append('=')
                .Append(Uri.EscapeDataString(value));
        return text.ToString();
    }
}
