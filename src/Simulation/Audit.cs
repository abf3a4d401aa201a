using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// Judges a run: what the tables say (by the product's own verification), what the gateway's own record says, and what was
/// promised to those who asked.
/// </summary>
sealed class Audit(World world, Arena arena)
{
    static readonly SqlQuery Open =
        new("open", "SELECT order_id, state, waiting_for, step, code FROM sagas WHERE ended_at IS NULL");
    static readonly SqlQuery Unsettled = new("unsettled", "SELECT order_id FROM unsettled_orders");
    static readonly SqlQuery OpenShipments =
        new("open_shipments", "SELECT order_id, participant FROM fulfilment_work");
    static readonly SqlQuery Untold = new("untold", "SELECT count(*) FROM payment_notifications");
    static readonly SqlQuery OpenCalls = new("open_calls", "SELECT count(*) FROM payment_attempts WHERE finished_at IS NULL");
    static readonly SqlQuery Orders = new("orders_placed", "SELECT id, status, metadata ->> 'order' FROM orders");
    static readonly SqlQuery Letters = new("letters", "SELECT reason FROM dead_letters WHERE raw <> 'garbage'");

    static readonly SqlQuery Held = new("held", "SELECT order_id FROM holds");
    static readonly SqlQuery Over = new(
        "over", "SELECT id FROM orders WHERE status IN ('confirmed', 'completed', 'rejected', 'cancelled', 'expired')");

    readonly HashSet<Guid> leaks = [];
    readonly List<Finding> findings = [];
    readonly SortedDictionary<string, int> ends = new(StringComparer.Ordinal);

    public Outcome Outcome => new(findings, world.Trace.Hash, ends, world.Weather.Struck);

    /// <summary>
    /// What must hold at every moment, looked at while things still go wrong: goods are given back before an order is told
    /// that it ended without them (I6). A leak that closes by itself before the end is found only here.
    /// </summary>
    public void LookMeanwhile()
    {
        var held = Read(ServiceNames.Stock, Held, row => row.Uuid(0));
        if (held.Count == 0) return;
        var over = Read(ServiceNames.Order, Over, row => row.Uuid(0)).ToHashSet();
        foreach (var id in held.Where(over.Contains).Where(leaks.Add)) Add("I6", id, "has ended, and its goods are held");
    }

    /// <summary>Everything that was accepted is settled, or waits for somebody outside.</summary>
    public bool IsQuiet()
    {
        var open = OpenSagas();
        return open.All(saga => IsParked(saga, TimeSpan.Zero))
            && Read(ServiceNames.Order, Unsettled, row => row.Uuid(0)).All(id => open.Any(saga => saga.OrderId == id))
            && Read(ServiceNames.Customer, OpenCalls, row => row.Int(0))[0] == open.Count(saga => saga.State == "waiting")
            && Read(ServiceNames.Order, OpenShipments, row => row.Uuid(0)).Count == 0
            && Read(ServiceNames.Customer, Untold, row => row.Int(0))[0] == 0
            && world.Network.IsEmpty;
    }

    /// <summary>I7: a minute after the last fault everything is settled, waits for a named party, or is an incident.</summary>
    public void LookForLaggards()
    {
        var open = OpenSagas();
        foreach (var saga in open.Where(saga => !IsParked(saga, World.Recovery)))
            Add("I7", saga.OrderId, $"is still {saga.State} at {saga.Step} ({saga.Code}) a minute after the last fault");
        foreach (var order in Read(ServiceNames.Order, Unsettled, row => row.Uuid(0)))
            if (open.All(saga => saga.OrderId != order))
                Add("I7", order, "still waits for the coordinator a minute after the last fault");
        foreach (var (order, who) in Read(ServiceNames.Order, OpenShipments, row => (row.Uuid(0), row.Text(1))))
            Add("I7", order, $"was shipped or closed, and {who} has not answered a minute after the last fault");
    }

    /// <summary>Operators see the incidents; what made them is over, so to ask again must settle them.</summary>
    public void RetryIncidents()
    {
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed")) world.Client.Retry(saga.OrderId);
    }

    /// <summary>What is left after a retry is what the outside still refuses: a refund.</summary>
    public void LookForIncidents()
    {
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed" && saga.Code != ReasonCodes.RefundFailed))
            Add("I7", saga.OrderId, $"is stuck at {saga.Step} ({saga.Code}), although all is well again and it was retried");
    }

