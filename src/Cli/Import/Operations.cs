using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>What becomes of a line of the file. Every line ends as exactly one of these.</summary>
public enum LineClass
{
    /// <summary>In an order that was confirmed.</summary>
    Ordered,

    /// <summary>In an order, or an adjustment, to which the server said no.</summary>
    Refused,

    /// <summary>In an order that was cancelled, or the note that cancelled it.</summary>
    Cancelled,

    /// <summary>Changed the stock beside any order.</summary>
    Adjusted,
    LeftOut,
    Bad,
}

/// <param name="Class">In which way.</param>
/// <param name="Why">Stable snake_case.</param>
public readonly record struct LineFate(LineClass Class, string Why);

/// <summary>
/// Something to be done through the public API, for one or more lines of the file. It waits for those operations that
/// it names, and wherever something may run short for the earlier ones that touch the same: see <see cref="Schedule"/>.
/// </summary>
/// <param name="Lines">How many lines of the file it stands for, 1 or more.</param>
/// <param name="After">Operations on whose outcome it depends, by their place in the plan.</param>
public abstract record Operation(int Lines, IReadOnlyList<int> After)
{
    /// <summary>
    /// What it touches that may have run short by then, so that it must come after every earlier one that touches it and
    /// before every later one: <c>sku:…</c>, <c>customer:…</c>.
    /// </summary>
    public IReadOnlyList<string> Alone { get; init; } = [];

    /// <summary>What it touches while there is enough for all up to here, in whatever order; later it runs short.</summary>
    public IReadOnlyList<string> Beside { get; init; } = [];
}

/// <summary>Places an order; its reference is the file's number of it.</summary>
public sealed record PlaceOrder(
    string Reference, string CustomerId, string Currency, IReadOnlyList<OrderLine> OrderLines,
    IReadOnlyList<(string Type, string Label, long Amount)> Adjustments, PaymentMethod Payment, string Date, string Country,
    int Lines) : Operation(Lines, [])
{
    /// <summary>0 where a line has no price of its own.</summary>
    public long TotalMinor => Money.Total(
        OrderLines.Select(line => line with { UnitPrice = line.UnitPrice ?? 0 }), Adjustments.Sum(each => each.Amount)) ?? 0;
}

/// <summary>Cancels an order that this import placed.</summary>
public sealed record CancelOrder(string Note, int Sale, int Lines) : Operation(Lines, [Sale]);

/// <summary>Changes a level beside any order; leans on the sales whose goods come back, if any.</summary>
/// <param name="Note">Names the line; also finds out whether an earlier run has done it.</param>
public sealed record AdjustStock(string Note, string Sku, long Delta, string Reason, IReadOnlyList<int> Sales)
    : Operation(1, Sales);

/// <summary>A product as the file knows it.</summary>
/// <param name="Opening">Units to begin with; 0 for none.</param>
public sealed record OpeningProduct(string Sku, string Name, long UnitPriceMinor, string Currency, long Opening);

/// <summary>A customer as the file knows it.</summary>
/// <param name="Credits">Store credit to begin with, per currency; empty for none.</param>
public sealed record OpeningCustomer(string Id, string Name, IReadOnlyList<(string Currency, long Amount)> Credits);

/// <summary>All that an import does: what it prepares, then the operations in the order of the file.</summary>
public sealed record ImportPlan(
    string Id, IReadOnlyList<OpeningProduct> Products, IReadOnlyList<OpeningCustomer> Customers,
    IReadOnlyList<Operation> Operations, IReadOnlyDictionary<LineFate, int> Decided, IReadOnlyList<BadLine> Bad, int TotalLines)
{
    /// <summary>0: every line is in exactly one place.</summary>
    public int LinesUnaccountedFor => TotalLines - Bad.Count - Decided.Values.Sum() - Operations.Sum(each => each.Lines);
}

/// <summary>How much less than is sold there is, for whom.</summary>
/// <param name="Derive">False: neither products nor stock nor credits are made; the server has them.</param>
/// <param name="ScarceSkuEvery">One SKU in so many opens short; 0: none.</param>
/// <param name="ScarceSkuPercent">How much of what is sold there is of these.</param>
/// <param name="ShortCustomerEvery">One customer in so many is given less than they spend; 0: none.</param>
/// <param name="ShortCustomerPercent">How much of it.</param>
public sealed record Openings(
    bool Derive, int ScarceSkuEvery = 12, int ScarceSkuPercent = 95, int ShortCustomerEvery = 20, int ShortCustomerPercent = 90);
