using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.StockService;

namespace Orderwright.Simulation;

/// <summary>An action or fault of a run. Items keep their number when others are removed.</summary>
/// <param name="Number">1 or more.</param>
/// <param name="At">Delay after the start.</param>
/// <param name="What">An <see cref="Operation"/> or a <see cref="Fault"/>.</param>
public sealed record PlanItem(int Number, TimeSpan At, object What)
{
    /// <summary>Time after the start when the item is over.</summary>
    public TimeSpan End => What is Fault fault ? At + fault.For : At;
}

/// <summary>
/// Everything that a seed decides before a run begins: the layout of the world, the actions, and the faults. A plan without
/// some of its items is still a plan, which is how a failing run is shortened.
/// </summary>
public sealed partial class Plan
{
    static readonly TimeSpan DeadlineOfAStep = TimeSpan.FromMinutes(10.5);

    // Time after which stock-service asks about the hold of an undecided order.
    static readonly TimeSpan HoldIsOld = AskAboutHolds.After;

    static readonly TimeSpan AWhile = TimeSpan.FromMinutes(2);

    readonly Chance chance;
    readonly List<PlanItem> items = [];
    readonly TimeSpan span;
    int orders;

    Plan(long seed, bool restores)
    {
        Seed = seed;
        chance = new Chance(seed, "plan");
        span = chance.Next(40) switch
        {
            < 22 => TimeSpan.FromSeconds(chance.Between(5, 40)),
            < 34 => TimeSpan.FromSeconds(chance.Between(40, 180)),
            < 39 => TimeSpan.FromMinutes(chance.Between(12, 35)),
            _ => TimeSpan.FromMinutes(chance.Between(65, 130)),
        };
        LongestDelay = TimeSpan.FromSeconds(chance.Between(1, (int)Math.Min(600, span.TotalSeconds)));
        Instances = ServiceNames.All.ToDictionary(
            name => name, name => chance.Hit(name == ServiceNames.Coordinator ? 0.5 : 0.2) ? 2 : 1);
        MaxMessages = chance.Hit(0.2) ? chance.Between(1, 4) : 1_024;
        ByWire = chance.Hit(0.15);
        Webhooks = chance.Hit(0.75);
        WebhooksLate = chance.Of(0, 0.3, 1);
        OnHand = chance.Between(2, 12);
        Credit = chance.Between(1_000, 20_000);
        DrawOperations();
        TakesOnFulfilment = DrawShipments(new Chance(seed, "shipments"));
        DrawFaults();
        DrawMore(new Chance(seed, "more"));
        DrawTakeovers(new Chance(seed, "inboxes"));
        if (restores) DrawRestore(new Chance(seed, "restores"));
        items.Sort((one, other) => one.At.CompareTo(other.At));
        Items = [.. items.Select((item, index) => item with { Number = index + 1 })];
    }

    // Only the given items: one instance of each service, no webhooks, ample stock and credit.
    Plan(IReadOnlyList<PlanItem> items)
    {
        (chance, Items) = (new Chance(0, "plan"), items);
        Instances = ServiceNames.All.ToDictionary(name => name, _ => 1);
        (MaxMessages, OnHand, Credit, LongestDelay) = (1_024, 100, 100_000, TimeSpan.FromSeconds(1));
    }

    Plan(Plan whole, IReadOnlyList<PlanItem> items)
    {
        (chance, Seed, span, LongestDelay, Instances) =
            (whole.chance, whole.Seed, whole.span, whole.LongestDelay, whole.Instances);
        (MaxMessages, ByWire, Webhooks, WebhooksLate, OnHand, Credit, TakesOnFulfilment) =
            (whole.MaxMessages, whole.ByWire, whole.Webhooks, whole.WebhooksLate, whole.OnHand, whole.Credit,
                whole.TakesOnFulfilment);
        (DatabaseHasClock, RefundsInParts, SharesQueues) =
            (whole.DatabaseHasClock, whole.RefundsInParts, whole.SharesQueues);
        Items = items;
    }

    public long Seed { get; }

    public IReadOnlyList<PlanItem> Items { get; }

    /// <summary>Instances of each service.</summary>
    public IReadOnlyDictionary<string, int> Instances { get; }

    public int MaxMessages { get; }

    public bool ByWire { get; }

    /// <summary>True when the gateway sends webhooks. Without them only look-ups recover a lost result.</summary>
    public bool Webhooks { get; }

    public double WebhooksLate { get; }

    public TimeSpan LongestDelay { get; }

    /// <summary>Initial units of each product.</summary>
    public int OnHand { get; }

    /// <summary>Initial credit of each customer, in minor units.</summary>
    public int Credit { get; }

    /// <summary>True when payments are captured on fulfilment.</summary>
    public bool TakesOnFulfilment { get; init; }

