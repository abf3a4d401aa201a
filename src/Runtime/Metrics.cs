using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Orderwright.Runtime;

/// <summary>
/// The instruments of one service. Tags are bounded: <c>service</c> on all of them, <c>destination</c> where
/// something is sent. They cost next to nothing while nobody listens.
/// </summary>
public sealed class Metrics : IDisposable
{
    /// <summary>What a listener or an exporter subscribes to, for measurements and for traces.</summary>
    public const string SourceName = "Orderwright";

    /// <summary>
    /// Spans of the batches: CONSUMER while one is handled, PRODUCER while its messages are sent.
    /// </summary>
    public static readonly ActivitySource Tracing = new(SourceName);

    readonly Meter meter = new(SourceName);
    readonly KeyValuePair<string, object?> service;
    readonly Histogram<int> batchSize;
    readonly Histogram<double> batchDuration;
    readonly Counter<long> received;
    readonly Counter<long> sent;
    readonly Counter<long> notSent;
    readonly Counter<long> deadLetters;

    public Metrics(string service)
    {
        this.service = new("service", service);
        batchSize = meter.CreateHistogram<int>(
            "orderwright.batch.size", "{item}", "Messages or requests in one transaction.");
        batchDuration = meter.CreateHistogram<double>(
            "orderwright.batch.duration", "s", "From the start of a batch's transaction to its commit.");
        received = meter.CreateCounter<long>(
            "orderwright.messages.received", "{message}", "Messages that were acknowledged, dead letters included.");
        sent = meter.CreateCounter<long>("orderwright.messages.sent", "{message}", "Messages the transport took.");
        notSent = meter.CreateCounter<long>(
            "orderwright.messages.not_sent", "{message}", "Messages the transport did not take; their asker asks again.");
        deadLetters = meter.CreateCounter<long>(
            "orderwright.dead_letters", "{message}", "Messages that could not be read or handled.");
    }

    public void BatchDone(int items, TimeSpan took)
    {
        batchSize.Record(items, service);
        batchDuration.Record(took.TotalSeconds, service);
    }

    public void Received(int messages) => received.Add(messages, service);

    public void Sent(string destination, int messages) => sent.Add(messages, service, new("destination", destination));

    public void NotSent(string destination, int messages) =>
        notSent.Add(messages, service, new("destination", destination));

    public void DeadLettered(int messages) => deadLetters.Add(messages, service);

    /// <summary>Shows how many messages wait in the inbox, whenever somebody looks.</summary>
    public void ShowBacklog(Func<int> backlog) =>
        meter.CreateObservableGauge(
            "orderwright.inbox.backlog", () => new Measurement<int>(backlog(), service), "{message}",
            "Messages that wait in the inbox.");

    public void Dispose() => meter.Dispose();
}
