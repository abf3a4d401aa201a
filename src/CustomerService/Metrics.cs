using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;

namespace Orderwright.CustomerService;

/// <summary>Instruments of customer-service. The tag <c>provider</c> is bounded by the configured providers.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);
    static readonly ConcurrentDictionary<string, long> Differences = new();

    static Metrics() => Meter.CreateObservableGauge(
        "orderwright.reconciliation.differences",
        () => Differences.Select(pair => new Measurement<long>(
            pair.Value, new("service", ServiceNames.Customer), new("provider", pair.Key))),
        "{difference}", "Differences between our record and the gateway's, from the latest finished reconciliation.");

    public static void Reconciled(string provider, long differences) => Differences[provider] = differences;
}
