using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;
using Orderwright.StockService;

namespace Orderwright.Conformance.Stock;

/// <summary>Clock that only a test advances.</summary>
sealed class ManualClock : TimeProvider
{
    long ticks = new DateTimeOffset(2026, 1, 31, 9, 30, 0, TimeSpan.Zero).Ticks;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}

/// <summary>
/// Instance of stock-service without a host: the real handlers, rules and SQL on a real database, driven by the test.
/// </summary>
sealed class StockOnEngine : IAsyncDisposable
{
    readonly Func<IDatabase> open;
    readonly IDatabase database;
    readonly InProcessTransport transport;
    readonly BatchRunner runner;
    readonly MoveGoods moveGoods;
    readonly AskAboutHolds askAboutHolds;
    readonly ChangeCatalogue changeCatalogue;
    readonly CancellationTokenSource stopping = new();
    readonly Task loops;
    readonly Metrics metrics = new(ServiceNames.Stock);

    StockOnEngine(Func<IDatabase> open, ManualClock clock)
    {
        this.open = open;
        Clock = clock;
        database = open();
        var options = new RuntimeOptions();
        transport = new InProcessTransport(options, clock);
        var sql = new SqlCatalog(typeof(StockModule).Assembly, database.Engine);
        var ids = new IdSource();
        runner = new BatchRunner(
            ServiceNames.Stock, database, transport, options, clock, ids, metrics, NullLogger<BatchRunner>.Instance);
        var context = new ServiceContext(
            ServiceNames.Stock, database, sql, new SqlCatalog(typeof(IDatabase).Assembly, database.Engine), runner,
            options, new ConfigurationBuilder().Build(), clock, ids, NullLoggerFactory.Instance);
        var store = new StockStore(sql);
        moveGoods = new MoveGoods(store);
        askAboutHolds = new AskAboutHolds(store);
        changeCatalogue = new ChangeCatalogue(context, new CatalogueStore(sql), store);
        loops = Task.WhenAll(changeCatalogue.Loops.Select(loop => loop.RunAsync(stopping.Token)));
    }

    public ManualClock Clock { get; }

    public static async Task<StockOnEngine> StartAsync(StorageEngine engine)
    {
        await EmptyAsync(engine);
        return new(() => engine.OpenAnother(), new ManualClock());
    }

