using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Delivery with its event.</summary>
public sealed record EventDelivery(WebhookDelivery Delivery, EventResponse Event)
{
    /// <summary>Due time as read. An attempt changes <see cref="Delivery"/> and leaves this.</summary>
    public DateTimeOffset? DueAt { get; } = Delivery.NextAttemptAt;
}

/// <summary>Thrown when another instance has taken over an endpoint, or a caller has removed it.</summary>
sealed class EndpointLostException(Guid id) : Exception($"The endpoint {id} was taken over or removed.");

/// <summary>Loads and saves endpoints and deliveries.</summary>
public sealed class WebhookStore(SqlCatalog sql)
{
    public async Task<long> CountActiveAsync(IQueries read, CancellationToken cancel) =>
        (await read.QueryAsync(sql["count_active_endpoints"], SqlArgs.None, row => row.BigInt("count"), cancel))[0];

    /// <summary>Finds endpoints with something to send, longest due first.</summary>
    /// <param name="read">Database.</param>
    /// <param name="now">Time.</param>
    /// <param name="lease">Length of a lease.</param>
    /// <param name="horizon">Last complete position of the feed.</param>
    /// <param name="most">Maximum number of endpoints.</param>
    /// <param name="cancel">Cancels the read.</param>
    public Task<List<Guid>> ToServeAsync(
        IQueries read, DateTimeOffset now, TimeSpan lease, long horizon, int most, CancellationToken cancel) =>
        read.QueryAsync(
            sql["endpoints_to_serve"],
            SqlArgs.With("now", now).And("too_far", now + 2 * lease).And("horizon", horizon).And("most", most),
            row => row.Uuid("id"), cancel);

    /// <summary>Claims an endpoint for an instance until the lease ends; null when the endpoint is not free.</summary>
    public async Task<WebhookEndpoint?> ClaimAsync(Work work, Guid id, Guid owner, TimeSpan lease) =>
        (await work.QueryAsync(
            sql["claim_endpoint"],
            SqlArgs.With("id", id).And("owner", owner).And("now", work.Now).And("lease_until", work.Now + lease)
                .And("too_far", work.Now + 2 * lease),
            ReadEndpoint)).SingleOrDefault();

    public Task<List<EventDelivery>> DueAsync(
        IQueries read, Guid endpointId, DateTimeOffset now, int most, CancellationToken cancel) =>
        read.QueryAsync(
            sql["due_deliveries"],
            SqlArgs.With("endpoint_id", endpointId).And("now", now).And("most", most), ReadEventDelivery, cancel);

    /// <summary>Returns those of the orders with an event that waits for a retry.</summary>
    public async Task<HashSet<Guid>> HeldAsync(
        IQueries read, Guid endpointId, IReadOnlyList<Guid> orderIds, CancellationToken cancel) =>
        orderIds.Count == 0
            ? []
            : [.. await read.QueryAsync(
                sql["held_orders"], SqlArgs.OfUuids("order_id", orderIds).And("endpoint_id", endpointId),
                row => row.Uuid("order_id"), cancel)];

    /// <summary>
    /// Saves a round and ends the lease. Throws <see cref="EndpointLostException"/> if the lease belongs to another instance.
    /// </summary>
    /// <param name="work">Unit of work.</param>
    /// <param name="owner">Owner of the lease.</param>
    /// <param name="endpoint">Endpoint after the round.</param>
    /// <param name="first">Deliveries of events that had none.</param>
    /// <param name="again">Deliveries that waited.</param>
    /// <param name="isBack">True when the receiver failed before and no longer does.</param>
    public async Task SaveRoundAsync(
        Work work, Guid owner, WebhookEndpoint endpoint, IReadOnlyList<EventDelivery> first,
        IReadOnlyList<EventDelivery> again, bool isBack)
    {
        var progress = endpoint.Progress;
        var saved = await work.ExecuteAsync(
            sql["save_round"],
            SqlArgs.With("id", endpoint.Id).And("owner", owner).And("position", progress.Position)
                .And("failures", progress.Failures).And("failing_since", progress.FailingSince)
                .And("next_round_at", progress.NextRoundAt).And("disabled", endpoint.State == EndpointStates.Disabled)
                .And("reason", endpoint.Reason));
        if (saved == 0) throw new EndpointLostException(endpoint.Id);
        if (first.Count > 0)
            work.Defer(
                sql["insert_deliveries"],
                Attempts(SqlArgs.Over(first)
                    .Uuid("id", item => item.Delivery.Id)
                    .BigInt("seq", item => item.Delivery.Seq)
                    .Uuid("order_id", item => item.Delivery.OrderId)
                    .Text("type", item => item.Delivery.Type)).Args.And("endpoint_id", endpoint.Id));
        if (again.Count > 0)
            work.Defer(
                sql["update_deliveries"],
                Attempts(SqlArgs.Over(again).Uuid("id", item => item.Delivery.Id).TimeOrNull("due_at", item => item.DueAt)));
        if (isBack) BringForward(work, endpoint.Id);
    }

