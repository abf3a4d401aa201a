using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Hosting;

/// <summary>What a process does besides, once it is ready; cancelled when the process stops.</summary>
/// <param name="url">Where it answers.</param>
/// <param name="cancel">The process stops.</param>
public delegate Task AfterReady(Uri url, CancellationToken cancel);

/// <summary>
/// Runs one service, or several in one process: reads settings, opens databases and transport, answers HTTP, stops in an
/// orderly way on SIGTERM and Ctrl+C. Exit codes: 0 stopped, 1 failed, 2 a setting cannot be.
/// </summary>
public static class ServiceHost
{
    public static Task<int> RunAsync(string[] args, params IServiceModule[] modules) => RunAsync(args, modules, null);

    /// <param name="args">Settings as <c>--name value</c>.</param>
    /// <param name="modules">1 or more.</param>
    /// <param name="prepare">Reads what it needs from the settings at once, so that a wrong one is told at the start.</param>
    /// <param name="site">Pages for people; null for none.</param>
    public static async Task<int> RunAsync(
        string[] args, IReadOnlyList<IServiceModule> modules, Func<IConfiguration, ILoggerFactory, AfterReady>? prepare,
        ISite? site = null)
    {
        try
        {
            var source = new SettingsSource(args, Environment.GetEnvironmentVariables());
            var settings = new ConfigurationBuilder().Add(source).Build();
            using var logs = Logs(settings);
            await using var process = new HostProcess(modules, site, settings, logs);
            var afterReady = prepare?.Invoke(settings, logs);
            foreach (var unknown in source.Unknown())
                await Console.Error.WriteLineAsync($"Nothing here knows the setting {unknown}: is it misspelt?");
            return await process.RunAsync(afterReady);
        }
        catch (InvalidSettingException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 2;
        }
        catch (Exception error) when (error is IOException or DatabaseUnfitException)
        {
            // A port that is taken, a directory that cannot be written, a server that would lose commits.
            await Console.Error.WriteLineAsync($"Orderwright cannot run: {error.Message}");
            return 1;
        }
    }

    static ILoggerFactory Logs(IConfiguration settings)
    {
        var said = settings["LOG"] is { Length: > 0 } text ? text : "info";
        LogLevel? level = said.ToUpperInvariant() switch
        {
            "DEBUG" => LogLevel.Debug,
            "INFO" => LogLevel.Information,
            "WARN" => LogLevel.Warning,
            "ERROR" => LogLevel.Error,
            _ => null,
        };
        if (level is null) throw new InvalidSettingException("LOG", said, "debug, info, warn or error");
        return LoggerFactory.Create(logging =>
        {
            logging.Services.AddSingleton(TimeProvider.System);
            logging.SetMinimumLevel(level.Value).AddFilter("Microsoft", LogLevel.Warning)
                // What it would say, with a stack, is thrown to us anyway.
                .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
                .AddConsoleFormatter<OneLineFormatter, ConsoleFormatterOptions>()
                .AddConsole(console =>
                {
                    console.FormatterName = OneLineFormatter.FormatterName;
                    console.LogToStandardErrorThreshold = LogLevel.Trace;
                });
        });
    }
}
