using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;

namespace Orderwright.CustomerService;

/// <summary>
/// This service's own instruments, besides those of every service. The tag <c>provider</c> is bounded by what is configured.
/// </summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);
    static readonly ConcurrentDictionary<string, long> Differences = new();

    static Metrics() => Meter.CreateObservableGauge(
        "orderwright.reconciliation.differences",
        () => Differences.Select(pair => new Measurement<long>(
            pair.Value, new("service", ServiceNames.Customer), new("provider", pair.Key))),
        "{difference}", "Between our record and a gateway's, by the last reconciliation that was finished.");

    public static void Reconciled(string provider, long differences) => Differences[provider] = differences;
}