    public async Task JudgeAsync()
    {
        var report = await VerifyAsync();
        // Whoever was touched a moment ago is not judged by the tables: an order that waits is looked after now and then.
        for (var again = 0; (report.InFlight > 0 || !IsQuiet()) && again < 20; again++)
        {
            await Task.Delay(TimeSpan.FromSeconds(4), world.Client.Time);
            report = await VerifyAsync();
        }
        foreach (var check in report.Checks) findings.AddRange(check.Findings);
        if (report.InFlight > 0) Add("I7", "orders", $"{report.InFlight} of them never come to rest");
        JudgePromises();
        foreach (var reason in Read(ServiceNames.Order, Letters, row => row.Text(0))
            .Concat(Read(ServiceNames.Coordinator, Letters, row => row.Text(0)))
            .Concat(Read(ServiceNames.Customer, Letters, row => row.Text(0)))
            .Concat(Read(ServiceNames.Stock, Letters, row => row.Text(0))))
            Add("I7", "message", $"could not be handled: {reason}");
        foreach (var fault in ServiceNames.All.SelectMany(world.NodesOf).Select(node => node.Fault).OfType<string>())
            Add("I7", "service", fault);
        foreach (var complaint in world.Client.Complaints) Add("I1", "client", complaint);
        foreach (var complaint in world.Gateway.Complaints) Add("I2", "gateway", complaint);
    }

    Task<VerificationReport> VerifyAsync()
    {
        var databases = arena.Databases.ToDictionary(
            pair => pair.Key, pair => (IDatabase)new Still(arena, pair.Key, world.Gateway.Charges));
        return new Verifier(databases, world.Client.Time).RunAsync(CancellationToken.None);
    }

    // I1: who got a 2xx has exactly one order, the one that was named; nobody has two.
    void JudgePromises()
    {
        var orders = Read(
            ServiceNames.Order, Orders, row => (Id: row.Uuid(0), Status: row.Text(1), Number: int.Parse(row.Text(2), null)));
        foreach (var (_, status, _) in orders) ends[status] = ends.GetValueOrDefault(status) + 1;
        foreach (var saga in OpenSagas().Where(saga => saga.State == "failed"))
            ends["incident"] = ends.GetValueOrDefault("incident") + 1;
        foreach (var ticket in world.Client.Tickets.Values)
        {
            var its = orders.Where(order => order.Number == ticket.Place.Number).ToList();
            if (its.Count > 1)
                Add(
                    "I1", its[1].Id,
                    $"is the second order for one request (order {ticket.Place.Number}), sent {ticket.Sent} times");
            if (ticket.OrderId is not { } id) continue;
            if (its.All(order => order.Id != id))
                Add("I1", id, "was answered with 2xx, but is not there");
            else if (ticket.IsCancelled && its.First(order => order.Id == id).Status is "confirmed" or "completed")
                Add("I5", id, "was cancelled with 2xx, and went through");
        }
    }

    List<OpenSaga> OpenSagas() => Read(
        ServiceNames.Coordinator, Open,
        row => new OpenSaga(row.Uuid(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4)));

    List<T> Read<T>(string service, SqlQuery query, Func<IRow, T> map) => arena.Read(service, query, map);

    void Add(string invariant, Guid order, string what) => Add(invariant, order.ToString(), what);

    void Add(string invariant, string subject, string what) => findings.Add(new Finding(invariant, subject, what));

    sealed record OpenSaga(Guid OrderId, string State, string? WaitingFor, string? Step, string? Code);

    // An open incident; or the customer is to act, and the gateway says so too.
    bool IsParked(OpenSaga saga, TimeSpan grace) =>
        saga.State == "failed"
        || (saga is { State: "waiting", WaitingFor: not null } && world.Gateway.AwaitsCustomer(saga.OrderId, grace));

    /// <summary>
    /// A database in which nothing moves any more: what is read side by side need not be one snapshot. The gateway's
    /// charges come from the gateway's own record.
    /// </summary>
    sealed class Still(Arena arena, string service, IEnumerable<Charge> charges) : IDatabase, IQueries
    {
        public string Engine => arena.Databases[service].Engine;

        public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
            throw new NotSupportedException();

        public Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) =>
            throw new NotSupportedException();

        public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => read(this);

        public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            query.Name == "charges"
                ? Task.FromResult(charges.Select(charge => charge.Row())
                    .OrderBy(row => row.OrderId.ToString("N"), StringComparer.Ordinal)
                    .Select(row => map(new ChargeAsRow(row))).ToList())
                : arena.ReadAsync(service, query, args, map);

        public async IAsyncEnumerable<T> StreamAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default)
        {
            foreach (var row in await QueryAsync(query, args, map, cancel)) yield return row;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    sealed class ChargeAsRow(ChargeRow charge) : IRow
    {
        public int Ordinal(string column) => throw new NotSupportedException();

        public Guid Uuid(int column) => charge.OrderId;

        public string Text(int column) => column == 1 ? charge.Reference : charge.Currency;

        public long BigInt(int column) => column switch
        {
            3 => charge.Authorized, 4 => charge.Captured, _ => charge.Refunded,
        };

        public bool Bool(int column) => charge.Voided;

        public string? TextOrNull(int column) => Text(column);

        public int Int(int column) => checked((int)BigInt(column));

        public long? BigIntOrNull(int column) => BigInt(column);

        public DateTimeOffset Time(int column) => throw new NotSupportedException();

        public DateTimeOffset? TimeOrNull(int column) => throw new NotSupportedException();

        public byte[] Bytes(int column) => throw new NotSupportedException();

        public byte[]? BytesOrNull(int column) => throw new NotSupportedException();

        public Guid? UuidOrNull(int column) => Uuid(column);
    }
}
