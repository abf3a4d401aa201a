using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService;

/// <summary>Orders, their events and the unsettled among them, set by set.</summary>
public sealed class OrderStore(SqlCatalog sql)
{
    /// <summary>
    /// Brings new orders in; returns the ids that came in. One that conflicts with what is there did not.
    /// </summary>
    public async Task<IReadOnlySet<Guid>> InsertAsync(IReadOnlyList<Order> orders, Work work)
    {
        if (orders.Count == 0) return new HashSet<Guid>();
        return await work.WriteRowsAsync(
            sql["insert_orders"],
            SqlArgs.Over(orders)
                .Uuid("id", order => order.Id)
                .Text("merchant", order => order.Merchant)
                .Text("reference", order => order.Reference)
                .Text("customer_id", order => order.CustomerId)
                .Text("currency", order => order.Currency)
                .Text("status", order => order.State.Status)
                .Text("payment_status", order => order.State.PaymentStatus)
                .Text("fulfilment_status", order => order.State.FulfilmentStatus)
                .Text("lines", order => OrderLinesJson.Write(order.Lines))
                .Text("adjustments", order => order.Adjustments.Count == 0
                    ? "[]"
                    : Json(order.Adjustments, StoredJson.Default.IReadOnlyListAdjustment))
                .BigInt("adjustments_minor", order => order.AdjustmentsMinor)
                .Text("metadata", order => order.Metadata.Count == 0
                    ? "{}"
                    : Json(order.Metadata, StoredJson.Default.IReadOnlyDictionaryStringString))
                .BigIntOrNull("total", order => order.State.Total)
                .Text("payment_provider", order => order.Payment.Provider)
                .Text("payment_token", order => order.Payment.Token)
                .Bool("may_set_price", order => order.MaySetPrice)
                .BigInt("version", order => order.State.Version)
                .Time("created_at", order => order.CreatedAt)
                .Text("capture", order => order.State.IsTakenOnFulfilment ? CapturePolicies.Fulfilment : null),
            "id");
    }

    /// <summary>Those of these ids that there are.</summary>
    public async Task<IReadOnlySet<Guid>> FindIdsAsync(IReadOnlyList<Guid> ids, Work work) =>
        (await work.QueryAsync(sql["find_ids"], SqlArgs.OfUuids("id", ids), row => row.Uuid(0))).ToHashSet();

    /// <summary>Which order has each of these references.</summary>
    public async Task<Dictionary<(string Merchant, string Reference), Guid>> FindReferencesAsync(
        IReadOnlyList<(string Merchant, string Reference)> references, Work work)
    {
        var rows = await work.QueryAsync(
            sql["find_references"],
            SqlArgs.Over(references).Text("merchant", key => key.Merchant).Text("reference", key => key.Reference),
            row => (Key: (row.Text(0), row.Text(1)), Id: row.Uuid(2)));
        return rows.ToDictionary(row => row.Key, row => row.Id);
    }

    /// <summary>
    /// The states of these orders, locked in the order of their ids until the transaction ends.
    /// </summary>
    public Task<List<OrderState>> LockStatesAsync(IReadOnlyList<Guid> ids, Work work) =>
        ids.Count == 0
            ? Task.FromResult<List<OrderState>>([])
            : work.QueryAsync(sql["lock_states"], SqlArgs.OfUuids("id", ids), ReadState);

    /// <inheritdoc cref="LockStatesAsync"/>
    public Task<List<Order>> LockOrdersAsync(IReadOnlyList<Guid> ids, Work work) =>
        work.QueryAsync(sql["lock_orders"], SqlArgs.OfUuids("id", ids), ReadOrder);

    public Task<List<Order>> LoadAsync(IReadOnlyList<Guid> ids, Work work) =>
        ids.Count == 0
            ? Task.FromResult<List<Order>>([])
            : work.QueryAsync(sql["load_orders"], SqlArgs.OfUuids("id", ids), ReadOrder);

    /// <summary>Those of these orders that are neither pending nor on their way to be cancelled.</summary>
    public Task<List<Order>> LoadDecidedAsync(IReadOnlyList<Guid> ids, IQueries queries, CancellationToken cancel) =>
        queries.QueryAsync(sql["load_decided"], SqlArgs.OfUuids("id", ids), ReadOrder, cancel);

    /// <summary>
    /// Writes changes and their events. The orders are locked; each changes at most once in a call.
    /// </summary>
    public async Task SaveAsync(IReadOnlyList<OrderChange> changes, Work work)
    {
        var changed = changes.Where(change => change.Events.Count > 0).ToList();
        var saved = await SaveUnlockedAsync(changed, work);
        if (saved.Count != changed.Count)
            throw new InvalidOperationException(
                $"{changed.Count} locked orders were to change and {saved.Count} did; the first is {changed[0].State.Id}.");
    }

