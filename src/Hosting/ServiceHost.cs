using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Hosting;

/// <summary>Additional task of a process, run once the services are ready and cancelled when the process stops.</summary>
/// <param name="url">Address of the process.</param>
/// <param name="cancel">Cancelled when the process stops.</param>
public delegate Task AfterReady(Uri url, CancellationToken cancel);

/// <summary>
/// Runs services in a process: reads settings, opens databases and transport, serves HTTP, and shuts down
/// gracefully on SIGTERM and Ctrl+C. Exit codes: 0 stopped, 1 failed, 2 invalid setting. The first argument may be
/// <c>health</c> or <c>migrate</c> (<see cref="HealthCommand"/>, <see cref="MigrateCommand"/>).
/// </summary>
public static class ServiceHost
{
    public static Task<int> RunAsync(string[] args, params IServiceModule[] modules) => RunAsync(args, modules, null);

    /// <param name="args">Settings as <c>--name value</c>; a verb may precede them.</param>
    /// <param name="modules">1 or more.</param>
    /// <param name="prepare">Reads its settings at once, so that invalid settings are reported at the start.</param>
    /// <param name="site">Pages for people; null for none.</param>
    public static async Task<int> RunAsync(
        string[] args, IReadOnlyList<IServiceModule> modules, Func<IConfiguration, ILoggerFactory, AfterReady>? prepare,
        ISite? site = null)
    {
        SettingsSource? source = null;
        try
        {
            var verb = args.FirstOrDefault() is HealthCommand.Name or MigrateCommand.Name ? args[0] : null;
            var given = verb is null ? args : args[1..];
            var variables = Environment.GetEnvironmentVariables();
            var standard = new StandardSettings(Environment.CurrentDirectory, variables);
            source = new SettingsSource(given, variables, standard);
            var settings = new ConfigurationBuilder().Add(source).Build();
            if (verb == HealthCommand.Name) return await HealthCommand.RunAsync(settings, modules);
            if (verb == MigrateCommand.Name) return await MigrateCommand.RunAsync(settings, source, modules);
            using var logs = Logging.Create(settings, standard.LogLevels);
            var percent = settings.Bind<TelemetrySettings>().TracePercent;
            using var telemetry = variables["OTEL_EXPORTER_OTLP_ENDPOINT"] is string { Length: > 0 }
                ? Export(modules.Count > 1 ? "orderwright" : modules[0].Name, percent)
                : null;
            await using var process = new HostProcess(modules, site, settings, logs);
            var afterReady = prepare?.Invoke(settings, logs);
            foreach (var unknown in source.Unknown())
                await Console.Error.WriteLineAsync($"The setting {unknown} is unknown; check its spelling.");
            foreach (var warning in source.Warnings) await Console.Error.WriteLineAsync(warning);
            return await process.RunAsync(afterReady);
        }
        catch (InvalidSettingException error)
        {
            await Console.Error.WriteLineAsync(source?.Explain(error) ?? error.Message);
            return 2;
        }
        catch (Exception error) when (error is IOException or DatabaseUnfitException or DatabaseUnavailableException)
        {
            // A port in use, a read-only directory, a server that could lose commits, no database to migrate.
            await Console.Error.WriteLineAsync($"Orderwright cannot run: {error.Message}");
            return 1;
        }
    }

    // A method of its own: OpenTelemetry is loaded when this method is compiled, at the first call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static IDisposable Export(string service, int percent) =>
        new Telemetry.Exporting(service, Http.MetricsPage.Version, percent);
}
