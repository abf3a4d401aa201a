using System.Text;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Gathers operations, then derives what they need: products, opening stock, credits; and which of these run short.
/// Only what runs short makes the order of operations matter, so only that is marked scarce. Whatever is not scarce
/// opens with all that is ever asked of it, by orders and by losses, and so can never refuse.
/// </summary>
sealed class PlanBuilder(Openings openings)
{
    readonly List<Operation> operations = [];
    readonly Dictionary<LineFate, int> decided = [];
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

    /// <summary>Returns its place in the plan.</summary>
    public int Add(Operation operation)
    {
        operations.Add(operation);
        if (operation is PlaceOrder order)
        {
            foreach (var line in order.OrderLines) GoodsOf(line.Sku).Demand += line.Quantity;
            if (!buyers.TryGetValue(order.CustomerId, out var buyer)) buyers.Add(order.CustomerId, buyer = new Buyer());
            if (order.Payment.Provider == "balance")
                buyer.Spends[order.Currency] = buyer.Spends.GetValueOrDefault(order.Currency) + order.TotalMinor;
        }
        else if (operation is AdjustStock adjustment)
            GoodsOf(adjustment.Sku).Demand += Math.Max(0, -adjustment.Delta);
        return operations.Count - 1;
    }

    /// <summary>Remembers what a product is called and costs: the first name and the first price above 0 that come.</summary>
    public void Describe(string sku, string name, long? unitPriceMinor, string currency)
    {
        var known = GoodsOf(sku);
        if (known.Name.Length == 0) known.Name = name;
        if (known.UnitPriceMinor is null or 0 && unitPriceMinor is > 0) known.UnitPriceMinor = unitPriceMinor;
        if (known.Currency.Length == 0) known.Currency = currency;
    }

    public ImportPlan Build(SourceFile file)
    {
        var scarce = ScarceKeys();
        return new ImportPlan(
            file.Id,
            openings.Derive ? [.. InOrder(goods).Select(pair => Opening(pair.Key, pair.Value))] : [],
            openings.Derive ? [.. InOrder(buyers).Select(pair => Opening(pair.Key, pair.Value))] : [],
            [
                .. operations.Select(
                    operation => operation with { Scarce = [.. KeysOf(operation).Where(scarce.Contains).Distinct()] }),
            ],
            decided, file.Bad, file.TotalLines);
    }

    /// <summary>The same on every machine and in every run.</summary>
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
        [.. buyer.Spends.Select(pair => (pair.Key, IsShort(id) ? pair.Value * openings.ShortCustomerPercent / 100 : pair.Value))
            .Where(credit => credit.Item2 > 0)]);

    HashSet<string> ScarceKeys() =>
        [
            .. goods.Keys.Where(sku => !openings.Derive || IsScarce(sku)).Select(SkuKey),
            .. buyers.Where(pair => pair.Value.Spends.Count > 0 && (!openings.Derive || IsShort(pair.Key)))
                .Select(pair => CustomerKey(pair.Key)),
        ];

    bool IsScarce(string sku) => openings.ScarceSkuEvery > 0 && Hash(sku) % openings.ScarceSkuEvery == 0;

    bool IsShort(string customer) => openings.ShortCustomerEvery > 0 && Hash(customer) % openings.ShortCustomerEvery == 0;

    // A cancellation gives back what its order took, so it touches the same.
    IEnumerable<string> KeysOf(Operation operation) => operation switch
    {
        PlaceOrder order => order.OrderLines.Select(line => SkuKey(line.Sku)).Append(CustomerKey(order.CustomerId)),
        CancelOrder cancel => KeysOf(operations[cancel.Sale]),
        AdjustStock adjustment => [SkuKey(adjustment.Sku)],
        _ => throw new InvalidOperationException($"No keys are known for {operation.GetType().Name}."),
    };

    static IEnumerable<KeyValuePair<string, T>> InOrder<T>(Dictionary<string, T> of) =>
        of.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    static string SkuKey(string sku) => $"sku:{sku}";

    static string CustomerKey(string id) => $"customer:{id}";
}
