using System.ComponentModel.DataAnnotations;

namespace Orderwright.Hosting;

/// <summary>
/// Traces exported by OTLP. Exporting begins with <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, a variable of the OpenTelemetry
/// specification.
/// </summary>
public sealed class TelemetrySettings
{
    /// <summary>
    /// Share of the requests without a trace context that begin a recorded trace, in percent. A request with a trace context is
    /// recorded if its caller's flag <c>sampled</c> is set.
    /// </summary>
    [Range(0, 100)]
    public int TracePercent { get; set; } = 1;
}