    /// <summary>
    /// Writes changes and their events where the order still is in the version that the change builds on; returns these.
    /// </summary>
    public async Task<IReadOnlyList<OrderChange>> SaveUnlockedAsync(IReadOnlyList<OrderChange> changes, Work work)
    {
        if (changes.Count == 0) return [];
        var written = await work.WriteRowsAsync(
            sql["save_states"],
            SqlArgs.Over<OrderChange>([.. changes.OrderBy(change => change.State.Id)])
                .Uuid("id", change => change.State.Id)
                .BigInt("version_before", change => change.State.Version - change.Events.Count)
                .BigInt("version", change => change.State.Version)
                .Text("status", change => change.State.Status)
                .Text("payment_status", change => change.State.PaymentStatus)
                .BigIntOrNull("total", change => change.State.Total)
                .Text("lines", change =>
                    change.Priced is null ? null : OrderLinesJson.Write(change.Priced))
                .Text("reason_code", change => change.State.Reason?.Code)
                .Text("reason_message", change => change.State.Reason?.Message)
                .Text("cancel_reason", change => change.State.CancelReason)
                .Time("updated_at", change => change.State.UpdatedAt)
                .Text("fulfilment_status", change => change.State.FulfilmentStatus)
                .Text("next_action_url", change => change.State.NextAction?.Url)
                .TimeOrNull("next_action_until", change => change.State.NextAction?.ExpiresAt),
            "id");
        var saved = changes.Where(change => written.Contains(change.State.Id)).ToList();
        Append([.. saved.SelectMany(change => change.Events)], work);
        return saved;
    }

    public void Append(IReadOnlyList<OrderEvent> events, Work work)
    {
        if (events.Count == 0) return;
        work.Defer(
            sql["insert_events"],
            SqlArgs.Over(events)
                .Uuid("order_id", e => e.OrderId)
                .BigInt("version", e => e.Version)
                .Text("type", e => e.Type)
                .Text("status", e => e.Status)
                .Time("at", e => e.At)
                .Text("actor", e => e.Actor)
                .Text("trace_id", e => e.TraceId)
                .Text("data", e => StoredEventData.Write(e.Data, e.At)));
    }

    /// <summary>
    /// From now on these wait for the coordinator, who is asked again at <paramref name="askAt"/>.
    /// </summary>
    public void AwaitAnswers(IReadOnlyList<Guid> ids, DateTimeOffset askAt, Work work)
    {
        if (ids.Count > 0) work.Defer(sql["insert_unsettled"], SqlArgs.OfUuids("id", ids).And("ask_at", askAt));
    }

    /// <summary>The same for orders that may be waiting already: they wait from now on.</summary>
    public void AwaitOtherAnswers(IReadOnlyList<Guid> ids, DateTimeOffset askAt, Work work)
    {
        if (ids.Count > 0) work.Defer(sql["restart_unsettled"], SqlArgs.OfUuids("id", ids).And("ask_at", askAt));
    }

    /// <summary>These have their answer.</summary>
    public void StopAwaiting(IReadOnlyList<Guid> ids, Work work)
    {
        if (ids.Count > 0) work.Defer(sql["delete_unsettled"], SqlArgs.OfUuids("id", ids));
    }

    /// <summary>A row of what changes: the first ten columns of every statement that reads orders, and the last three.</summary>
    public static OrderState ReadState(IRow row) => ReadState(row, last: 10);

    static OrderState ReadState(IRow row, int last) => new(
        row.Uuid(0), row.BigInt(1), row.Text(2), row.Text(3), row.Text(4), row.BigIntOrNull(5),
        row.TextOrNull(6) is { } code ? new Reason(code, row.Text(7)) : null, row.TextOrNull(8), row.Time(9),
        row.TimeOrNull(last + 2) is { } until ? NextAction.Of(row.TextOrNull(last + 1), until) : null,
        row.TextOrNull(last) == CapturePolicies.Fulfilment);

    /// <summary>A row of all their columns.</summary>
    public static Order ReadOrder(IRow row) => new(
        ReadState(row, last: 21), row.Text(10), row.TextOrNull(11), row.Text(12), row.Text(13),
        OrderLinesJson.Read(row.Text(14)),
        FromJson(row.Text(15), StoredJson.Default.IReadOnlyListAdjustment),
        FromJson(row.Text(16), StoredJson.Default.IReadOnlyDictionaryStringString),
        new PaymentMethod(row.Text(17), row.TextOrNull(18)), row.Bool(19), row.Time(20));

    static string Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);

    static T FromJson<T>(string json, JsonTypeInfo<T> type) where T : class =>
        JsonSerializer.Deserialize(json, type)
            ?? throw new InvalidOperationException("A JSON column of orders holds null.");
}