    /// <summary>True when the databases have a clock, which is right. SQLite has none.</summary>
    public bool DatabaseHasClock { get; private set; }

    /// <summary>True when the gateway refunds a part of a charge.</summary>
    public bool RefundsInParts { get; private set; }

    /// <summary>True when the instances share the queues, as those of release 0.1.0.</summary>
    public bool SharesQueues { get; private set; }

    /// <summary>Largest forward error among the host clocks.</summary>
    public TimeSpan FurthestAhead => Items.Select(item => (item.What as ClockSkewed)?.By ?? TimeSpan.Zero)
        .Append(TimeSpan.Zero).Max();

    /// <summary>Time after the start when the last fault is over and the last action has begun.</summary>
    public TimeSpan End => Items.Count == 0 ? TimeSpan.Zero : Items.Max(item => item.End);

    /// <param name="seed">Any number.</param>
    /// <param name="restores">True to restore a database in every plan.</param>
    public static Plan Of(long seed, bool restores = false) => new(seed, restores);

    /// <summary>A hand-written scenario: each item at its second.</summary>
    public static Plan Of(params IReadOnlyList<(double AtSeconds, object What)> items) => new(
        [.. items.Select((item, index) => new PlanItem(index + 1, TimeSpan.FromSeconds(item.AtSeconds), item.What))]);

    /// <summary>The same plan without the given items.</summary>
    public Plan Without(IReadOnlySet<int> numbers) =>
        new(this, [.. Items.Where(item => !numbers.Contains(item.Number))]);

    void DrawOperations()
    {
        var count = chance.Between(1, 5);
        for (var i = 0; i < count; i++)
        {
            // In a long run half of the orders come early, so that their whole life is seen.
            var placed = span > DeadlineOfAStep && chance.Hit(0.5) ? chance.Between(TimeSpan.Zero, AWhile) : When(0.6);
            var number = ++orders;
            Add(placed, DrawOrder(number));
            if (chance.Hit(0.35)) Add(Later(placed), new Cancel(number));
            if (chance.Hit(0.1)) Add(Later(placed), new Complete(number));
            if (chance.Hit(0.1))
                Add(Later(placed), new Operate(
                    number, chance.Of(OperatorVerb.Retry, OperatorVerb.Cancel, OperatorVerb.Compensate)));
        }
        if (chance.Hit(0.2)) Add(When(1), new Adjust(Sku(), chance.Between(-3, 6)));
        if (chance.Hit(0.2)) Add(When(1), new TopUp(Customer(), chance.Between(1, 3_000)));
    }

    // A separate stream, so that every other draw of a seed is as before.
    bool DrawShipments(Chance shipping)
    {
        var onFulfilment = shipping.Hit(0.5);
        foreach (var (at, place) in items.Select(item => (item.At, item.What as Place)).ToList())
        {
            if (place is null || !shipping.Hit(onFulfilment ? 0.7 : 0.3)) continue;
            for (var parts = shipping.Between(1, 3); parts > 0; parts--)
                Add(
                    at + shipping.Between(TimeSpan.Zero, span),
                    new Ship(place.Number, shipping.Hit(0.6) ? shipping.Between(1, 2) : null));
        }
        return onFulfilment;
    }

    Place DrawOrder(int number)
    {
        var lines = new List<(string, int)> { (Sku(), chance.Between(1, 3)) };
        if (chance.Hit(0.3)) lines.Add((Sku(), chance.Between(1, 2)));
        var hasKey = chance.Hit(0.7);
        return new Place(
            number, Customer(), lines, DrawToken(), hasKey, hasKey && chance.Hit(0.3) ? 2 : 1,
            chance.Hit(0.15) ? chance.Between(1, 10) : 0);
    }

    string? DrawToken() => chance.Next(20) switch
    {
        < 5 => null,
        < 14 => CardTokens.Good,
        < 15 => CardTokens.Declined,
        < 16 => CardTokens.RefundFails,
        < 18 => $"{CardTokens.Approved}{chance.Between(1, (int)span.TotalSeconds)}",
        < 19 => $"{CardTokens.Refused}{chance.Between(1, (int)span.TotalSeconds)}",
        _ => CardTokens.LeftAlone,
    };

    void DrawFaults()
    {
        if (chance.Hit(0.05)) return;
        if (span > DeadlineOfAStep && chance.Hit(0.8)) DrawBlockade();
        if (span > HoldIsOld && chance.Hit(0.5)) DrawLateCommit();
        if (chance.Hit(0.15))
            Add(When(0.8), new ClockSkewed(Service(), chance.Between(1, 2), DrawSkew()) { For = Lasting() });
        var count = chance.Between(1, 6);
        for (var i = 0; i < count; i++)
        {
            var at = When(0.8);
            Add(at, DrawFault() with { For = Lasting() });
        }
    }

