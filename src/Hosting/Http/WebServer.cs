using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Orderwright.Hosting.Keys;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.Hosting.Http;

/// <summary>HTTP side of a host: Kestrel with its limits, the request pipeline, and the endpoints of all hosts.</summary>
static class WebServer
{
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    public static WebApplication Build(
        HostSettings settings, KeyRing? keys, RateSettings rates, IReadOnlyList<RunningService> services,
        IReadOnlyList<OperatedService> operated, Func<bool> isOpen, TimeProvider time, ILoggerFactory logs, ISite? site)
    {
        // An empty builder reads no configuration: all settings come from SettingsSource.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton(time);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTime);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, settings));
        ApiDocument.Describe(builder.Services);

        var app = builder.Build();
        var exceptions = new ExceptionHandling(logs.CreateLogger<ExceptionHandling>());
        var guard = new RequestGuard(settings, logs.CreateLogger<RequestGuard>());
        var authentication = new Authentication(
            keys, new RateLimits(rates, time), http => site?.KeyOf(http), logs.CreateLogger<Authentication>());
        var document = settings.PublicDocument ? Access.Open : Access.AnyKey;

        app.Use(next => http => exceptions.GuardAsync(http, next));
        app.Use(next => http => guard.Refuse(http) is { } refusal ? refusal.ExecuteAsync(http) : next(http));
        app.UseWhen(
            http => http.Request.Path.StartsWithSegments("/swagger"),
            branch => branch
                .Use(next => http =>
                    authentication.Identify(http, document) is { } refusal ? refusal.ExecuteAsync(http) : next(http))
                .UseSwaggerUI(ui => ui.SwaggerEndpoint(ApiDocument.Path, "Orderwright")));
        app.UseRouting();
        app.Use(next => http => authentication.Refuse(http) is { } refusal ? refusal.ExecuteAsync(http) : next(http));
        app.Use(next => http =>
            isOpen() || http.Request.Path.StartsWithSegments("/health") ? next(http) : Starting().ExecuteAsync(http));

        Health.Map(app, services);
        app.MapOpenApi().WithMetadata(document);
        MapMetrics(app);
        if (site is null)
            app.MapGet("/", () => Results.Redirect("/swagger")).OpenToAll().ExcludeFromDescription();
        new OperatorPages(operated).Map(app);
        foreach (var parts in services.Select(service => service.Parts).OfType<HttpParts>()) parts.Routes(app);
        return app;
    }

    static Answer Starting() => Problem.Of(
        StatusCodes.Status503ServiceUnavailable, ProblemCodes.Starting,
        "This server is starting; /health/ready reports what it is waiting for.")
        with { RetryAfter = TimeSpan.FromSeconds(1) };

    static void MapMetrics(WebApplication app)
    {
        var page = new MetricsPage();
        app.Lifetime.ApplicationStopped.Register(page.Dispose);
        app.MapGet("/metrics", () => Results.Text(page.Text(), "text/plain; version=0.0.4"))
            .Require(Scopes.Operator).WithName("getMetrics").WithTags("host").Produces<string>(contentType: "text/plain");
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
        if (settings.Listen.Address is not { } address) kestrel.ListenAnyIP(settings.Listen.Port);
        else kestrel.Listen(address, settings.Listen.Port);
    }
}
