using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService;

/// <summary>Loads and saves orders, events and the list of unsettled orders, a statement per set.</summary>
public sealed class OrderStore(SqlCatalog sql)
{
    /// <summary>Inserts orders; returns the ids inserted. Orders that conflict with a stored row are skipped.</summary>
    public async Task<IReadOnlySet<Guid>> InsertAsync(Work work, IReadOnlyList<Order> orders)
    {
        if (orders.Count == 0) return new HashSet<Guid>();
        return await work.WriteRowsAsync(
            sql["insert_orders"],
            SqlArgs.Over(orders)
                .Uuid("id", order => order.Id)
                .Text("channel", order => order.Channel)
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
                .BigIntOrNull("total_minor", order => order.State.Total)
                .Text("payment_provider", order => order.Payment.Provider)
                .Text("payment_token", order => order.Payment.Token)
                .Text("capture_policy", order => order.State.IsTakenOnFulfilment ? CapturePolicies.Fulfilment : null)
                .Bool("may_set_price", order => order.MaySetPrice)
                .BigIntOrNull("discount_limit", order => order.DiscountLimit)
                .BigInt("version", order => order.State.Version)
                .Time("created_at", order => order.CreatedAt),
            "id");
    }

    /// <summary>Returns the ids that exist.</summary>
    public async Task<IReadOnlySet<Guid>> FindExistingAsync(Work work, IReadOnlyList<Guid> ids) =>
        (await work.QueryAsync(sql["find_existing"], SqlArgs.OfUuids("id", ids), row => row.Uuid("id"))).ToHashSet();

    /// <summary>Finds the order that has each reference; a freed reference has none.</summary>
    public async Task<Dictionary<(string Channel, string Reference), Guid>> FindReferencesAsync(
        Work work, IReadOnlyList<(string Channel, string Reference)> references)
    {
        var rows = await work.QueryAsync(
            sql["find_references"],
            SqlArgs.Over(references).Text("channel", key => key.Channel).Text("reference", key => key.Reference),
            row => (Key: (row.Text("channel"), row.Text("reference")), Id: row.Uuid("id")));
        return rows.ToDictionary(row => row.Key, row => row.Id);
    }

    /// <summary>Locks orders, sorted by id, until the transaction ends, and loads the states.</summary>
    public Task<List<OrderState>> LockStatesAsync(Work work, IReadOnlyList<Guid> ids) =>
        ids.Count == 0
            ? Task.FromResult<List<OrderState>>([])
            : work.QueryAsync(sql["lock_states"], SqlArgs.OfUuids("id", ids), ReadState);

    /// <summary>Locks orders, sorted by id, until the transaction ends, and loads all columns.</summary>
    public Task<List<Order>> LockOrdersAsync(Work work, IReadOnlyList<Guid> ids) =>
        work.QueryAsync(sql["lock_orders"], SqlArgs.OfUuids("id", ids), ReadOrder);

    public Task<List<Order>> LoadAsync(Work work, IReadOnlyList<Guid> ids) =>
        ids.Count == 0
            ? Task.FromResult<List<Order>>([])
            : work.QueryAsync(sql["load_orders"], SqlArgs.OfUuids("id", ids), ReadOrder);

    /// <summary>Counts the orders of customers: open ones, with the first, and all.</summary>
    public async Task<Dictionary<string, (long OpenOrders, Guid? First, long Orders)>> OpenOrdersOfAsync(
        Work work, IReadOnlyList<string> customers) =>
        (await work.QueryAsync(
            sql["open_orders_of"], SqlArgs.OfTexts("customer_id", customers),
            row => (
                Customer: row.Text("customer_id"), Open: row.BigInt("open_orders"), First: row.UuidOrNull("open_order"),
                All: row.BigInt("orders"))))
        .ToDictionary(row => row.Customer, row => (row.Open, row.First, row.All));

    /// <summary>Marks customers as erased: their ids are never used by an order again.</summary>
    public Task MarkErasedAsync(Work work, IReadOnlyList<string> customers) => customers.Count == 0
        ? Task.CompletedTask
        : work.ExecuteAsync(
            sql["mark_erased_customers"], SqlArgs.OfTexts("customer_id", customers).And("now", work.Now));

    public Task UnmarkErasedAsync(Work work, IReadOnlyList<string> customers) => customers.Count == 0
        ? Task.CompletedTask
        : work.ExecuteAsync(sql["unmark_erased_customers"], SqlArgs.OfTexts("customer_id", customers));

