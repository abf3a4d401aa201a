using System.Text;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Collects operations, derives products, opening stock and credits, and marks the operations that compete for a scarce resource.
/// Resources without a deliberate shortage open with the sum of all orders and losses.
/// </summary>
sealed class PlanBuilder(Openings openings)
{
    // Far beyond any credit that the server takes; sums and percentages of larger amounts could overflow.
    const long MaxCredit = long.MaxValue / 200;

    readonly List<Operation> operations = [];
    readonly Dictionary<LineFate, int> decided = [];
    readonly List<LeftOutOrder> leftOut = [];
    readonly Dictionary<string, Goods> goods = [];
    readonly Dictionary<string, Buyer> buyers = [];

    sealed class Goods
    {
        public string Name { get; set; } = "";
        public long? UnitPriceMinor { get; set; }
        public string Currency { get; set; } = "";
        public long Demand { get; set; }
    }

    sealed class Buyer
    {
        public SortedDictionary<string, long> Spends { get; } = new(StringComparer.Ordinal);
    }

    public IReadOnlyList<Operation> Operations => operations;

    public void Decide(LineFate fate, int lines = 1)
    {
        if (lines > 0) decided[fate] = decided.GetValueOrDefault(fate) + lines;
    }

    /// <summary>Returns the lines of orders that were read completely; leaves the other orders out.</summary>
    public IReadOnlyList<SourceLine> Complete(SourceFile file)
    {
        var (lines, incomplete) = WholeOrders.Of(file);
        leftOut.AddRange(incomplete);
        Decide(new(LineClass.LeftOut, "order_incomplete"), incomplete.Sum(order => order.Lines.Count));
        return lines;
    }

    /// <summary>Leaves out an order that the server would refuse; false if the order is valid.</summary>
    public bool Refuse(PlaceOrder order, string importId)
    {
        var reasons = OrderBody.Refusals(order, importId);
        if (reasons.Count == 0) return false;
        leftOut.Add(new LeftOutOrder(order.Reference, order.Numbers, reasons));
        Decide(new(LineClass.LeftOut, "order_invalid"), order.Lines);
        return true;
    }

    /// <summary>Adds an operation and returns its place in the plan.</summary>
    public int Add(Operation operation)
    {
        operations.Add(operation);
        if (operation is PlaceOrder order)
        {
            foreach (var line in order.OrderLines) GoodsOf(line.Sku).Demand += line.Quantity;
            if (!buyers.TryGetValue(order.CustomerId, out var buyer)) buyers.Add(order.CustomerId, buyer = new Buyer());
            if (order.Payment.Provider == PaymentProviders.Balance)
                buyer.Spends[order.Currency] =
                    Math.Min(MaxCredit, buyer.Spends.GetValueOrDefault(order.Currency) + Math.Min(MaxCredit, order.TotalMinor));
        }
        else if (operation is AdjustStock adjustment)
            GoodsOf(adjustment.Sku).Demand += Math.Max(0, -adjustment.Delta);
        return operations.Count - 1;
    }

    /// <summary>Records a product's name and price: the first non-empty name and the first price above 0 count.</summary>
    public void Describe(string sku, string name, long? unitPriceMinor, string currency)
    {
        var known = GoodsOf(sku);
        if (known.Name.Length == 0) known.Name = name;
        if (known.UnitPriceMinor is null or 0 && unitPriceMinor is > 0) known.UnitPriceMinor = unitPriceMinor;
        if (known.Currency.Length == 0) known.Currency = currency;
    }

    public ImportPlan Build(SourceFile file)
    {
        var left = ScarceResources();
        return new ImportPlan(
            file.Id,
            openings.Derive ? [.. InOrder(goods).Select(pair => Opening(pair.Key, pair.Value))] : [],
            openings.Derive ? [.. InOrder(buyers).Select(pair => Opening(pair.Key, pair.Value))] : [],
            [
                .. operations.Select(operation => Marked(operation, left)),
            ],
            decided, file.Bad, leftOut, file.TotalLines);
    }