    /// <summary>Makes all waiting deliveries of an endpoint due.</summary>
    public void BringForward(Work work, Guid endpointId) => work.Defer(
        sql["bring_deliveries_forward"], SqlArgs.With("endpoint_id", endpointId).And("now", work.Now));

    public Task InsertAsync(Work work, WebhookEndpoint endpoint) => work.ExecuteAsync(
        sql["insert_endpoint"],
        Changeable(endpoint).And("channel", endpoint.Channel).And("position", endpoint.Progress.Position)
            .And("created_at", endpoint.CreatedAt));

    public Task UpdateAsync(Work work, WebhookEndpoint endpoint) =>
        work.ExecuteAsync(sql["update_endpoint"], Changeable(endpoint));

    public Task DeleteAsync(Work work, Guid id) => work.ExecuteAsync(sql["delete_endpoint"], SqlArgs.With("id", id));

    public async Task<long> CountAsync(Work work, string? channel) =>
        (await work.QueryAsync(
            sql["count_endpoints"], SqlArgs.With("channel", channel), row => row.BigInt("count")))[0];

    public async Task<WebhookEndpoint?> FindAsync(Work work, Guid id, ChannelSet channels) =>
        (await work.QueryAsync(sql["find_endpoint"], OfCaller(id, channels), ReadEndpoint)).SingleOrDefault();

    public async Task<WebhookEndpoint?> FindAsync(IQueries read, Guid id, ChannelSet channels, CancellationToken cancel) =>
        (await read.QueryAsync(sql["find_endpoint"], OfCaller(id, channels), ReadEndpoint, cancel)).SingleOrDefault();

    /// <summary>Lists endpoints in order of creation.</summary>
    /// <param name="read">Database.</param>
    /// <param name="channels">Channels of the caller.</param>
    /// <param name="after">Last id of the previous page.</param>
    /// <param name="most">Maximum number of endpoints.</param>
    /// <param name="cancel">Cancels the read.</param>
    public Task<List<WebhookEndpoint>> ListAsync(
        IQueries read, ChannelSet channels, Guid after, int most, CancellationToken cancel) => read.QueryAsync(
        sql["list_endpoints"], SqlArgs.With("channels", channels.Filter).And("after", after).And("most", most),
        ReadEndpoint, cancel);

    /// <summary>
    /// Counts the events that wait for a retry, and finds the time of the oldest event that is not delivered.
    /// </summary>
    public async Task<(long Waiting, DateTimeOffset? PendingSince)> LagAsync(
        IQueries read, WebhookEndpoint endpoint, CancellationToken cancel)
    {
        var waiting = await read.QueryAsync(
            sql["count_waiting"], SqlArgs.With("endpoint_id", endpoint.Id), row => row.BigInt("count"), cancel);
        var oldest = await read.QueryAsync(
            sql["oldest_pending"],
            SqlArgs.With("endpoint_id", endpoint.Id).And("position", endpoint.Progress.Position),
            row => row.TimeOrNull("at"), cancel);
        return (waiting[0], oldest[0]);
    }

    /// <summary>Lists deliveries by event, newest first.</summary>
    public Task<List<WebhookDelivery>> DeliveriesAsync(
        IQueries read, Guid endpointId, long before, string? state, Guid? orderId, int most, CancellationToken cancel) =>
        read.QueryAsync(
            sql["list_deliveries"],
            SqlArgs.With("endpoint_id", endpointId).And("before", before).And("state", state).And("order_id", orderId)
                .And("most", most),
            ReadDelivery, cancel);

