using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>Outcomes of a line of the file. Every line has exactly one.</summary>
public enum LineClass
{
    /// <summary>Part of a confirmed order.</summary>
    Ordered,

    /// <summary>Part of an order or adjustment refused by the server.</summary>
    Refused,

    /// <summary>Part of a cancelled order, or of its credit note.</summary>
    Cancelled,

    /// <summary>Changed the stock without an order.</summary>
    Adjusted,
    LeftOut,
    Bad,

    /// <summary>Valid, and not sent to the server because of <c>--dry-run</c>.</summary>
    Checked,
}

/// <summary>Outcome of a line, with a reason.</summary>
/// <param name="Class">The kind of outcome.</param>
/// <param name="Why">A stable code in snake_case.</param>
public readonly record struct LineFate(LineClass Class, string Why);

/// <summary>
/// A change through the public API for one or more lines of the file. An operation waits for the operations in
/// <paramref name="After"/>, and for earlier users of a scarce resource: see <see cref="Schedule"/>.
/// </summary>
/// <param name="Lines">Number of lines of the file, at least 1.</param>
/// <param name="After">Places in the plan of the operations to wait for.</param>
public abstract record Operation(int Lines, IReadOnlyList<int> After)
{
    /// <summary>
    /// Keys of resources that may be exhausted at this point, such as <c>sku:…</c> and <c>customer:…</c>. The operation runs
    /// after all earlier users of the resource and before all later ones.
    /// </summary>
    public IReadOnlyList<string> Alone { get; init; } = [];

    /// <summary>Keys of resources that suffice up to this point, so that operations may run in any order.</summary>
    public IReadOnlyList<string> Beside { get; init; } = [];
}

/// <summary>Places an order under the file's order number.</summary>
public sealed record PlaceOrder(
    string Reference, string CustomerId, string Currency, IReadOnlyList<OrderLine> OrderLines,
    IReadOnlyList<(string Type, string Label, long Amount)> Adjustments, PaymentMethod Payment, string Date, string Country,
    int Lines) : Operation(Lines, [])
{
    /// <summary>Line in the file of each order line.</summary>
    public IReadOnlyList<int> Numbers { get; init; } = [];

    /// <summary>Lines of the order in the file, counted before any is left out, for <c>verify</c> to compare.</summary>
    public int FileLines { get; init; } = OrderLines.Count;

    /// <summary>The total; a line without a price counts as 0.</summary>
    public long TotalMinor => Money.Total(
        OrderLines.Select(line => line with { UnitPrice = line.UnitPrice ?? 0 }), Adjustments.Sum(each => each.Amount)) ?? 0;
}

/// <summary>Cancels an order that this import placed.</summary>
public sealed record CancelOrder(string Note, int Sale, int Lines) : Operation(Lines, [Sale]);

/// <summary>Adjusts a stock level without an order. A return depends on the sales of the returned goods.</summary>
/// <param name="Note">Names the line, and identifies the adjustment to later runs.</param>
public sealed record AdjustStock(string Note, string Sku, long Delta, string Reason, IReadOnlyList<int> Sales)
    : Operation(1, Sales);

/// <summary>A product derived from the file.</summary>
/// <param name="Opening">Opening stock in units.</param>
public sealed record OpeningProduct(string Sku, string Name, long UnitPriceMinor, string Currency, long Opening);

/// <summary>A customer derived from the file.</summary>
/// <param name="Credits">Opening store credit per currency.</param>
public sealed record OpeningCustomer(string Id, string Name, IReadOnlyList<(string Currency, long Amount)> Credits);

/// <summary>Plan of an import: data to create, then operations in the order of the file.</summary>
public sealed record ImportPlan(
    string Id, IReadOnlyList<OpeningProduct> Products, IReadOnlyList<OpeningCustomer> Customers,
    IReadOnlyList<Operation> Operations, IReadOnlyDictionary<LineFate, int> Decided, IReadOnlyList<BadLine> Bad,
    IReadOnlyList<LeftOutOrder> LeftOut, int TotalLines)
{
    /// <summary>Lines without an outcome or operation; 0 unless the plan is wrong.</summary>
    public int LinesUnaccountedFor => TotalLines - Bad.Count - Decided.Values.Sum() - Operations.Sum(each => each.Lines);
}

/// <summary>Derivation of opening stock and credits, with deliberate shortages.</summary>
/// <param name="Derive">False if products, stock and credits exist on the server already.</param>
/// <param name="ScarceSkuEvery">One SKU in N opens with too little stock; 0 for none.</param>
/// <param name="ScarceSkuPercent">Opening stock of a scarce SKU, in percent of the units sold.</param>
/// <param name="ShortCustomerEvery">One customer in N gets too little credit; 0 for none.</param>
/// <param name="ShortCustomerPercent">Credit of such a customer, in percent of the amount spent.</param>
public sealed record Openings(
    bool Derive, int ScarceSkuEvery = 12, int ScarceSkuPercent = 95, int ShortCustomerEvery = 20, int ShortCustomerPercent = 90);