    /// <summary>Finds the erased ones among customers.</summary>
    public async Task<HashSet<string>> FindErasedAsync(Work work, IReadOnlyList<string> customers) =>
        customers.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["find_erased_customers"], SqlArgs.OfTexts("customer_id", customers), row => row.Text("customer_id")))
                .ToHashSet();

    /// <summary>Erases metadata, and labels of adjustments, of the ended orders of customers.</summary>
    public Task EraseTextsAsync(Work work, IReadOnlyList<string> customers) => customers.Count == 0
        ? Task.CompletedTask
        : work.ExecuteAsync(sql["erase_order_texts"], SqlArgs.OfTexts("customer_id", customers));

    /// <summary>Loads the decided orders: neither pending nor being cancelled.</summary>
    public Task<List<Order>> LoadDecidedAsync(IQueries queries, IReadOnlyList<Guid> ids, CancellationToken cancel) =>
        queries.QueryAsync(sql["load_decided"], SqlArgs.OfUuids("id", ids), ReadOrder, cancel);

    /// <summary>
    /// Writes changes of locked orders, with the events. Each order appears at most once in a call.
    /// </summary>
    public async Task SaveAsync(Work work, IReadOnlyList<OrderChange> changes)
    {
        var changed = changes.Where(change => change.IsToSave).ToList();
        var saved = await SaveUnlockedAsync(work, changed);
        if (saved.Count != changed.Count)
            throw new InvalidOperationException(
                $"{changed.Count} locked orders had changes and {saved.Count} were saved; the first is {changed[0].State.Id}.");
    }

    /// <summary>
    /// Writes changes, with the events, where the stored version is the base of the change. Returns the changes written.
    /// </summary>
    public async Task<IReadOnlyList<OrderChange>> SaveUnlockedAsync(Work work, IReadOnlyList<OrderChange> changes)
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
                .BigInt("payment_version", change => change.State.PaymentVersion)
                .BigIntOrNull("secured_minor", change => change.State.SecuredMinor)
                .Text("goods", change => change.State.Goods)
                .BigIntOrNull("total_minor", change => change.State.Total)
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
        Append(work, [.. saved.SelectMany(change => change.Events)]);
        return saved;
    }

    public void Append(Work work, IReadOnlyList<OrderEvent> events)
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

    /// <summary>Adds orders at attempt 1; the commit sends the first message.</summary>
    public void AddUnsettled(Work work, IReadOnlyList<Guid> ids, DateTimeOffset nextAttemptAt)
    {
        if (ids.Count > 0)
            work.Defer(sql["insert_unsettled"], SqlArgs.OfUuids("id", ids).And("next_attempt_at", nextAttemptAt));
    }

    /// <summary>Adds orders, or resets orders already listed to attempt 1.</summary>
    public void RestartUnsettled(Work work, IReadOnlyList<Guid> ids, DateTimeOffset nextAttemptAt)
    {
        if (ids.Count > 0)
            work.Defer(sql["restart_unsettled"], SqlArgs.OfUuids("id", ids).And("next_attempt_at", nextAttemptAt));
    }

    public void RemoveUnsettled(Work work, IReadOnlyList<Guid> ids)
    {
        if (ids.Count > 0) work.Defer(sql["delete_unsettled"], SqlArgs.OfUuids("id", ids));
    }

    /// <summary>Counts unsettled orders: with at most <paramref name="mostAttempts"/>, and in total.</summary>
    public async Task<(long InFlight, long All)> CountUnsettledAsync(Work work, int mostAttempts) =>
        (await work.QueryAsync(
            sql["count_unsettled"], SqlArgs.With("most_attempts", mostAttempts),
            row => (row.BigInt("in_flight"), row.BigInt("unsettled"))))[0];

    /// <summary>Claims orders due for another attempt; rows claimed by another instance are skipped.</summary>
    public Task<List<(Guid Id, int Attempts)>> ClaimDueAsync(Work work, int most) => work.QueryAsync(
        sql["claim_due_orders"], SqlArgs.With("now", work.Now).And("limit", most),
        row => (row.Uuid("order_id"), row.Int("attempts")));

    /// <summary>Adds an attempt to each order, and schedules the next.</summary>
    public Task ScheduleAsync(
        Work work, IReadOnlyList<(Guid Id, int Attempts)> orders, Func<int, DateTimeOffset> nextAttemptAt) =>
        work.ExecuteAsync(
            sql["schedule_orders"],
            SqlArgs.Over(orders)
                .Uuid("id", order => order.Id)
                .Time("next_attempt_at", order => nextAttemptAt(order.Attempts + 1)));

    /// <summary>Reads the columns <c>order_state</c>.</summary>
    public static OrderState ReadState(IRow row) => new(
        row.Uuid("id"), row.BigInt("version"), row.Text("status"), row.Text("payment_status"),
        row.Text("fulfilment_status"), row.BigIntOrNull("total_minor"),
        row.TextOrNull("reason_code") is { } code ? new OrderReason(code, row.Text("reason_message")) : null,
        row.TextOrNull("cancel_reason"), row.Time("updated_at"),
        row.TimeOrNull("next_action_until") is { } until ? NextAction.Of(row.TextOrNull("next_action_url"), until) : null,
        row.TextOrNull("capture_policy") == CapturePolicies.Fulfilment, row.BigInt("payment_version"),
        row.BigIntOrNull("secured_minor"), row.TextOrNull("goods"));

    /// <summary>Reads the columns <c>order_state</c> and <c>order_terms</c>.</summary>
    public static Order ReadOrder(IRow row) => new(
        ReadState(row), row.Text("channel"), row.TextOrNull("reference"), row.Text("customer_id"), row.Text("currency"),
        OrderLinesJson.Read(row.Text("lines")),
        FromJson(row.Text("adjustments"), StoredJson.Default.IReadOnlyListAdjustment),
        FromJson(row.Text("metadata"), StoredJson.Default.IReadOnlyDictionaryStringString),
        new PaymentMethod(row.Text("payment_provider"), row.TextOrNull("payment_token")), row.Bool("may_set_price"),
        (int?)row.BigIntOrNull("discount_limit"), row.Time("created_at"));

    static string Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);

    static T FromJson<T>(string json, JsonTypeInfo<T> type) where T : class =>
        JsonSerializer.Deserialize(json, type)
            ?? throw new InvalidOperationException("A JSON column of orders holds null.");
}
