using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Orderwright.Hosting;

/// <summary>
/// Formats a log entry as a single line: <c>09:30:00.123 warn 1001 order-service: the database is unavailable</c>. Control
/// characters become spaces, so that text from outside can neither start a line nor control a terminal.
/// </summary>
sealed class OneLineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "orderwright";

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():HH:mm:ss.fff} {Word(logEntry.LogLevel)} {logEntry.EventId.Id} {text}");
        if (logEntry.Exception is { } error) line += $" | {error}";
        textWriter.WriteLine(string.Create(line.Length, line, (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = BreaksLine(from[i]) ? ' ' : from[i];
        }));
    }

    static bool BreaksLine(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';

    static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "FATAL",
        LogLevel.Error => "error",
        LogLevel.Warning => "warn ",
        LogLevel.Information => "info ",
        _ => "debug",
    };
}
