using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// Judges a run by the tables (through the product's own verification), by the gateway's own record, and by the responses
/// that clients received.
/// </summary>
sealed class InvariantAudit(World world, Arena arena)
{
    static readonly SqlQuery Open =
        new("open", "SELECT order_id, state, waiting_for, step, code FROM sagas WHERE ended_at IS NULL");
    static readonly SqlQuery Unsettled = new("unsettled", "SELECT order_id FROM unsettled_orders");
    static readonly SqlQuery OpenShipments =
        new("open_shipments", "SELECT order_id, participant FROM fulfilment_work");
    static readonly SqlQuery PendingNotifications =
        new("pending_notifications", "SELECT count(*) AS total FROM payment_notifications");
    static readonly SqlQuery OpenAttempts =
        new("open_attempts", "SELECT count(*) AS total FROM payment_attempts WHERE finished_at IS NULL");
    static readonly SqlQuery LateResults =
        new("late_results", "SELECT count(*) AS total FROM parked_events e JOIN payments p ON p.order_id = e.order_id");
    static readonly SqlQuery Orders =
        new("orders_placed", "SELECT id, status, reference, metadata ->> 'order' AS number FROM orders");
    // A fulfilment that a participant has not confirmed for half an hour, as a long outage leaves it, is repeated all the same.
    static readonly SqlQuery Letters = new(
        "letters",
        $"""
        SELECT order_id, reason, instr(raw, '{Forgeries.Trace}') > 0 AS is_forged
        FROM dead_letters
        WHERE raw <> 'garbage' AND instr(reason, ' of the order is not confirmed by ') = 0
        """);
    static readonly SqlQuery Expired = new("expired", "SELECT id FROM orders WHERE status = 'expired'");

    static readonly SqlQuery Statuses = new("statuses", "SELECT id, status FROM orders");
    static readonly SqlQuery Held = new("held", "SELECT order_id FROM holds");
    static readonly SqlQuery Over = new(
        "over", "SELECT id FROM orders WHERE status IN ('rejected', 'cancelled', 'expired')");

    // No step waits for less.
    readonly TimeSpan shortestDeadline = world.Process.Steps.Min(step =>
        step.Human || step.WhileWaiting.Within < step.Ask.Within ? step.WhileWaiting.Within : step.Ask.Within);

    readonly HashSet<Guid> leaks = [];
    readonly HashSet<Guid> early = [];
    readonly HashSet<Guid> overdue = [];
    readonly List<Finding> findings = [];
    readonly SortedDictionary<string, int> ends = new(StringComparer.Ordinal);

    public Outcome Outcome => new(findings, world.Trace.Hash, ends, world.Faults.FaultCounts);

    /// <summary>
    /// Checks during the run an invariant without exceptions: goods are released before an order learns that it ended
    /// without them (I6). A leak that closes by itself before the end is found only here.
    /// </summary>
    public void CheckDuringRun()
    {
        CheckExpiry();
        // A restored stock-service has yet to hear which orders have ended; it sells nothing until then.
        if (world.Behind.Contains(ServiceNames.Stock)) return;
        var held = Read(ServiceNames.Stock, Held, row => row.Uuid("order_id"));
        if (held.Count == 0) return;
        var over = Read(ServiceNames.Order, Over, row => row.Uuid("id")).ToHashSet();
        foreach (var id in held.Where(over.Contains).Where(leaks.Add)) Add("I6", id, "has ended, and placed goods are held");
    }

    // I5: no deadline is shorter than ten minutes, whatever the clocks of the services say, as long as a database has the time.
    void CheckExpiry()
    {
        if (!world.Plan.DatabaseHasClock) return;
        foreach (var id in Read(ServiceNames.Order, Expired, row => row.Uuid("id")))
            if (world.Client.Tickets.Values.FirstOrDefault(ticket => ticket.OrderId == id) is { FirstSentAt: { } since }
                && world.Pump.Now - since < shortestDeadline && early.Add(id))
                Add("I5", id, $"expired {(world.Pump.Now - since).TotalMinutes:0} minutes after it was placed");
    }

