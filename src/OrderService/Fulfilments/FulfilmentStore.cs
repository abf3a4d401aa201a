using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>Participant of a fulfilment, not yet confirmed.</summary>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Number">Number of the fulfilment within the order.</param>
/// <param name="Participant">One of <see cref="ServiceNames"/>.</param>
/// <param name="Attempts">Messages sent so far, 1 and up.</param>
/// <param name="DueMinor">Amount to be captured in total; null for stock-service.</param>
public sealed record FulfilmentWork(
    Guid OrderId, int Number, string Participant, int Attempts = 1, long? DueMinor = null)
{
    /// <summary>Number for the close of an order: nothing more is shipped, and the rest is consumed or released.</summary>
    public const int Closing = GoodsShipped.Rest;
}

/// <summary>Loads and saves fulfilments and open work, a statement per set.</summary>
public sealed class FulfilmentStore(SqlCatalog sql)
{
    /// <summary>Loads the fulfilments of several orders, sorted by order and number.</summary>
    public async Task<List<Fulfilment>> LoadAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        orderIds.Count == 0
            ? []
            : await work.QueryAsync(sql["load_fulfilments"], SqlArgs.OfUuids("order_id", orderIds), Read);

    public Task<List<Fulfilment>> LoadAsync(IQueries queries, Guid orderId, CancellationToken cancel) =>
        queries.QueryAsync(sql["load_fulfilments"], SqlArgs.OfUuids("order_id", [orderId]), Read, cancel);

    public void Insert(Work work, IReadOnlyList<Fulfilment> fulfilments)
    {
        if (fulfilments.Count == 0) return;
        work.Defer(
            sql["insert_fulfilments"],
            SqlArgs.Over(fulfilments)
                .Uuid("order_id", fulfilment => fulfilment.OrderId)
                .BigInt("number", fulfilment => fulfilment.Number)
                .Uuid("id", fulfilment => fulfilment.Id)
                .Text("lines", fulfilment => OrderLinesJson.Write(fulfilment.Lines))
                .BigInt("value_minor", fulfilment => fulfilment.ValueMinor)
                .Text("carrier", fulfilment => fulfilment.Tracking?.Carrier)
                .Text("tracking_number", fulfilment => fulfilment.Tracking?.Number)
                .Text("actor", fulfilment => fulfilment.Actor)
                .Time("created_at", fulfilment => fulfilment.CreatedAt));
    }

    /// <summary>Adds work at attempt 1; the commit sends the first message.</summary>
    public void AddWork(Work work, IReadOnlyList<FulfilmentWork> open, DateTimeOffset nextAttemptAt)
    {
        if (open.Count == 0) return;
        work.Defer(
            sql["insert_fulfilment_work"],
            Keys(open).BigIntOrNull("due_minor", row => row.DueMinor).Args.And("next_attempt_at", nextAttemptAt));
    }

    /// <summary>Adds work, or resets work that is listed already, to be asked for at a time.</summary>
    public void RestartWork(Work work, IReadOnlyList<FulfilmentWork> open, DateTimeOffset nextAttemptAt)
    {
        if (open.Count == 0) return;
        work.Defer(
            sql["restart_fulfilment_work"],
            Keys(open).BigIntOrNull("due_minor", row => row.DueMinor).Args.And("next_attempt_at", nextAttemptAt));
    }

    /// <summary>Claims work due for another attempt; rows claimed by another instance are skipped.</summary>
    /// <param name="work">Unit of work.</param>
    /// <param name="tooFar">A later attempt was scheduled by a clock that was ahead.</param>
    /// <param name="tooFarRare">The same for refused work, and for work past its prompt attempts.</param>
    /// <param name="prompt">Number of prompt attempts.</param>
    /// <param name="most">Maximum number of rows.</param>
    public Task<List<FulfilmentWork>> ClaimDueAsync(
        Work work, DateTimeOffset tooFar, DateTimeOffset tooFarRare, int prompt, int most) => work.QueryAsync(
        sql["claim_due_fulfilment_work"],
        SqlArgs.With("now", work.Now).And("too_far", tooFar).And("too_far_rare", tooFarRare).And("prompt", prompt)
            .And("limit", most),
        ReadWork);

    /// <summary>
    /// Claims one row of each participant without an answer for long: the row to be asked for first, so that the rows take turns.
    /// </summary>
    /// <param name="work">Unit of work.</param>
    /// <param name="prompt">Number of prompt attempts.</param>
    public Task<List<FulfilmentWork>> ClaimSilentAsync(Work work, int prompt) =>
        work.QueryAsync(sql["claim_silent_fulfilment_work"], SqlArgs.With("prompt", prompt), ReadWork);

