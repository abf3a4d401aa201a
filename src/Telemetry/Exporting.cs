using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orderwright.Runtime;

namespace Orderwright.Telemetry;

/// <summary>
/// Traces and metrics of a process, exported by OTLP. The exporter reads the variables of the OpenTelemetry specification, such
/// as <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> and <c>OTEL_RESOURCE_ATTRIBUTES</c>. A process that
/// does not export loads neither this assembly nor OpenTelemetry.
/// </summary>
public sealed class Exporting : IDisposable
{
    // Npgsql's own activity source and meter; its OpenTelemetry package only adds these names.
    const string Npgsql = "Npgsql";

    readonly TracerProvider traces;
    readonly MeterProvider metrics;

    /// <param name="service">Name of the service, unless <c>OTEL_SERVICE_NAME</c> gives another.</param>
    /// <param name="version">Version of the program.</param>
    /// <param name="samplePercent">Share of the requests without a trace context that begin a recorded trace.</param>
    public Exporting(string service, string version, int samplePercent)
    {
        // HTTP and AMQP carry the trace context alone.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        var resource = ResourceBuilder.CreateDefault();
        if (Environment.GetEnvironmentVariable("OTEL_SERVICE_NAME") is not { Length: > 0 })
            resource.AddService(service, serviceVersion: version);
        traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new OrderSampler(samplePercent))
            .AddSource(Runtime.Metrics.SourceName, Npgsql)
            .AddAspNetCoreInstrumentation(http => http.Filter = context =>
                !context.Request.Path.StartsWithSegments("/health") && !context.Request.Path.StartsWithSegments("/metrics"))
            .AddHttpClientInstrumentation()
            .AddOtlpExporter()
            .Build();
        metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Runtime.Metrics.SourceName, Npgsql)
            .AddAspNetCoreInstrumentation()
            .AddHttpClientInstrumentation()
            .AddRuntimeInstrumentation()
            .AddOtlpExporter()
            .Build();
    }

    /// <summary>Exports the rest.</summary>
    public void Dispose()
    {
        traces.Dispose();
        metrics.Dispose();
    }
}