    /// <summary>True when every accepted order is settled or waits for an external party.</summary>
    public bool IsQuiet()
    {
        var open = OpenSagas();
        return open.All(saga => IsParked(saga))
            && Read(ServiceNames.Order, Unsettled, row => row.Uuid("order_id")).All(id => open.Any(saga => saga.OrderId == id))
            && world.Outside.PendingReplies == 0
            && Count(OpenAttempts) == open.Count(saga => saga.State == "waiting")
            && Read(ServiceNames.Order, OpenShipments, row => row.Uuid("order_id")).Count == 0
            && Count(PendingNotifications) == 0
            && Count(LateResults) == 0
            && world.Network.IsEmpty;
    }

    /// <summary>
    /// Checks I7: an order is settled, waits for a named party, or is an incident, once its minute has ended. Returns the next
    /// end of a minute among the others; null when none is left.
    /// </summary>
    /// <param name="endOf">End of an order's minute.</param>
    public DateTimeOffset? CheckRecovery(Func<Guid, DateTimeOffset> endOf)
    {
        DateTimeOffset? next = null;
        foreach (var (order, what) in Unfinished().Where(each => !overdue.Contains(each.Order)).ToList())
            if (endOf(order) is var end && end > world.Pump.Now)
                next = next < end ? next : end;
            else
            {
                overdue.Add(order);
                Add("I7", order, $"{what} a minute after the last fault and the last action of a party");
            }
        return next;
    }

    IEnumerable<(Guid Order, string What)> Unfinished()
    {
        var open = OpenSagas();
        foreach (var saga in open.Where(saga => !IsParked(saga)))
            yield return (saga.OrderId, $"is still {saga.State} at {saga.Step} ({saga.Code})");
        foreach (var order in Read(ServiceNames.Order, Unsettled, row => row.Uuid("order_id")))
            if (open.All(saga => saga.OrderId != order)) yield return (order, "still waits for the coordinator's reply");
        foreach (var (order, participant) in Read(
            ServiceNames.Order, OpenShipments, row => (row.Uuid("order_id"), row.Text("participant"))))
            yield return (order, $"was shipped or closed, and {participant} has not answered");
    }

    /// <summary>Decides the steps that wait for a person.</summary>
    public void DecideInPerson()
    {
        foreach (var saga in OpenSagas())
            if (saga is { State: "waiting", Step: { } step } && world.StepOf(step)?.Human == true)
                world.Client.Resolve(saga.OrderId, step);
    }

    /// <summary>
    /// Retries open incidents as an operator would. The causes are gone by now, so every retry must succeed.
    /// </summary>
    public void RetryIncidents()
    {
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed")) world.Client.Retry(saga.OrderId);
    }

    /// <summary>Checks the incidents left after a retry: only refunds refused by the gateway may remain.</summary>
    public void CheckIncidents()
    {
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed" && saga.Code != ReasonCodes.RefundFailed))
            Add("I7", saga.OrderId, $"is stuck at {saga.Step} ({saga.Code}) after every fault has healed and a retry");
    }

    public async Task RunAsync()
    {
        var report = await VerifyAsync();
        // The tables cannot judge an order written a moment ago, and waiting orders are written from time to time.
        for (var again = 0; (report.InFlight > 0 || !IsQuiet()) && again < 20; again++)
        {
            await Task.Delay(TimeSpan.FromSeconds(4), world.Client.Time);
            report = await VerifyAsync();
        }
        // I10 is left out: the clocks of a run are wrong on purpose, and the stamps stay.
        foreach (var check in report.Checks.Where(check => check.Name != "I10")) findings.AddRange(check.Findings);
        if (report.InFlight > 0) Add("I7", "orders", $"{report.InFlight} are still in flight at the end");
        CheckResponses();
        world.Outside.Check(
            Read(ServiceNames.Order, Statuses, row => (Id: row.Uuid("id"), Status: row.Text("status")))
                .ToDictionary(order => order.Id, order => order.Status),
            Add);
        foreach (var (order, reason, isForged) in ServiceNames.All.SelectMany(service => Read(
            service, Letters, row => (row.UuidOrNull("order_id"), row.Text("reason"), row.Bool("is_forged")))))
            if (!isForged) Add("I7", order?.ToString() ?? "message", $"could not be handled: {reason}");
        foreach (var fault in ServiceNames.All.SelectMany(world.NodesOf).Select(node => node.Fault).OfType<string>())
            Add("I7", "service", fault);
        foreach (var (subject, violation) in world.Client.Violations) Add("I1", subject, violation);
        foreach (var violation in world.Gateway.Violations) Add("I2", "gateway", violation);
        LostFacts.Remove(findings, world);
    }