    public async Task<EventDelivery?> FindDeliveryAsync(IQueries read, Guid endpointId, Guid id, CancellationToken cancel) =>
        (await read.QueryAsync(
            sql["find_delivery"], SqlArgs.With("id", id).And("endpoint_id", endpointId), ReadEventDelivery, cancel))
        .SingleOrDefault();

    /// <summary>Makes a delivery wait again; returns false for an unknown delivery.</summary>
    public async Task<bool> RedeliverAsync(Work work, Guid endpointId, Guid id) =>
        await work.ExecuteAsync(
            sql["redeliver"], SqlArgs.With("id", id).And("endpoint_id", endpointId).And("now", work.Now)) > 0;

    /// <summary>Makes the deliveries of a range of events wait again; returns their number.</summary>
    public Task<int> RedeliverAsync(Work work, Guid endpointId, long after, long until, string? state, int most) =>
        work.ExecuteAsync(
            sql["redeliver_range"],
            SqlArgs.With("endpoint_id", endpointId).And("after", after).And("until", until).And("state", state)
                .And("now", work.Now).And("most", most));

    public Task<int> PurgeAsync(Work work, DateTimeOffset before, int most) =>
        work.ExecuteAsync(sql["purge_deliveries"], SqlArgs.With("before", Ids.FirstAt(before)).And("most", most));

    static SqlArgs OfCaller(Guid id, ChannelSet channels) => SqlArgs.With("id", id).And("channels", channels.Filter);

    static SqlArgs Changeable(WebhookEndpoint endpoint) => SqlArgs.With("id", endpoint.Id)
        .And("url", endpoint.Url).And("types", string.Join(',', endpoint.Types)).And("description", endpoint.Description)
        .And("secret", endpoint.Secrets.Current).And("old_secret", endpoint.Secrets.Old)
        .And("old_secret_until", endpoint.Secrets.OldUntil).And("state", endpoint.State).And("reason", endpoint.Reason)
        .And("failures", endpoint.Progress.Failures).And("failing_since", endpoint.Progress.FailingSince)
        .And("next_round_at", endpoint.Progress.NextRoundAt).And("version", endpoint.Version)
        .And("updated_at", endpoint.UpdatedAt);

    static SqlRows<EventDelivery> Attempts(SqlRows<EventDelivery> rows) => rows
        .Text("state", item => item.Delivery.State)
        .BigInt("attempts", item => item.Delivery.Attempts)
        .TimeOrNull("next_attempt_at", item => item.Delivery.NextAttemptAt)
        .TimeOrNull("attempted_at", item => item.Delivery.Last?.At)
        .BigIntOrNull("response_status", item => item.Delivery.Last?.Status)
        .BigIntOrNull("took_ms", item => (long?)item.Delivery.Last?.Took.TotalMilliseconds)
        .Text("response", item => item.Delivery.Last?.Response);

    static WebhookEndpoint ReadEndpoint(IRow row) => new(
        row.Uuid("id"), row.TextOrNull("channel"), row.Text("url"), row.Text("types").Split(','),
        row.TextOrNull("description"),
        new EndpointSecrets(row.Text("secret"), row.TextOrNull("old_secret"), row.TimeOrNull("old_secret_until")),
        row.Text("state"), row.TextOrNull("reason"),
        new EndpointProgress(
            row.BigInt("position"), row.Int("failures"), row.TimeOrNull("failing_since"), row.Time("next_round_at")),
        row.BigInt("version"), row.Time("created_at"), row.Time("updated_at"));

    static EventDelivery ReadEventDelivery(IRow row) => new(ReadDelivery(row), EventFeed.ReadEvent(row));

    static WebhookDelivery ReadDelivery(IRow row) => new(
        row.Uuid("id"), row.Uuid("endpoint_id"), row.BigInt("seq"), row.Uuid("order_id"), row.Text("type"),
        row.Text("state"), row.Int("attempts"), row.TimeOrNull("next_attempt_at"),
        row.TimeOrNull("attempted_at") is { } at
            ? new CallAttempt(
                at, (int?)row.BigIntOrNull("response_status"), TimeSpan.FromMilliseconds(row.BigIntOrNull("took_ms") ?? 0),
                row.TextOrNull("response"))
            : null);
}
