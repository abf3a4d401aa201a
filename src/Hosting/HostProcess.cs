using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Hosting.Http;
using Orderwright.Hosting.Keys;
using Orderwright.Hosting.Tokens;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Http.Visitors;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Hosting;

/// <summary>
/// Parts of a process and their order. HTTP starts first, so that health checks work while a database is awaited, and stops
/// first, so that no request is left without a response.
/// </summary>
sealed partial class HostProcess : IAsyncDisposable
{
    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    readonly IReadOnlyList<IServiceModule> modules;
    readonly HostSettings settings;
    readonly string summary;
    readonly List<FileLock> locks = [];
    readonly List<IDatabase> databases = [];
    readonly ITransport transport;
    readonly List<RunningService> services = [];
    readonly IReadOnlyList<OperatedService> operated;
    readonly KeyRing? keys;
    readonly WebApplication web;
    readonly ILogger log;
    volatile bool open;

    public HostProcess(
        IReadOnlyList<IServiceModule> modules, ISite? site, IConfiguration configuration, ILoggerFactory logs)
    {
        this.modules = modules;
        log = logs.CreateLogger<HostProcess>();
        var names = modules.Select(module => module.Name).ToList();
        settings = HostSettings.Read(configuration, names);
        var options = configuration.Bind<RuntimeOptions>();
        var addresses = names.ToDictionary(
            name => name, name => Databases.AddressOf(name, configuration, names.Count > 1));
        var directories = addresses.Values.Select(Databases.DirectoryOf).OfType<string>().Distinct().ToList();
        if (directories.Find(File.Exists) is { } file)
            throw new InvalidSettingException(
                $"{Path.GetFullPath(file)} is a file. Allowed for --data: a directory for the database files.");
        if (Transports.IsInProcess(configuration)) locks.AddRange(directories.Select(LockOf));
        transport = Transports.Open(configuration, options, names, TimeProvider.System, logs);
        var transportText = Transports.Describe(configuration);
        var ids = new IdSource();
        foreach (var module in modules)
        {
            databases.Add(Databases.Open(addresses[module.Name], module.Name, options));
            services.Add(new RunningService(
                module, databases[^1], transport, options, configuration, TimeProvider.System, ids, logs));
        }
        operated = [.. services.Select(OperatedService.Of)];
        var databaseText = string.Join(
            ", ", addresses.Select(pair => Databases.Describe(pair.Value, pair.Key)).Distinct());
        summary = transport is InProcessTransport && databaseText.StartsWith("SQLite", StringComparison.Ordinal)
            ? $"embedded: {databaseText}, {transportText}"
            : $"{databaseText}; {transportText}";
        // The console's own service keeps the sessions. Whatever is decided by time at the door is decided by a service's clock:
        // a session, its end and the key behind it must not be compared across two clocks.
        var keeper = services.Find(service => service.Name == ServiceNames.Coordinator) ?? services[0];
        var time = keeper.Context.Time;
        keys = settings.KeyFile is null ? null : new KeyRing(settings.KeyFile, time, logs.CreateLogger<KeyRing>());
        var issuers = settings.IssuerFile is null ? [] : TokenIssuer.Read(settings.IssuerFile);
        var links = site is null ? [] : SignOn.LinksOf(issuers);
        var sealer = SealerOf(settings, names, issuers.Any(issuer => issuer.SignOn is not null));
        var visitors = new VisitorSessions(
            sealer, settings.KnowsCallers ? CallerOf : null, keys is not null, links,
            new EndedSessions(keeper.Context, keeper.Audit), settings.SessionTime);
        var provider = IssuerDocument.NewClient();
        var tokens = issuers.Count == 0 ? null : new TokenChecks(issuers, provider, time, logs);
        var authentication = new Authentication(
            keys, tokens, new RateLimits(configuration.Bind<RateSettings>(), time),
            new PersonTokens(sealer, time), visitors, logs.CreateLogger<Authentication>());
        var signOn = links.Count == 0 ? null : new SignOn(
            issuers, tokens!, provider, sealer, visitors, time, logs.CreateLogger<SignOn>());
        web = WebServer.Build(
            settings, authentication, visitors, signOn, services, operated, () => open, time, logs, site);
        site?.Map(web, new SiteContext(
            configuration, names, () => new Uri(settings.Listen.Url(Port())), visitors, time, logs));
    }