    /// <summary>
    /// Makes all work due that a participant was silent about for long, once the participant answers about any of it. Work that
    /// never gets an answer is asked for no more often than other silent work is answered.
    /// </summary>
    /// <param name="work">Unit of work.</param>
    /// <param name="answers">Answers, still listed as work.</param>
    /// <param name="prompt">Number of prompt attempts.</param>
    public void WakeSilent(Work work, IReadOnlyList<(Guid OrderId, string Participant)> answers, int prompt)
    {
        if (answers.Count == 0) return;
        work.Defer(
            sql["wake_silent_fulfilment_work"],
            SqlArgs.Over(answers)
                .Uuid("order_id", answer => answer.OrderId)
                .Text("participant", answer => answer.Participant)
                .Args.And("now", work.Now).And("prompt", prompt));
    }

    /// <summary>Adds an attempt to each row, and schedules the next.</summary>
    public Task ScheduleAsync(
        Work work, IReadOnlyList<FulfilmentWork> open, Func<FulfilmentWork, DateTimeOffset> nextAttemptAt) =>
        work.ExecuteAsync(sql["schedule_fulfilment_work"], Keys(open).Time("next_attempt_at", nextAttemptAt));

    /// <summary>Records why participants cannot carry out their work, and postpones the work.</summary>
    public void Refuse(
        Work work, IReadOnlyList<(Guid OrderId, int? Number, string Participant, string Why)> refused,
        DateTimeOffset nextAttemptAt)
    {
        if (refused.Count == 0) return;
        work.Defer(
            sql["refuse_fulfilment_work"],
            SqlArgs.Over(refused)
                .Uuid("order_id", row => row.OrderId)
                .BigIntOrNull("number", row => row.Number)
                .Text("participant", row => row.Participant)
                .Text("refused", row => row.Why)
                .Args.And("next_attempt_at", nextAttemptAt));
    }

    /// <summary>Loads the refused work of an order.</summary>
    public Task<List<(int Number, string Participant, string Why)>> LoadRefusedAsync(
        IQueries queries, Guid orderId, CancellationToken cancel) => queries.QueryAsync(
        sql["load_refused_work"], SqlArgs.With("order_id", orderId),
        row => (row.Int("number"), row.Text("participant"), row.Text("refused")), cancel);

    /// <summary>Deletes confirmed work.</summary>
    public void Finish(Work work, IReadOnlyList<FulfilmentWork> confirmed)
    {
        if (confirmed.Count > 0) work.Defer(sql["delete_fulfilment_work"], Keys(confirmed));
    }

    /// <summary>Deletes the work completed by these payments, and makes the remaining work due at once.</summary>
    public void FinishCaptured(Work work, IReadOnlyList<(Guid OrderId, PaymentTotals Payment)> payments)
    {
        if (payments.Count == 0) return;
        WakeSilent(
            work, [.. payments.Select(moved => (moved.OrderId, ServiceNames.Customer))], ResendFulfilments.PromptAttempts);
        work.Defer(
            sql["delete_captured_work"],
            SqlArgs.Over(payments)
                .Uuid("order_id", moved => moved.OrderId)
                .BigInt("captured_minor", moved => moved.Payment.CapturedMinor)
                .Bool("is_held", moved => moved.Payment.HeldMinor > 0));
        work.Defer(
            sql["bring_capture_forward"],
            SqlArgs.Over(payments).Uuid("order_id", moved => moved.OrderId).Args.And("now", work.Now));
    }

    static SqlRows<FulfilmentWork> Keys(IReadOnlyList<FulfilmentWork> open) => SqlArgs.Over(open)
        .Uuid("order_id", row => row.OrderId)
        .BigInt("number", row => row.Number)
        .Text("participant", row => row.Participant);

    static FulfilmentWork ReadWork(IRow row) => new(
        row.Uuid("order_id"), row.Int("number"), row.Text("participant"), row.Int("attempts"), row.BigIntOrNull("due_minor"));

    static Fulfilment Read(IRow row) => new(
        row.Uuid("order_id"), row.Int("number"), row.Uuid("id"), OrderLinesJson.Read(row.Text("lines")),
        row.BigInt("value_minor"),
        row.TextOrNull("carrier") is { } carrier ? new Tracking(carrier, row.Text("tracking_number")) : null,
        row.Text("actor"), row.Time("created_at"));
}
