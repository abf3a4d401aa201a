using BenchmarkDotNet.Attributes;
using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Micro;

/// <summary>The decisions of stock-service on 500 orders and the resulting changes; figures are per order.</summary>
[MemoryDiagnoser]
public class StockDecision
{
    readonly List<StockItem> stock =
        [.. Orders.Skus.Select(sku => new StockItem(new StockLevel(sku, 1_000_000, 0, 5_000, 1), 250, "EUR"))];
    readonly ReserveStock[] requests =
        [.. Enumerable.Range(0, Orders.Batch).Select(order => new ReserveStock(
            "EUR", Orders.Lines(order), false))];
    readonly Guid[] ids = [.. Enumerable.Range(0, Orders.Batch).Select(Orders.Id)];
    readonly CommitStock commit = new();
    List<Reservation> held = [];

    [GlobalSetup]
    public void Hold()
    {
        var batch = new StockBatch([], stock, Orders.Now);
        for (var i = 0; i < ids.Length; i++) batch.Decide(ids[i], requests[i]);
        held = batch.Created;
        if (held.Count(row => row.State == ReservationStates.Held) != Orders.Batch)
            throw new InvalidOperationException("Not every order was held: this would measure something else.");
    }

    [Benchmark(OperationsPerInvoke = Orders.Batch)]
    public int Reserve()
    {
        var batch = new StockBatch([], stock, Orders.Now);
        for (var i = 0; i < ids.Length; i++) batch.Decide(ids[i], requests[i]);
        return batch.Created.Count + batch.Levels.Count + batch.HoldsNew.Count;
    }

    [Benchmark(OperationsPerInvoke = Orders.Batch)]
    public int Commit()
    {
        var batch = new StockBatch(held, stock, Orders.Now);
        foreach (var id in ids) batch.Decide(id, commit);
        return batch.Changed.Count + batch.Levels.Count + batch.HoldsGone.Count + batch.Movements.Count;
    }
}
