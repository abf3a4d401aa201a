using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Webhooks;

/// <summary>
/// Sends the events of orders to endpoints, at least once, and in order for each order. An endpoint is served in rounds: claim
/// the endpoint under a lease, read due retries and new events, send them outside any transaction, save the outcome. An
/// instance that dies within a round leaves the position unchanged, and the next owner sends the events again.
/// </summary>
/// <remarks>
/// New events are read from the feed; only attempted events have rows. The backlog of a receiver that is down therefore stays
/// in the feed, and memory holds a round. A failing endpoint is probed with a single event per round.
/// </remarks>
public sealed partial class DeliverWebhooks
{
    // Events of a round.
    const int MostEvents = 200;

    // Endpoints served at the same time by an instance.
    const int MostRounds = 8;

    // Events committed by other instances raise no signal here.
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(100);

    // Endpoints may be added at other instances.
    static readonly TimeSpan IntervalWithoutEndpoints = TimeSpan.FromSeconds(5);

    static readonly TimeSpan SendingTime = TimeSpan.FromSeconds(15);

    readonly WebhookStore store;
    readonly SignedCaller client;
    readonly EventFeed feed;
    readonly WebhookSettings settings;
    readonly ServiceContext context;
    readonly ILogger log;
    readonly Guid owner;
    readonly TimeSpan lease;
    readonly ConcurrentDictionary<Guid, Task> rounds = new();
    // Continues in place: a hop through the thread pool would make runs of the simulation differ.
    volatile TaskCompletionSource wakeUp = new();
    volatile bool hasEndpoints;

    public DeliverWebhooks(
        WebhookStore store, SignedCaller client, EventFeed feed, WebhookSettings settings, ServiceContext context)
    {
        (this.store, this.client, this.feed, this.settings, this.context) = (store, client, feed, settings, context);
        log = context.Logs.CreateLogger<DeliverWebhooks>();
        owner = context.Ids.Next(context.Time.Now());
        // Sending starts no attempt after its time; the last one may use up its own time limit. The rest is for the database.
        lease = SendingTime + settings.WebhookTimeout + context.Options.TransactionTimeout;
        feed.Raised = () =>
        {
            if (hasEndpoints) Wake();
        };
    }

    public BackgroundLoop Loop => new("webhooks", RunAsync);

    public TimedJob Job => new("purge-deliveries", TimeSpan.FromMinutes(1), (work, most) =>
        store.PurgeAsync(work, work.Now - settings.WebhookKeep, most))
    {
        NeedsCertainTime = true,
    };

    /// <summary>Looks for work without delay.</summary>
    public void Wake() => wakeUp.TrySetResult();