    Task<VerificationReport> VerifyAsync()
    {
        var databases = arena.Databases.ToDictionary(
            pair => pair.Key, pair => (IDatabase)new QuiescentDatabase(arena, pair.Key, world.Gateway.Charges));
        return new Verifier(databases, world.Client.Time).RunAsync(CancellationToken.None);
    }

    // I1: a client with a 2xx response has exactly the order named in the response; no client has two, and a refused one none.
    void CheckResponses()
    {
        var orders = Read(
            ServiceNames.Order, Orders,
            row => new PlacedOrder(
                row.Uuid("id"), row.Text("status"), row.TextOrNull("reference"),
                row.TextOrNull("number") is { } number ? int.Parse(number, null) : NumberOf(row.Uuid("id"))));
        foreach (var order in orders) ends[order.Status] = ends.GetValueOrDefault(order.Status) + 1;
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed"))
            ends["incident"] = ends.GetValueOrDefault("incident") + 1;
        foreach (var ticket in world.Client.Tickets.Values)
        {
            CheckOrders(ticket, [.. orders.Where(order => order.Number == ticket.Place.Number)]);
            if (ticket.Named is { } named && orders.Find(order => order.Id == named)?.Reference != ticket.Place.Reference)
                Add("I1", named, $"is named as the order {ticket.Place.Reference}, and is not");
        }
    }

    void CheckOrders(Ticket ticket, List<PlacedOrder> placed)
    {
        // A shop whose key was revoked sends the request again; an order that came to nothing has freed the reference.
        var standing = ticket.IsRekeyed ? placed.FindAll(order => !InvariantRules.IsOff(order.Status)) : placed;
        if (standing.Count > 1)
            Add(
                "I1", standing[1].Id,
                $"is the second order for one request (order {ticket.Place.Number}), sent {ticket.Sent} times");
        if (ticket is { Answer.Status: >= 400, IsRekeyed: false } && placed.Count > 0)
            Add("I1", ticket.Named ?? placed[0].Id, $"stood in the way of {placed[0].Id}, refused with {ticket.Answer.Status}");
        if (ticket.Place is { AtTill: true, Discount: > Shop.TillDiscount } && placed.Count > 0)
            Add("I2", placed[0].Id, $"has a discount of {ticket.Place.Discount} % by a till");
        if (ticket.OrderId is { } id && placed.TrueForAll(order => order.Id != id))
            Add("I1", id, "was acknowledged with 2xx but does not exist");
        foreach (var order in placed.Where(order => InvariantRules.IsGood(order.Status)))
            if (ticket.Cancelled.Contains(order.Id)) Add("I5", order.Id, "was cancelled with 2xx but went through");
            else if (ticket.Stopped.Contains(order.Id))
                Add("I5", order.Id, "was stopped by an operator with 2xx but went through");
    }

    // An erasure has taken the metadata away.
    int NumberOf(Guid id) =>
        world.Client.Tickets.Values.FirstOrDefault(ticket => ticket.OrderId == id)?.Place.Number ?? 0;

    sealed record PlacedOrder(Guid Id, string Status, string? Reference, int Number);

    List<OpenSaga> OpenSagas() => Read(
        ServiceNames.Coordinator, Open,
        row => new OpenSaga(
            row.Uuid("order_id"), row.Text("state"), row.TextOrNull("waiting_for"), row.TextOrNull("step"),
            row.TextOrNull("code")));

    int Count(SqlQuery query) => Read(ServiceNames.Customer, query, row => row.Int("total"))[0];

    List<T> Read<T>(string service, SqlQuery query, Func<IRow, T> map) => arena.Read(service, query, map);

    void Add(string invariant, Guid order, string text) => Add(invariant, order.ToString(), text);

    void Add(string invariant, string subject, string text) => findings.Add(new Finding(invariant, subject, text, ""));

    sealed record OpenSaga(Guid OrderId, string State, string? WaitingFor, string? Step, string? Code);

    // An open incident, or an order whose customer or participant has yet to act.
    bool IsParked(OpenSaga saga) =>
        saga.State == "failed"
        || (saga is { State: "waiting", WaitingFor: not null } && world.Gateway.AwaitsCustomer(saga.OrderId))
        || (saga is { State: "waiting", Step: { } step } && world.Outside.IsDeciding(saga.OrderId, step));
}