    // The console proves to other services for whom it acts.
    static Sealer SealerOf(HostSettings settings, List<string> services, bool people) =>
        settings.SessionKey is { } path ? Sealer.Read(path)
        : !people || ServiceNames.All.All(services.Contains) ? Sealer.OfThisProcess()
        : throw new InvalidSettingException(
            $"{Settings.Prefix}ISSUERS has a signOn, but {Settings.Prefix}SESSION_KEY is not set. Services in processes of " +
            "their own need the same session key: a file with 32 random bytes in base64.");

    public async Task<int> RunAsync(AfterReady? afterReady)
    {
        try
        {
            await web.StartAsync();
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            throw new IOException(await InUseAsync(), error);
        }
        var stopping = web.Lifetime.ApplicationStopping;
        var died = Task.WhenAny(services.Select(service => service.Died));
        try
        {
            // A dead service, or one unable to run, is reported at once, whatever the others wait for.
            var ready = GetReadyAsync(stopping);
            if (await Task.WhenAny(ready, died) == died) return await EndAsync(await died);
            await ready;
            var url = settings.Listen.Url(Port());
            var name = modules.Count > 1 ? "Orderwright" : modules[0].Name;
            Console.WriteLine($"{name} is ready: {settings.Listen.Text(Port())} ({summary})");
            foreach (var behind in services.Where(service => service.Fence.IsClosed))
                await Console.Error.WriteLineAsync($"{behind.Name} accepts nothing but repairs: {behind.Trouble}");
            var task = afterReady is null ? Task.CompletedTask : RunAfterReadyAsync(afterReady, new Uri(url), stopping);

            var stopped = new TaskCompletionSource();
            await using var registration = stopping.Register(stopped.SetResult);
            var first = await Task.WhenAny(stopped.Task, died);
            await web.StopAsync();
            await task;
            return first == stopped.Task ? 0 : await EndAsync(await died);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await web.StopAsync();
        await Task.WhenAll(services.Select(service => service.DisposeAsync().AsTask()));
        await transport.DisposeAsync();
        foreach (var database in databases) await database.DisposeAsync();
        await web.DisposeAsync();
        keys?.Dispose();
        foreach (var held in locks) held.Dispose();
    }

    async Task<string> InUseAsync()
    {
        var used = await UsedPort.DescribeAsync(new Uri(settings.Listen.Url(settings.Listen.Port)), CancellationToken.None);
        return $"{used} Stop it, or choose another port with --port N (or {Settings.Prefix}LISTEN).";
    }

    Caller? CallerOf(string key) => keys is not null && keys.Open(key, out var holder) is null ? holder!.Caller : null;

    // Messages in memory reach only the services of their own process: two processes on the same databases would each wait
    // for replies that the other holds.
    static FileLock LockOf(string directory) =>
        FileLock.TryTake(Path.Combine(directory, "orderwright.lock")) ?? throw new IOException(
            $"another process uses the databases in {Path.GetFullPath(directory)}. Stop it, or choose another directory " +
            "with --data.");

    async Task GetReadyAsync(CancellationToken stopping)
    {
        var starts = services.Zip(operated, (service, parts) => service.StartAsync(parts.DeadLetters.Loops, stopping));
        await foreach (var started in Task.WhenEach(starts)) await started;
        open = true;
        // A service whose database is behind accepts repairs, which an operator starts.
        while (services.Any(service => service is { Trouble: not null, Fence.IsClosed: false }))
            await Task.Delay(LookInterval, TimeProvider.System, stopping);
    }

    async Task<int> EndAsync(Task dead)
    {
        await web.StopAsync();
        await Console.Error.WriteLineAsync($"Orderwright stopped: {dead.Exception?.InnerException?.Message}");
        return 1;
    }

    // A failure of the additional task does not stop the services.
    async Task RunAfterReadyAsync(AfterReady afterReady, Uri url, CancellationToken cancel)
    {
        try
        {
            await afterReady(url, cancel);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogAfterReadyFailed(error);
        }
    }

    int Port()
    {
        var bound = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new Uri(bound.First()).Port;
    }

    [LoggerMessage(2021, LogLevel.Error, "The task after the start failed")]
    partial void LogAfterReadyFailed(Exception error);
}