    // Cuts a participant off for longer than any step waits for a reply. Commands sent in a short gap before the deadline
    // arrive minutes late, when the saga has moved on.
    void DrawBlockade()
    {
        var begins = When(0.02);
        var cutOff = chance.Of(ServiceNames.Stock, ServiceNames.Customer);
        var (from, to) = chance.Hit(0.67) ? (null, cutOff) : (cutOff, (string?)null);
        Add(begins, new LinkFault(from, to, Loss: 1, Twice: 0, Late: 0, LongestDelay)
        {
            For = DeadlineOfAStep + chance.Between(TimeSpan.Zero, TimeSpan.FromMinutes(5)),
        });
        Add(
            begins + chance.Between(DeadlineOfAStep - 2 * AWhile, DeadlineOfAStep),
            new LinkFault(from, to, Loss: 0, Twice: 0, Late: 1, LongestDelay)
            {
                For = chance.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40)),
            });
    }

    // A slow customer, and a stock-service unreachable from the moment it holds the goods: the commit arrives just as
    // stock-service asks about the hold.
    void DrawLateCommit()
    {
        var placed = When(0.02);
        var approval = chance.Between(TimeSpan.FromMinutes(6), DeadlineOfAStep - TimeSpan.FromMinutes(1));
        Add(placed, new Place(
            ++orders, Customer(), [(Sku(), 1)], $"{CardTokens.Approved}{(int)approval.TotalSeconds}", HasKey: true, Copies: 1,
            WaitSeconds: 0));
        var cutOff = placed + chance.Between(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1));
        var ends = placed + HoldIsOld + chance.Between(TimeSpan.FromSeconds(-10), TimeSpan.FromSeconds(20));
        Add(cutOff, new LinkFault(ServiceNames.Coordinator, ServiceNames.Stock, Loss: 1, Twice: 0, Late: 0, LongestDelay)
        {
            For = ends - cutOff,
        });
    }

    TimeSpan DrawSkew() => chance.Of(
        TimeSpan.FromHours(2), TimeSpan.FromDays(-1), TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(30),
        TimeSpan.FromSeconds(-30));

    Fault DrawFault() => chance.Next(20) switch
    {
        < 3 => new LinkFault(
            null, null, chance.Of(0, 0.1, 0.3), chance.Of(0, 0.3), chance.Of(0.1, 0.5), LongestDelay),
        < 5 => new LinkFault(
            ServiceOrNull(), Service(), chance.Of(0.5, 1), chance.Of(0, 0.5), chance.Of(0, 0.5), LongestDelay),
        < 6 => new BrokerWiped(),
        < 11 => new CrashAt(
            Service(), chance.Of(
                FaultPoint.BeforeCommit, FaultPoint.AfterCommit, FaultPoint.BeforePublish, FaultPoint.BeforeAck,
                FaultPoint.BeforeGatewayCall, FaultPoint.AfterGatewayCall),
            chance.Between(1, 6), Down()),
        < 12 => new Killed(Service(), chance.Between(1, 2), Down()),
        < 13 => new Stopped(Service(), chance.Between(1, 2)),
        < 15 => new DatabaseFault(Service(), chance.Of(0, 0.3, 1), chance.Of(0, 0.2), chance.Of(0, 0.2)),
        < 16 => new PublishFault(Service(), chance.Of(0.3, 1)),
        < 17 => new ClientFault(chance.Of(0, 0.3), chance.Of(0.2, 0.5)),
        < 19 => new GatewayFault(
            chance.Of(0, 0.3, 1), chance.Of(0, 0.2), chance.Of(0, 0.3), chance.Of(0, 0.3, 0.6), chance.Of(0, 0.3)),
        _ => new Garbage(Service()),
    };

    void Add(TimeSpan at, object what) => items.Add(new PlanItem(0, at, what));

    TimeSpan When(double part) => chance.Between(TimeSpan.Zero, span * part);

    TimeSpan Later(TimeSpan than) => than + (chance.Hit(0.5)
        ? chance.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2))
        : chance.Between(TimeSpan.Zero, span));

    TimeSpan Lasting() => chance.Between(TimeSpan.FromMilliseconds(100), span);

    TimeSpan Down() => chance.Hit(0.7)
        ? chance.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5))
        : chance.Between(TimeSpan.FromSeconds(5), span);

    string Service() => ServiceNames.All[chance.Next(ServiceNames.All.Count)];

    string? ServiceOrNull() => chance.Hit(0.5) ? Service() : null;

    string Sku() => Shop.Products[chance.Next(Shop.Products.Count)].Sku;

    string Customer() => Shop.Customers[chance.Next(Shop.Customers.Count)];
}