    /// <summary>
    /// Migrates and empties the database of the test class, whose tests run one at a time.
    /// </summary>
    public static async Task EmptyAsync(StorageEngine engine)
    {
        var sql = new SqlCatalog(typeof(StockModule).Assembly, engine.Name);
        await engine.Database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. sql.Migrations], default);
        await engine.Database.WriteAsync(
            async transaction =>
            {
                string[] tables = ["products", "levels", "reservations", "holds", "movements", "shipments", "idempotency"];
                foreach (var table in tables)
                    await transaction.ExecuteAsync(new SqlQuery($"empty_{table}", $"DELETE FROM {table}"), SqlArgs.None);
                return true;
            },
            default);
    }

    /// <summary>Starts another instance on the same database and clock.</summary>
    public StockOnEngine Another() => new(open, Clock);

    public Guid NewOrder() => Guid.CreateVersion7(Clock.GetUtcNow());

    public static ReserveStock Want(string sku, int quantity) => new("GBP", [new(1, sku, quantity, null)], false);

    /// <summary>
    /// Handles a batch; returns the replies in the order of the commands.
    /// </summary>
    public async Task<List<StepAnswered>> HandleAsync(params (Guid OrderId, IMessageBody Command)[] commands)
    {
        var batch = commands.Select(command => new Message
        {
            Id = Guid.CreateVersion7(),
            Source = ServiceNames.Coordinator,
            OrderId = command.OrderId,
            Time = Clock.GetUtcNow(),
            Body = command.Command,
            Step = command.Command is CommitStock ? StepNames.CommitStock : StepNames.ReserveStock,
        }).ToArray();
        await using var inbox = await transport.OpenInboxAsync(ServiceNames.Coordinator, default);
        await runner.RunAsync(
            batch, moveGoods.HandleAsync,
            (message, error) => throw new InvalidOperationException($"{message} is poison.", error), default);
        var answers = new List<Message>();
        while (answers.Count < batch.Length)
        {
            var deliveries = await inbox.ReceiveAsync(batch.Length, default);
            answers.AddRange(deliveries.SelectMany(delivery => delivery.Messages));
            await inbox.AcknowledgeAsync(deliveries, default);
        }
        // Replies that may wait arrive after the others.
        Assert.Equal(batch.Length, answers.Count);
        return
        [
            .. batch.Select(command =>
            {
                var answer = answers.First(reply =>
                    (reply.OrderId, reply.Step) == (command.OrderId, command.Step)
                    && ((StepAnswered)reply.Body).Undo == (command.Body is ReleaseStock));
                answers.Remove(answer);
                return (StepAnswered)answer.Body;
            }),
        ];
    }

    /// <summary>Handles a batch of shipments; returns the fulfilments confirmed, in order.</summary>
    public async Task<List<int>> ShipAsync(params (Guid OrderId, IMessageBody Command)[] commands)
    {
        await using var inbox = await transport.OpenInboxAsync(ServiceNames.Order, default);
        await runner.RunAsync(
            [
                .. commands.Select(command => new Message
                {
                    Id = Guid.CreateVersion7(), Source = ServiceNames.Order, OrderId = command.OrderId,
                    Time = Clock.GetUtcNow(), Body = command.Command,
                }),
            ],
            moveGoods.HandleAsync,
            (message, error) => throw new InvalidOperationException($"{message} is poison.", error), default);
        var answers = new List<int>();
        while (answers.Count < commands.Length)
        {
            var deliveries = await inbox.ReceiveAsync(commands.Length, default);
            answers.AddRange(deliveries.SelectMany(delivery => delivery.Messages)
                .Select(message => ((GoodsShipped)message.Body).Fulfilment));
            await inbox.AcknowledgeAsync(deliveries, default);
        }
        return answers;
    }

    public async Task<StepAnswered> HandleAsync(Guid orderId, IMessageBody command) =>
        Assert.Single(await HandleAsync((orderId, command)));

    /// <summary>Runs the job once; returns the orders that the coordinator is asked about.</summary>
    public async Task<List<Guid>> AskAsync(int most = 1_000)
    {
        await using var inbox = await transport.OpenInboxAsync(ServiceNames.Coordinator, default);
        var expected = await runner.RunOnceAsync(work => askAboutHolds.RunAsync(work, most), default);
        var asked = new List<Guid>();
        while (asked.Count < expected)
        {
            var deliveries = await inbox.ReceiveAsync(expected, default);
            asked.AddRange(deliveries.SelectMany(delivery => delivery.Messages)
                .Where(message => message.Body is AskSaga).Select(message => message.OrderId));
            await inbox.AcknowledgeAsync(deliveries, default);
        }
        return asked;
    }

    public Task<Answer> ChangeAsync(CatalogueChange change) =>
        changeCatalogue.SubmitAsync(new Command<CatalogueChange>(change, Caller.Local, null, []));

    public async Task SupplyAsync(string sku, long onHand)
    {
        await ChangeAsync(new CatalogueChange.Put(sku, $"The {sku}", 255, "GBP", null));
        Assert.Equal(200, (await ChangeAsync(new CatalogueChange.Count(sku, onHand, null))).Status);
    }

    public async Task<StockLevel> LevelAsync(string sku) => Assert.Single(await database.QueryAsync(
        new SqlQuery("test_level", "SELECT sku, on_hand, allocated, reserved, version FROM levels WHERE sku = @sku"),
        SqlArgs.With("sku", sku), StockStore.ReadLevel));

    public async Task<Dictionary<Guid, Reservation>> ReservationsAsync() => (await database.QueryAsync(
        new SqlQuery(
            "test_reservations",
            "SELECT order_id, state, code, message, currency, lines, created_at, updated_at " +
            "FROM reservations"),
        SqlArgs.None, StockStore.ReadReservation)).ToDictionary(row => row.OrderId);

    public Task<List<StockMovement>> MovementsAsync() => database.QueryAsync(
        new SqlQuery(
            "test_movements",
            "SELECT seq, sku, order_id, kind, on_hand_delta, allocated_delta, at, note, actor FROM movements"),
        SqlArgs.None, StockStore.ReadMovement);

    /// <summary>
    /// Asserts invariant I4 on the tables: levels are within bounds and equal the sums of the ledger; held and committed
    /// reservations sum to the reserved and allocated quantities; the table of holds matches the held reservations.
    /// </summary>
    public async Task AssertConsistentAsync()
    {
        var levels = await database.QueryAsync(
            new SqlQuery("test_levels", "SELECT sku, on_hand, allocated, reserved, version FROM levels"),
            SqlArgs.None, StockStore.ReadLevel);
        var ledger = (await database.QueryAsync(
            new SqlQuery(
                "test_ledger",
                "SELECT sku, CAST(SUM(on_hand_delta) AS bigint) AS on_hand, CAST(SUM(allocated_delta) AS bigint) AS allocated " +
                "FROM movements GROUP BY sku"),
            SqlArgs.None, row => (Sku: row.Text("sku"), OnHand: row.BigInt("on_hand"), Allocated: row.BigInt("allocated"))))
            .ToDictionary(row => row.Sku);
        var holds = await database.QueryAsync(
            new SqlQuery("test_holds", "SELECT order_id FROM holds"), SqlArgs.None, row => row.Uuid("order_id"));
        var reservations = (await ReservationsAsync()).Values;

        Assert.Equal(
            reservations.Where(row => row.State == ReservationStates.Held).Select(row => row.OrderId).Order(),
            holds.Order());
        foreach (var level in levels)
        {
            Assert.True(level is { Reserved: >= 0, Allocated: >= 0, Available: >= 0 }, level.ToString());
            Assert.Equal(Goods(ReservationStates.Held), level.Reserved);
            Assert.Equal(Goods(ReservationStates.Committed), level.Allocated);
            var (_, onHand, allocated) = ledger.GetValueOrDefault(level.Sku);
            Assert.Equal((level.OnHand, level.Allocated), (onHand, allocated));

            long Goods(string state) => reservations.Where(row => row.State == state).SelectMany(row => row.Goods())
                .Where(goods => goods.Sku == level.Sku).Sum(goods => goods.Quantity);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loops);
        await transport.DisposeAsync();
        await database.DisposeAsync();
        metrics.Dispose();
        stopping.Dispose();
    }
}