    async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                try
                {
                    await StartRoundsAsync(cancel);
                }
                catch (DatabaseUnavailableException error)
                {
                    LogUnavailable(error.Message);
                }
                await Task.WhenAny(
                    wakeUp.Task, Task.Delay(hasEndpoints ? Interval : IntervalWithoutEndpoints, context.Time, cancel));
                cancel.ThrowIfCancellationRequested();
                // Renewed before the next look, so no wake-up is lost.
                if (wakeUp.Task.IsCompleted) wakeUp = new();
                await Task.Delay(MinInterval, context.Time, cancel);
            }
        }
        finally
        {
            await Task.WhenAll(rounds.Values);
        }
    }

    async Task StartRoundsAsync(CancellationToken cancel)
    {
        var active = await store.CountActiveAsync(context.Database, cancel);
        hasEndpoints = active > 0;
        if (active == 0) return;
        var horizon = await feed.HorizonAsync(cancel);
        var due = await store.ToServeAsync(
            context.Database, context.Runner.Clock.Now(), lease, horizon, MostRounds * 2, cancel);
        foreach (var id in due)
        {
            if (rounds.ContainsKey(id)) continue;
            if (rounds.Count == MostRounds) return;
            var started = new TaskCompletionSource();
            rounds[id] = started.Task;
            _ = ServeAsync(id, horizon, started, cancel);
        }
    }

    // Not awaited, so all exceptions are caught here.
    async Task ServeAsync(Guid id, long horizon, TaskCompletionSource ended, CancellationToken cancel)
    {
        try
        {
            if (await context.Runner.RunOnceAsync(work => store.ClaimAsync(work, id, owner, lease), cancel) is { } endpoint)
                await RoundAsync(endpoint, horizon, cancel);
        }
        catch (Exception error) when (
            error is EndpointLostException or DatabaseUnavailableException || cancel.IsCancellationRequested)
        {
            LogInterrupted(id, error.Message);
        }
        catch (Exception error)
        {
            LogFailed(id, error);
        }
        finally
        {
            rounds.TryRemove(id, out _);
            ended.SetResult();
            Wake();
        }
    }

    async Task RoundAsync(WebhookEndpoint endpoint, long horizon, CancellationToken cancel)
    {
        var round = await ReadAsync(endpoint, horizon, cancel);
        await round.SendAsync(this, cancel);
        var attempts = round.Attempts;
        // The end of the round is saved even when the process stops: what was delivered is not sent again.
        await context.Runner.RunOnceAsync(
            async work =>
            {
                var after = WebhookRules.After(endpoint, round.Through, attempts, WebhookRules.JitterOf(work.NewId()), work.Now);
                var isBack = endpoint.Progress.IsFailing && after is { State: EndpointStates.Active, Progress.IsFailing: false }
                    && attempts.Count > 0;
                await store.SaveRoundAsync(work, owner, after, round.First, round.Again, isBack);
                work.AfterCommit(() => Report(endpoint, after, attempts));
                return 0;
            },
            CancellationToken.None);
    }

    async Task<Round> ReadAsync(WebhookEndpoint endpoint, long horizon, CancellationToken cancel)
    {
        var now = context.Runner.Clock.Now();
        var most = endpoint.Progress.IsFailing ? 1 : MostEvents;
        var due = await store.DueAsync(context.Database, endpoint.Id, now, most, cancel);
        var (events, through) = due.Count < most
            ? await feed.ReadAsync(
                ChannelSet.FilterOf(endpoint.Channel), endpoint.Progress.Position, most - due.Count, horizon, cancel)
            : ([], endpoint.Progress.Position);
        var matching = events.FindAll(e => WebhookRules.Matches(endpoint, e.Type));
        var held = await store.HeldAsync(
            context.Database, endpoint.Id, [.. matching.Select(e => e.OrderId).Distinct()], cancel);
        var first = matching.ConvertAll(e => new EventDelivery(
            new WebhookDelivery(
                context.Ids.Next(now), endpoint.Id, e.Seq, e.OrderId, e.Type, DeliveryStates.Waiting, 0, now, null),
            e));
        return new Round(endpoint, due, first, held, through, context.Time.GetTimestamp());
    }

    void Report(WebhookEndpoint before, WebhookEndpoint after, IReadOnlyCollection<CallAttempt> attempts)
    {
        Metrics.Delivered(attempts.Count(attempt => attempt.Succeeded), attempts.Count(attempt => !attempt.Succeeded));
        if (after.State == EndpointStates.Disabled)
            LogDisabled(after.Id, after.Url, after.Reason!);
        else if (after.Progress.IsFailing && !before.Progress.IsFailing)
            LogFailing(after.Id, after.Url, attempts.First().Status, attempts.First().Response);
        else if (before.Progress.IsFailing && !after.Progress.IsFailing)
            LogBack(after.Id, after.Url);
    }

    /// <summary>Round of an endpoint. Orders are sent concurrently; the events of an order follow one another.</summary>
    /// <param name="endpoint">Endpoint.</param>
    /// <param name="again">Due deliveries.</param>
    /// <param name="first">Deliveries of new events.</param>
    /// <param name="held">Orders with an earlier event that waits.</param>
    /// <param name="through">Position in the feed after the round.</param>
    /// <param name="since">Timestamp of the start.</param>
    sealed class Round(
        WebhookEndpoint endpoint, List<EventDelivery> again, List<EventDelivery> first, HashSet<Guid> held, long through,
        long since)
    {
        readonly ConcurrentQueue<CallAttempt> attempts = new();

        public List<EventDelivery> Again => again;

        public List<EventDelivery> First => first;

        public long Through => through;

        public IReadOnlyCollection<CallAttempt> Attempts => attempts;

        public Task SendAsync(DeliverWebhooks sender, CancellationToken cancel)
        {
            var ofOrders = Places(again).Concat(Places(first).Where(place => !held.Contains(place.OrderId)))
                .GroupBy(place => place.OrderId, place => (place.List, place.Index));
            return Parallel.ForEachAsync(
                ofOrders,
                // Cancellation ends each order's loop, and is no exception.
                new ParallelOptions { MaxDegreeOfParallelism = sender.settings.WebhookMaxInFlight },
                async (order, _) =>
                {
                    foreach (var (list, index) in order)
                        if (sender.context.Time.GetElapsedTime(since) > SendingTime
                            || !await SendAsync(sender, list, index, cancel))
                            return;
                });
        }

        // Of an unrecorded trace the id is known, and no span: the order stands for the span, so that logs can be searched.
        static string? TraceOf(EventResponse e) =>
            e.TraceId is { } id ? $"00-{id}-{e.OrderId.ToString("N")[16..]}-00" : null;

        static IEnumerable<(Guid OrderId, List<EventDelivery> List, int Index)> Places(List<EventDelivery> list) =>
            list.Select((item, index) => (item.Delivery.OrderId, list, index));

        // False when the later events of the order have to wait.
        async Task<bool> SendAsync(DeliverWebhooks sender, List<EventDelivery> list, int index, CancellationToken cancel)
        {
            if (cancel.IsCancellationRequested) return false;
            var item = list[index];
            CallAttempt attempt;
            using var span = OrderTraces.Begin(item.Event.OrderId, $"webhook {item.Event.Type}", ActivityKind.Client);
            try
            {
                attempt = await sender.client.SendAsync(
                    endpoint.Url, endpoint.Secrets.At(sender.context.Time.Now()),
                    WebhookPayload.Of(item.Event) with { TraceParent = span?.Id ?? TraceOf(item.Event) }, cancel);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            attempts.Enqueue(attempt);
            var after = WebhookRules.After(item.Delivery, attempt, WebhookRules.JitterOf(item.Delivery.Id));
            list[index] = item with { Delivery = after };
            return after.State != DeliveryStates.Waiting;
        }
    }

    [LoggerMessage(4101, LogLevel.Warning, "Database unavailable; webhooks are delayed: {Why}")]
    partial void LogUnavailable(string why);

    [LoggerMessage(4102, LogLevel.Information, "A round of the webhook endpoint {Id} was interrupted: {Why}")]
    partial void LogInterrupted(Guid id, string why);

    [LoggerMessage(4103, LogLevel.Error, "A round of the webhook endpoint {Id} failed; the next owner repeats it")]
    partial void LogFailed(Guid id, Exception error);

    [LoggerMessage(4104, LogLevel.Error, "The webhook endpoint {Id} at {Url} is disabled: {Reason}")]
    partial void LogDisabled(Guid id, string url, string reason);

    [LoggerMessage(4105, LogLevel.Warning,
        "The webhook endpoint {Id} at {Url} accepts no events (status {Status}: {Response}); retries follow")]
    partial void LogFailing(Guid id, string url, int? status, string? response);

    [LoggerMessage(4106, LogLevel.Information, "The webhook endpoint {Id} at {Url} accepts events again")]
    partial void LogBack(Guid id, string url);
}