    /// <summary>A hash that is stable across machines and runs.</summary>
    public static uint Hash(string text)
    {
        // FNV-1a; source: the draft of Fowler, Noll and Vo.
        var hash = 2_166_136_261u;
        foreach (var each in Encoding.UTF8.GetBytes(text)) hash = (hash ^ each) * 16_777_619u;
        return hash;
    }

    Goods GoodsOf(string sku)
    {
        if (!goods.TryGetValue(sku, out var found)) goods.Add(sku, found = new Goods());
        return found;
    }

    OpeningProduct Opening(string sku, Goods of) => new(
        sku, of.Name.Length > 0 ? of.Name : sku, of.UnitPriceMinor ?? 0, of.Currency,
        IsScarce(sku) ? of.Demand * openings.ScarceSkuPercent / 100 : of.Demand);

    OpeningCustomer Opening(string id, Buyer buyer) => new(
        id, $"Customer {id}",
        [.. buyer.Spends.Select(pair => (pair.Key, CreditOf(id, pair.Value))).Where(credit => credit.Item2 > 0)]);

    long CreditOf(string id, long spends) => IsShort(id) ? spends * openings.ShortCustomerPercent / 100 : spends;

    // Scarce resources with their opening amounts. Amounts on the server are unknown, so all of its resources count as scarce.
    Dictionary<string, long> ScarceResources()
    {
        var left = new Dictionary<string, long>();
        foreach (var (sku, of) in goods)
            if (!openings.Derive) left[SkuKey(sku)] = 0;
            else if (IsScarce(sku)) left[SkuKey(sku)] = Opening(sku, of).Opening;
        foreach (var (id, buyer) in buyers)
            foreach (var (currency, spends) in buyer.Spends)
                if (!openings.Derive) left[CustomerKey(id, currency)] = 0;
                else if (IsShort(id)) left[CustomerKey(id, currency)] = CreditOf(id, spends);
        return left;
    }

    // Order does not matter while a resource covers everything taken so far. Beyond that point, order decides which operations
    // are refused.
    Operation Marked(Operation operation, Dictionary<string, long> left)
    {
        var (alone, beside) = (new List<string>(), new List<string>());
        var taken = TakesOf(operation).GroupBy(take => take.Key, (key, all) => (key, all.Sum(take => take.Amount)));
        foreach (var (key, takes) in taken)
            if (left.ContainsKey(key)) ((left[key] -= takes) < 0 || !openings.Derive ? alone : beside).Add(key);
        return operation with { Alone = alone, Beside = beside };
    }

    bool IsScarce(string sku) => openings.ScarceSkuEvery > 0 && Hash(sku) % openings.ScarceSkuEvery == 0;

    bool IsShort(string customer) => openings.ShortCustomerEvery > 0 && Hash(customer) % openings.ShortCustomerEvery == 0;

    // Returned amounts do not count, since a return may complete too late.
    IEnumerable<(string Key, long Amount)> TakesOf(Operation operation) => operation switch
    {
        PlaceOrder order => order.OrderLines.Select(line => (SkuKey(line.Sku), (long)line.Quantity))
            .Append((CustomerKey(order.CustomerId, order.Currency), order.TotalMinor)),
        CancelOrder cancel => TakesOf(operations[cancel.Sale]).Select(take => (take.Key, 0L)),
        AdjustStock adjustment => [(SkuKey(adjustment.Sku), Math.Max(0, -adjustment.Delta))],
        _ => throw new InvalidOperationException($"{operation.GetType().Name} is not an operation of an import."),
    };

    static IEnumerable<KeyValuePair<string, T>> InOrder<T>(Dictionary<string, T> of) =>
        of.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    static string SkuKey(string sku) => $"sku:{sku}";

    static string CustomerKey(string id, string currency) => $"customer:{id}:{currency}";
}
