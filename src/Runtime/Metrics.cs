using System.Diagnostics;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;

namespace Orderwright.Runtime;

/// <summary>
/// Instruments of a service. Tags are bounded: <c>service</c> everywhere, <c>destination</c> for sending.
/// Without a listener they cost next to nothing.
/// </summary>
public sealed class Metrics : IDisposable
{
    /// <summary>Name of the meter and of the activity source, for listeners and exporters.</summary>
    public const string SourceName = "Orderwright";

    /// <summary>Spans of batches: CONSUMER while a batch is handled, PRODUCER while messages are sent.</summary>
    public static readonly ActivitySource Tracing = new(SourceName);

    readonly Meter meter = new(SourceName);
    readonly KeyValuePair<string, object?> service;
    readonly Histogram<int> batchSize;
    readonly Histogram<double> batchDuration;
    readonly Counter<long> received;
    readonly Counter<long> sent;
    readonly Counter<long> notSent;
    readonly Counter<long> deadLetters;
    readonly Counter<long> refused;
    readonly Histogram<double> lag;

    public Metrics(string service)
    {
        this.service = new("service", service);
        batchSize = meter.CreateHistogram<int>(
            "orderwright.batch.size", "{item}", "Messages or requests in one transaction.");
        batchDuration = meter.CreateHistogram<double>(
            "orderwright.batch.duration", "s", "Time from the start of a batch's transaction to its commit.");
        received = meter.CreateCounter<long>(
            "orderwright.messages.received", "{message}", "Acknowledged messages, dead letters included.");
        lag = meter.CreateHistogram<double>(
            "orderwright.inbox.lag", "s", "Time from sending the oldest message of a batch to handling it.");
        sent = meter.CreateCounter<long>("orderwright.messages.sent", "{message}", "Messages accepted by the transport.");
        notSent = meter.CreateCounter<long>(
            "orderwright.messages.not_sent", "{message}", "Messages not accepted by the transport; their sender retries.");
        deadLetters = meter.CreateCounter<long>(
            "orderwright.dead_letters", "{message}", "Messages that could not be read or handled.");
        refused = meter.CreateCounter<long>(
            "orderwright.messages.refused", "{message}", "Messages refused because their sender may not send them.");
    }

    /// <summary>Shows every series from the start.</summary>
    public void Begin()
    {
        foreach (var counter in new[] { received, deadLetters, refused }) counter.Add(0, service);
        foreach (var histogram in new Instrument[] { batchSize, batchDuration, lag }) EmptySeries.Show(histogram, service);
        foreach (var destination in ServiceNames.All.Where(name => !name.Equals(service.Value)))
        {
            Sent(destination, 0);
            NotSent(destination, 0);
        }
    }

    public void Lag(TimeSpan age) => lag.Record(Math.Max(0, age.TotalSeconds), service);

    public void BatchDone(int items, TimeSpan took)
    {
        batchSize.Record(items, service);
        batchDuration.Record(took.TotalSeconds, service);
    }

    public void Received(int messages) => received.Add(messages, service);

    public void Sent(string destination, int messages) => sent.Add(messages, service, new("destination", destination));

    public void NotSent(string destination, int messages) =>
        notSent.Add(messages, service, new("destination", destination));

    public void Refused() => refused.Add(1, service);

    public void DeadLettered(int messages) => deadLetters.Add(messages, service);

    /// <summary>Adds gauges of the messages waiting in the inbox, and of the instance's part in receiving them.</summary>
    public void ShowInbox(Func<int> backlog, Func<bool> isActive)
    {
        meter.CreateObservableGauge(
            "orderwright.inbox.backlog", () => new Measurement<int>(backlog(), service), "{message}",
            "Messages waiting in the inbox.");
        meter.CreateObservableGauge(
            "orderwright.active_consumer", () => new Measurement<int>(isActive() ? 1 : 0, service), "{boolean}",
            "1 on the instance that receives the service's messages; 0 on standby.");
    }

    /// <summary>Adds a gauge of the fence.</summary>
    public void ShowFence(Func<bool> isClosed) => meter.CreateObservableGauge(
        "orderwright.database.behind", () => new Measurement<int>(isClosed() ? 1 : 0, service), "{boolean}",
        "1 while the database is behind the other services, and only repairs are accepted.");

    /// <summary>Adds gauges of the clock and of the database's writes.</summary>
    public void ShowClock(Func<double> skewSeconds, Func<bool> isCertain, Func<bool> acceptsWrites)
    {
        meter.CreateObservableGauge(
            "orderwright.clock.skew", () => new Measurement<double>(skewSeconds(), service), "s",
            "Deviation of the process clock from the database's.");
        meter.CreateObservableGauge(
            "orderwright.clock.certain", () => new Measurement<int>(isCertain() ? 1 : 0, service), "{boolean}",
            "1 while the time is certain; 0 while nothing expires and nothing is purged.");
        meter.CreateObservableGauge(
            "orderwright.database.writable", () => new Measurement<int>(acceptsWrites() ? 1 : 0, service), "{boolean}",
            "1 while the database accepts writes; 0 while they are refused.");
    }

    public void Dispose()
    {
        EmptySeries.Forget(meter);
        meter.Dispose();
    }
}
