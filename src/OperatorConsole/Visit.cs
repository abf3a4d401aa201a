using System.Collections.Frozen;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.OperatorConsole;

/// <summary>Ways to sign in.</summary>
/// <param name="WithKey">With an API key.</param>
/// <param name="Providers">At identity providers.</param>
/// <param name="To">Page that follows.</param>
/// <param name="NeedsTls">The page was reached without TLS from another machine.</param>
public sealed record SignInChoices(bool WithKey, IReadOnlyList<SignOnLink> Providers, string To, bool NeedsTls);

/// <summary>Rendering of a page for a visitor: the address, the visitor's API access, and the time.</summary>
/// <param name="Path">Such as <c>/orders</c>.</param>
/// <param name="Query">Filter of the page.</param>
/// <param name="Api">The APIs, called as the visitor.</param>
/// <param name="Now">Reference time for all ages on the page.</param>
/// <param name="Token">Token of every form, against cross-site requests.</param>
/// <param name="SignsIn">Visitors sign in, and can sign out.</param>
public sealed record Visit(
    string Path, IReadOnlyDictionary<string, string> Query, Api Api, DateTimeOffset Now, string Token, bool SignsIn)
{
    /// <summary>Address of the server as the visitor sees it.</summary>
    public string Origin { get; init; } = "http://127.0.0.1:4000";

    /// <summary>Name of the signed-in visitor; null without signing in.</summary>
    public string? Who { get; init; }

    /// <summary>Ways to sign in, for the sign-in page.</summary>
    public SignInChoices? SignIn { get; init; }

    /// <summary>Links to the tools that hold traces and logs.</summary>
    public TelemetryLinks Links { get; init; } = TelemetryLinks.None;

    /// <summary>The address holds a filter.</summary>
    public bool IsFiltered => Query.Any(pair => pair.Key is not ("cursor" or "done") && !string.IsNullOrWhiteSpace(pair.Value));

    /// <summary>Completed once the page has its data, so that its API calls are known.</summary>
    public TaskCompletionSource Loaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Name of the visitor: the signed-in person or key, or <c>local</c> where nobody signs in.</summary>
    public string Person => Who ?? Caller.Local.Name;

    /// <summary>Refusal of a submitted form; null without one.</summary>
    public string? Error { get; init; }

    /// <summary>Set by a page whose address names nothing that exists: the response is a 404.</summary>
    public bool IsNotFound { get; set; }

    /// <summary>Value of <c>{id}</c> in the page's route; empty without one.</summary>
    public string Id => Uri.UnescapeDataString(Path.Split('/') is { Length: > 2 } parts ? parts[2] : "");

    /// <summary>Value of a query parameter; null if missing or blank.</summary>
    public string? this[string name] =>
        Query.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public static Visit Of(string at, Api api, DateTimeOffset now, string token, bool signsIn)
    {
        var split = at.Split('?', 2);
        var query = QueryHelpers.ParseQuery(split.Length > 1 ? split[1] : "");
        return new(
            split[0], query.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToString()), api, now, token, signsIn);
    }

    /// <summary>Address of the page with changed parameters, at the start of the list. Null removes a parameter.</summary>
    public string With(params ReadOnlySpan<(string Name, string? Value)> changes)
    {
        var query = Query.Where(pair => pair.Key != "cursor" && pair.Value.Length > 0).ToDictionary();
        foreach (var (name, value) in changes)
            if (value is null) query.Remove(name);
            else query[name] = value;
        return Path + Of(query);
    }

    /// <summary>Query of an API call with the named parameters of the page's address.</summary>
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
