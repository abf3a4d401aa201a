using System.Diagnostics.Metrics;

namespace Orderwright.Http;

/// <summary>Instruments of the HTTP APIs.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);

    static readonly Counter<long> Replays = Meter.CreateCounter<long>(
        "orderwright.requests.replayed", "{request}", "Requests with a known Idempotency-Key that got the first response again.");

    static readonly Counter<long> Repairs = Meter.CreateCounter<long>(
        "orderwright.repairs", "{order}", "Orders repaired after a database was restored to an earlier moment.");

    /// <summary>Shows every series from the start.</summary>
    public static void Begin(IEnumerable<string> services)
    {
        Replays.Add(0);
        foreach (var service in services) Repaired(service, 0);
    }

    public static void Replayed() => Replays.Add(1);

    public static void Repaired(string service, int orders) =>
        Repairs.Add(orders, new KeyValuePair<string, object?>("service", service));
}

/// <summary>Series of the HTTP APIs, for the host.</summary>
public static class HttpSeries
{
    /// <summary>Shows every series from the start.</summary>
    public static void Begin(IEnumerable<string> services) => Metrics.Begin(services);
}
