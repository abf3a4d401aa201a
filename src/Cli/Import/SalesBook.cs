namespace Orderwright.Cli.Import;

/// <summary>Sales with the quantities not returned yet. Matches credit notes with sales.</summary>
sealed class SalesBook
{
    sealed class Sale(int place, string content)
    {
        public int Place => place;
        public string Content => content;
        public bool Cancelled { get; set; }
        public bool PartlyReturned { get; set; }
        public Dictionary<string, long> Left { get; } = [];
    }

    readonly Dictionary<(string Customer, string Content), List<Sale>> whole = [];
    readonly Dictionary<(string Customer, string Sku), List<Sale>> bySku = [];

    /// <param name="place">The order's place in the plan.</param>
    /// <param name="customer">Empty for a guest.</param>
    /// <param name="lines">All lines of the order.</param>
    /// <param name="goods">Lines that can be returned to stock.</param>
    public void Add(int place, string customer, IReadOnlyList<SourceLine> lines, IReadOnlyList<SourceLine> goods)
    {
        var sale = new Sale(place, Content(lines));
        foreach (var line in goods) sale.Left[line.Sku] = sale.Left.GetValueOrDefault(line.Sku) + line.Quantity;
        ListOf(whole, (customer, sale.Content)).Add(sale);
        foreach (var sku in sale.Left.Keys) ListOf(bySku, (customer, sku)).Add(sale);
    }

    /// <summary>Cancels the customer's latest complete sale of exactly these lines. Null if there is none.</summary>
    public int? TakeWhole(string customer, IReadOnlyList<SourceLine> lines)
    {
        if (!whole.TryGetValue((customer, Content(lines)), out var sales)) return null;
        if (sales.LastOrDefault(sale => sale is { Cancelled: false, PartlyReturned: false }) is not { } found) return null;
        found.Cancelled = true;
        return found.Place;
    }

    /// <summary>
    /// Returns goods to the customer's sales, latest first. Yields the affected sales, or a refusal: <c>sale_unknown</c>,
    /// <c>more_returned_than_sold</c>.
    /// </summary>
    public (IReadOnlyList<int> Sales, string? Refusal) TakeGoods(string customer, string sku, long quantity)
    {
        var sales = bySku.GetValueOrDefault((customer, sku))?.Where(sale => !sale.Cancelled).Reverse().ToList() ?? [];
        if (sales.Count == 0) return ([], "sale_unknown");
        if (sales.Sum(sale => sale.Left[sku]) < quantity) return ([], "more_returned_than_sold");
        var from = new List<int>();
        foreach (var sale in sales.Where(sale => sale.Left[sku] > 0))
        {
            var taken = Math.Min(quantity, sale.Left[sku]);
            sale.Left[sku] -= taken;
            sale.PartlyReturned = true;
            from.Add(sale.Place);
            quantity -= taken;
            if (quantity == 0) break;
        }
        return (from, null);
    }

    // Credit notes have negative quantities.
    static string Content(IEnumerable<SourceLine> lines) => string.Join('\n', lines
        .Select(line => FormattableString.Invariant($"{line.Sku}\t{Math.Abs(line.Quantity)}\t{line.UnitPrice}"))
        .Order(StringComparer.Ordinal));

    static List<Sale> ListOf<TKey>(Dictionary<TKey, List<Sale>> lists, TKey key) where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list)) lists.Add(key, list = []);
        return list;
    }
}
