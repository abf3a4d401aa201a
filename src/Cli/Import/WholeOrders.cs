namespace Orderwright.Cli.Import;

/// <summary>Separates the orders that were read completely from those that may lack a line. Pure.</summary>
static class WholeOrders
{
    /// <summary>Lines of complete orders, and the orders to leave out.</summary>
    public static (IReadOnlyList<SourceLine> Lines, IReadOnlyList<LeftOutOrder> LeftOut) Of(SourceFile file)
    {
        if (file.Bad.Count == 0) return (file.Lines, []);
        var known = file.Lines.Select(line => line.Order).ToHashSet();
        var places = file.Lines.Select(line => (line.Number, line.Order))
            .Concat(file.Bad.Where(bad => bad.Order.Length > 0).Select(bad => (bad.Number, bad.Order)))
            .OrderBy(place => place.Number).ToList();
        var faults = new Dictionary<string, List<BadLine>>();
        foreach (var bad in file.Bad)
            foreach (var order in OrdersOf(bad, known, places))
            {
                if (!faults.TryGetValue(order, out var reasons)) faults.Add(order, reasons = []);
                reasons.Add(bad);
            }
        var readable = file.Lines.Where(line => faults.ContainsKey(line.Order)).ToLookup(line => line.Order, line => line.Number);
        return (
            [.. file.Lines.Where(line => !faults.ContainsKey(line.Order))],
            [.. faults.Select(fault => new LeftOutOrder(fault.Key, [.. readable[fault.Key]], fault.Value))]);
    }

    // A line without an order number continues the order above, as exports with one order over several rows do.
    static IEnumerable<string> OrdersOf(
        BadLine bad, HashSet<string> known, List<(int Number, string Order)> places)
    {
        if (bad.Cells is null && bad.Order.Length > 0) return [bad.Order];
        var named = (bad.Cells ?? []).Where(known.Contains).Distinct().ToList();
        if (named.Count > 0 && !bad.ToEnd) return named;
        if (bad.Order.Length > 0) named.Add(bad.Order);
        if (Above(places, bad.Number) is { } above) named.Add(above);
        return named.Distinct();
    }

    static string? Above(List<(int Number, string Order)> places, int line)
    {
        var (low, high) = (0, places.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (places[middle].Number < line) low = middle + 1;
            else high = middle;
        }
        return low > 0 ? places[low - 1].Order : null;
    }
}
