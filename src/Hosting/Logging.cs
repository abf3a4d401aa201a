using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>Log of a process: one line per entry on standard error.</summary>
static class Logging
{
    /// <param name="settings">Settings with the level, <c>ORDERWRIGHT_LOG</c>.</param>
    /// <param name="categories">Levels per category, of <c>Logging:LogLevel</c>.</param>
    public static ILoggerFactory Create(
        IConfiguration settings, IReadOnlyList<(string Category, string Origin, string Level)> categories)
    {
        var (text, format) = settings.Bind<LogSettings>() is var log ? (log.Log, log.LogFormat) : default;
        var formatter = format switch
        {
            "text" => OneLineFormatter.FormatterName,
            "json" => JsonLineFormatter.FormatterName,
            _ => throw new InvalidSettingException("LOG_FORMAT", format, "text or json"),
        };
        var level = LevelOf(text)
            ?? throw new InvalidSettingException("LOG", text, "debug, info, warn or error");
        var filters = categories.Select(filter => (filter.Category, Level: LevelOf(filter.Level)
            ?? throw new InvalidSettingException(
                $"{filter.Origin} is \"{filter.Level}\", which is invalid. " +
                $"Allowed: {string.Join(", ", Enum.GetNames<LogLevel>())}."))).ToList();
        return LoggerFactory.Create(logging =>
        {
            logging.Services.AddSingleton(TimeProvider.System);
            logging.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning)
                // The host logs exceptions with a stack although they are rethrown to us.
                .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
                .AddConsoleFormatter<OneLineFormatter, ConsoleFormatterOptions>()
                .AddConsoleFormatter<JsonLineFormatter, ConsoleFormatterOptions>()
                .AddConsole(console =>
                {
                    console.FormatterName = formatter;
                    console.LogToStandardErrorThreshold = LogLevel.Trace;
                });
            foreach (var (category, filter) in filters) logging.AddFilter(category, filter);
        });
    }

    // Our own short names, and those of .NET.
    static LogLevel? LevelOf(string text) => text.ToUpperInvariant() switch
    {
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARN" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        _ => Enum.TryParse<LogLevel>(text, ignoreCase: true, out var level) && Enum.IsDefined(level) ? level : null,
    };
}
