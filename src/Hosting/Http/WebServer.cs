using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Orderwright.Hosting.Tokens;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;
using Orderwright.Http.Visitors;

namespace Orderwright.Hosting.Http;

/// <summary>HTTP side of a host: Kestrel with its limits, the request pipeline, and the endpoints of all hosts.</summary>
static class WebServer
{
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    public static WebApplication Build(
        HostSettings settings, Authentication authentication, VisitorSessions visitors, SignOn? signOn,
        IReadOnlyList<RunningService> services, IReadOnlyList<OperatedService> operated, Func<bool> isOpen, TimeProvider time,
        ILoggerFactory logs, ISite? site)
    {
        // An empty builder reads no configuration: all settings come from SettingsSource.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<DistributedContextPropagator>(new W3CPropagator());
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTime);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, settings));

        var app = builder.Build();
        var exceptions = new ExceptionHandling(logs.CreateLogger<ExceptionHandling>());
        var guard = new RequestGuard(settings, logs.CreateLogger<RequestGuard>());
        var document = settings.PublicDocument ? Access.Open : Access.AnyKey;

        UnreadableRequests.Watch(app.Services.GetRequiredService<DiagnosticListener>());
        app.Use(next => http => exceptions.GuardAsync(http, next));
        if (settings.Proxies is { Count: > 0 } proxies) app.UseForwardedHeaders(Forwarded(proxies));
        app.Use(next => http => ImpliedMethods.HandleAsync(http, next));
        app.Use(next => http => guard.Refuse(http) is { } refusal ? refusal.ExecuteAsync(http) : next(http));
        app.UseWhen(
            http => http.Request.Path.StartsWithSegments("/swagger"),
            branch => branch
                .Use(next => http => ContinueAsync(authentication.IdentifyAsync(http, document), http, next))
                .UseSwaggerUI(ui => ui.SwaggerEndpoint(ApiDocument.Path, "Orderwright")));
        app.UseRouting();
        app.Use(next => http => ContinueAsync(authentication.RefuseAsync(http), http, next));
        app.Use(next => http =>
            isOpen() || http.Request.Path.StartsWithSegments("/health") ? next(http) : Starting().ExecuteAsync(http));

        Health.Map(app, services);
        var description = new ApiDocument(app);
        app.MapGet(ApiDocument.Path, () => description.Answer).WithMetadata(document).ExcludeFromDescription();
        MapMetrics(app, services);
        if (site is null)
            app.MapGet("/", () => Results.Redirect("/swagger")).OpenToAll().ExcludeFromDescription();
        new OperatorPages(operated).Map(app);
        new HealPages(services).Map(app);
        new ApprovalPages([.. services.Select(service => (service.Parts as HttpParts)?.Approvals).OfType<DecideApprovals>()])
            .Map(app);
        if (site is not null) new SessionPages(visitors).Map(app);
        signOn?.Map(app);
        foreach (var parts in services.Select(service => service.Parts).OfType<HttpParts>()) parts.Routes(app);
        return app;
    }

    // Nearly always at once: only a token with an unknown signature waits.
    static Task ContinueAsync(ValueTask<Answer?> check, HttpContext http, RequestDelegate next)
    {
        return check.IsCompletedSuccessfully ? Continue(check.Result) : WaitAsync();

        Task Continue(Answer? refusal) => refusal is not null ? refusal.ExecuteAsync(http) : next(http);

        async Task WaitAsync() => await Continue(await check);
    }

    // The last hop alone is believed: its address is known, and what it forwards from further away is not.
    static ForwardedHeadersOptions Forwarded(IReadOnlyList<System.Net.IPNetwork> proxies)
    {
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders =
                ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost,
            ForwardLimit = 1,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in proxies) options.KnownIPNetworks.Add(network);
        return options;
    }

    static Answer Starting() => Problem.Of(
        StatusCodes.Status503ServiceUnavailable, ProblemCodes.Starting,
        "This server is starting; /health/ready reports what it is waiting for.")
        with { RetryAfter = TimeSpan.FromSeconds(1) };

    static void MapMetrics(WebApplication app, IReadOnlyList<RunningService> services)
    {
        var page = new MetricsPage();
        app.Lifetime.ApplicationStopped.Register(page.Dispose);
        app.MapGet("/metrics", async () =>
            {
                page.Begin(((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints));
                Metrics.Begin();
                HttpSeries.Begin(services.Select(service => service.Name));
                await Task.WhenAll(services.Select(service => service.MeasureAsync()));
                return Results.Text(page.Text(), "text/plain; version=0.0.4");
            })
            .Require(Scopes.Metrics).WithName("getMetrics").WithTags("host")
            .WithSummary("Read the metrics, as Prometheus text").Produces<string>(contentType: "text/plain");
    }

    static void Limit(KestrelServerOptions kestrel, HostSettings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.RequestHeaderEncodingSelector = name =>
            name == HeaderNames.ContentLength ? LengthDigits.Instance : null;
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = 10_000;
        // Every endpoint has a body limit. Up to this limit, the rest of a refused body is read and dropped (for at most
        // 5 s), so that the client receives the response.
        limits.MaxRequestBodySize = 10 * StrictJson.OrderBodyLimit;
        limits.MaxRequestHeadersTotalSize = 2 * RequestGuard.MaxHeaders;
        limits.MaxRequestLineSize = 2 * RequestGuard.MaxTarget;
        limits.MaxRequestBufferSize = 4 * RequestGuard.MaxHeaders;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = settings.IdleTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        if (settings.Listen.Address is not { } address)
            kestrel.ListenAnyIP(settings.Listen.Port, UnreadableRequests.Prepare);
        else
            kestrel.Listen(address, settings.Listen.Port, UnreadableRequests.Prepare);
    }
}
