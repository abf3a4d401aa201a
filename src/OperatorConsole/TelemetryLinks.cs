using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.OperatorConsole;

/// <summary>Links from the console to the tools that hold traces and logs, and to the runbooks.</summary>
public sealed class TelemetryLinkSettings
{
    /// <summary>Address of a trace, with <c>{traceId}</c>, such as <c>https://traces.example.com/trace/{traceId}</c>.</summary>
    public string TraceUrl { get; set; } = "";

    /// <summary>
    /// Address of a search in the logs, with <c>{orderId}</c>, <c>{traceId}</c> or both, such as
    /// <c>https://logs.example.com/?q={orderId}</c>.
    /// </summary>
    public string LogUrl { get; set; } = "";

    /// <summary>
    /// Address of a runbook of incidents, with <c>{page}</c> for the name of a page of <c>docs/operations/incidents</c>, such as
    /// <c>https://wiki.example.com/orderwright/{page}</c>.
    /// </summary>
    public string RunbookUrl { get; set; } = "";
}

/// <summary>Checked templates; null for none.</summary>
public sealed record TelemetryLinks(string? TraceUrl, string? LogUrl, string? RunbookUrl)
{
    public static readonly TelemetryLinks None = new(null, null, null);

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for an invalid template.</summary>
    public static TelemetryLinks Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<TelemetryLinkSettings>();
        return new(
            Checked("TRACE_URL", settings.TraceUrl, "{traceId}"),
            Checked("LOG_URL", settings.LogUrl, "{orderId}", "{traceId}"),
            Checked("RUNBOOK_URL", settings.RunbookUrl, "{page}"));
    }

    /// <summary>Runbook of incidents; null without a template.</summary>
    public string? OfRunbook(string page) => RunbookUrl?.Replace("{page}", page, StringComparison.Ordinal);

    public string? OfTrace(string traceId) => TraceUrl is { } url && IsId(traceId) ? Fill(url, "", traceId) : null;

    /// <summary>Search for an order, and for its trace if the template asks for it; null without a known trace then.</summary>
    public string? OfLogs(string orderId, string? traceId) =>
        LogUrl is not { } url || url.Contains("{traceId}", StringComparison.Ordinal) && (traceId is null || !IsId(traceId))
            ? null : Fill(url, orderId, traceId ?? "");

    static string Fill(string url, string orderId, string traceId) =>
        url.Replace("{orderId}", Uri.EscapeDataString(orderId), StringComparison.Ordinal)
            .Replace("{traceId}", traceId, StringComparison.Ordinal);

    static bool IsId(string traceId) => traceId.Length == 32 && traceId.All(char.IsAsciiHexDigitLower);

    static string? Checked(string name, string template, params ReadOnlySpan<string> holes)
    {
        if (template.Length == 0) return null;
        foreach (var hole in holes)
            if (template.Contains(hole, StringComparison.Ordinal)
                && Uri.TryCreate(Fill(template, "o", "t"), UriKind.Absolute, out var url)
                && url.Scheme is "https" or "http")
                return template;
        throw new InvalidSettingException(
            name, template, $"an address with http or https that contains {string.Join(" or ", holes.ToArray())}");
    }
}
