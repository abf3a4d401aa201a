namespace Orderwright.Hosting;

/// <summary>Log of a process, on standard error.</summary>
public sealed class LogSettings
{
    /// <summary>
    /// Minimum level: <c>debug</c>, <c>info</c>, <c>warn</c> or <c>error</c>. Levels per category come from
    /// <c>Logging:LogLevel</c>.
    /// </summary>
    public string Log { get; set; } = "info";

    /// <summary>
    /// Format of an entry, one per line: <c>text</c>, or <c>json</c> with trace ids. The images set <c>json</c>.
    /// </summary>
    public string LogFormat { get; set; } = "text";
}
