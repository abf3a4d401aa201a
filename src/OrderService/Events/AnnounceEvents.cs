using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.OrderService.Events;

/// <summary>
/// Publishes the events of the feed to the broker's exchange, at least once, and in order for each order. A single instance
/// publishes, under a lease that each saved position extends. An instance that dies before saving leaves the position
/// unchanged, and the next owner publishes the events again.
/// </summary>
public sealed partial class AnnounceEvents(EventFeed feed, IEventExchange exchange, ServiceContext context)
{
    const int MostEvents = 500;

    static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    readonly ILogger log = context.Logs.CreateLogger<AnnounceEvents>();
    readonly Guid owner = context.Ids.Next(context.Time.Now());

    public BackgroundLoop Loop => new("announce-events", RunAsync);

    async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            await AnnounceAllAsync(cancel);
        }
        finally
        {
            await LeaveAsync();
        }
    }

    // Another instance need not wait for the end of the lease.
    async Task LeaveAsync()
    {
        try
        {
            await context.Runner.RunOnceAsync(
                work => work.ExecuteAsync(context.Sql["leave_event_exchange"], SqlArgs.With("owner", owner)),
                CancellationToken.None);
        }
        catch (DatabaseUnavailableException error)
        {
            LogDelayed(error.Message);
        }
    }

    async Task AnnounceAllAsync(CancellationToken cancel)
    {
        for (var failures = 0; ;)
        {
            var isMore = false;
            try
            {
                isMore = await AnnounceAsync(cancel);
                if (failures > 0) LogBack();
                failures = 0;
            }
            catch (Exception error) when (error is PublishFailedException or DatabaseUnavailableException)
            {
                if (failures++ == 0) LogDelayed(error.Message);
            }
            if (isMore) continue;
            await Task.Delay(failures == 0 ? Interval : Backoff.Pause(failures), context.Time, cancel);
        }
    }

    // True while more events wait.
    async Task<bool> AnnounceAsync(CancellationToken cancel)
    {
        var horizon = await feed.HorizonAsync(cancel);
        if (!await IsMineOrFreeAsync(horizon, cancel)) return false;
        if (await context.Runner.RunOnceAsync(work => ClaimAsync(work, horizon), cancel) is not { } position) return false;
        var (events, through) = await feed.ReadAsync(null, position, MostEvents, horizon, cancel);
        var published = events.Count > 0 ? await exchange.PublishAsync(events.ConvertAll(OrderCloudEvent.Of), cancel) : 0;
        var isComplete = published == events.Count;
        await context.Runner.RunOnceAsync(
            work => SaveAsync(work, isComplete ? through : events[published - 1].Seq), CancellationToken.None);
        Metrics.Announced(published);
        return isComplete && through < horizon;
    }

    // A look without a transaction, as long as there is nothing to do.
    async Task<bool> IsMineOrFreeAsync(long horizon, CancellationToken cancel)
    {
        var now = context.Runner.Clock.Now();
        var rows = await context.Database.QueryAsync(
            context.Sql["look_at_event_exchange"],
            SqlArgs.With("owner", owner).And("now", now).And("too_far", now + 2 * Lease), row => row.BigInt("position"), cancel);
        return rows is not [var position] || position < horizon;
    }

    async Task<long?> ClaimAsync(Work work, long horizon)
    {
        await work.ExecuteAsync(context.Sql["begin_event_exchange"], SqlArgs.With("position", horizon));
        var claimed = await work.QueryAsync(
            context.Sql["claim_event_exchange"],
            SqlArgs.With("owner", owner).And("now", work.Now).And("lease_until", work.Now + Lease)
                .And("too_far", work.Now + 2 * Lease),
            row => row.BigInt("position"));
        return claimed is [var position] ? position : null;
    }

    async Task<int> SaveAsync(Work work, long position) => await work.ExecuteAsync(
        context.Sql["save_event_exchange"],
        SqlArgs.With("owner", owner).And("position", position).And("lease_until", work.Now + Lease));

    [LoggerMessage(4111, LogLevel.Warning, "Events for the exchange are delayed: {Why}")]
    partial void LogDelayed(string why);

    [LoggerMessage(4112, LogLevel.Information, "Events reach the exchange again")]
    partial void LogBack();
}

/// <summary>Order event as a CloudEvent.</summary>
/// <param name="Id">Order and version: the id of the webhook, too.</param>
/// <param name="Type"><c>orderwright.order.</c> and the type of the event.</param>
/// <param name="Subject">The order.</param>
/// <param name="Time">Time of the event.</param>
/// <param name="Data">Event as in the feed.</param>
public sealed record OrderCloudEvent(string Id, string Type, Guid Subject, DateTimeOffset Time, EventResponse Data)
{
    [JsonPropertyName("specversion")]
    public string SpecVersion => "1.0";

    public string Source => "/order-service";

    [JsonPropertyName("datacontenttype")]
    public string DataContentType => "application/json";

    public static AnnouncedEvent Of(EventResponse e)
    {
        var cloud = new OrderCloudEvent($"evt_{e.OrderId:N}_{e.Version}", $"orderwright.order.{e.Type}", e.OrderId, e.At, e);
        return new(
            cloud.Id, e.OrderId, cloud.Type, JsonSerializer.SerializeToUtf8Bytes(cloud, OrderJson.Default.OrderCloudEvent));
    }
}
