using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>Who has yet to take part in a fulfilment.</summary>
/// <param name="OrderId">The order, with the next the fulfilment.</param>
/// <param name="Number">Of the fulfilment.</param>
/// <param name="Participant">One of <see cref="ServiceNames"/>.</param>
/// <param name="Asked">How often it was asked again.</param>
/// <param name="DueMinor">What the payment is to have taken in all.</param>
public sealed record FulfilmentWork(
    Guid OrderId, int Number, string Participant, int Asked = 0, long? DueMinor = null)
{
    /// <summary>The number of what closes an order: nothing more is shipped, what is still held is released.</summary>
    public const int Closing = GoodsShipped.Rest;
}

/// <summary>Fulfilments, and who has yet to take part in them, set by set.</summary>
public sealed class FulfilmentStore(SqlCatalog sql)
{
    /// <summary>All fulfilments of these orders, of each in the order of their numbers.</summary>
    public async Task<List<Fulfilment>> LoadAsync(IReadOnlyList<Guid> orderIds, Work work) =>
        orderIds.Count == 0
            ? []
            : await work.QueryAsync(sql["load_fulfilments"], SqlArgs.OfUuids("order_id", orderIds), Read);

    public Task<List<Fulfilment>> LoadAsync(Guid orderId, IQueries queries, CancellationToken cancel) =>
        queries.QueryAsync(sql["load_fulfilments"], SqlArgs.OfUuids("order_id", [orderId]), Read, cancel);

    public void Insert(IReadOnlyList<Fulfilment> fulfilments, Work work)
    {
        if (fulfilments.Count == 0) return;
        work.Defer(
            sql["insert_fulfilments"],
            SqlArgs.Over(fulfilments)
                .Uuid("order_id", one => one.OrderId)
                .BigInt("number", one => one.Number)
                .Uuid("id", one => one.Id)
                .Text("lines", one => OrderLinesJson.Write(one.Lines))
                .BigInt("value", one => one.ValueMinor)
                .Text("carrier", one => one.Tracking?.Carrier)
                .Text("tracking_number", one => one.Tracking?.Number)
                .Text("actor", one => one.Actor)
                .Time("created_at", one => one.CreatedAt));
    }

    /// <summary>From now on these are asked, again at <paramref name="askAt"/> if they have not answered.</summary>
    public void Await(IReadOnlyList<FulfilmentWork> open, DateTimeOffset askAt, Work work)
    {
        if (open.Count == 0) return;
        work.Defer(
            sql["insert_fulfilment_work"],
            Keys(open).BigIntOrNull("due", one => one.DueMinor).Args.And("ask_at", askAt));
    }

    /// <summary>What is due, but for what another instance has just taken.</summary>
    public Task<List<FulfilmentWork>> TakeDueAsync(DateTimeOffset tooFar, int most, Work work) => work.QueryAsync(
        sql["take_due_fulfilment_work"],
        SqlArgs.With("now", work.Now).And("too_far", tooFar).And("limit", most),
        row => new FulfilmentWork(row.Uuid(0), row.Int(1), row.Text(2), row.Int(3), row.BigIntOrNull(4)));

    public Task AskLaterAsync(IReadOnlyList<FulfilmentWork> open, Func<FulfilmentWork, DateTimeOffset> askAt, Work work) =>
        work.ExecuteAsync(
            sql["ask_fulfilment_work_later"],
            SqlArgs.Over(open)
                .Uuid("order_id", one => one.OrderId)
                .BigInt("number", one => one.Number)
                .Text("participant", one => one.Participant)
                .Time("ask_at", askAt));

    /// <summary>These have taken part.</summary>
    public void Finish(IReadOnlyList<FulfilmentWork> done, Work work)
    {
        if (done.Count > 0) work.Defer(sql["delete_fulfilment_work"], Keys(done));
    }

    /// <summary>These payments have come so far: what waited for that is done, and what is left is asked for at once.</summary>
    public void FinishTaken(IReadOnlyList<(Guid OrderId, PaymentTotals Payment)> moved, Work work)
    {
        if (moved.Count == 0) return;
        work.Defer(
            sql["finish_taken"],
            SqlArgs.Over(moved)
                .Uuid("order_id", one => one.OrderId)
                .BigInt("captured", one => one.Payment.CapturedMinor)
                .Bool("is_held", one => one.Payment.HeldMinor > 0));
        work.Defer(
            sql["ask_for_the_rest"],
            SqlArgs.Over(moved).Uuid("order_id", one => one.OrderId).Args.And("now", work.Now));
    }

    static SqlRows<FulfilmentWork> Keys(IReadOnlyList<FulfilmentWork> open) => SqlArgs.Over(open)
        .Uuid("order_id", one => one.OrderId)
        .BigInt("number", one => one.Number)
        .Text("participant", one => one.Participant);

    static Fulfilment Read(IRow row) => new(
        row.Uuid(0), row.Int(1), row.Uuid(2), OrderLinesJson.Read(row.Text(3)), row.BigInt(4),
        row.TextOrNull(5) is { } carrier ? new Tracking(carrier, row.Text(6)) : null, row.Text(7), row.Time(8));
}
