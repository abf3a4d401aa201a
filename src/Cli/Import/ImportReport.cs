using System.Globalization;
using System.Text.Json;

namespace Orderwright.Cli.Import;

/// <summary>Outcome of every line, order and adjustment of an import. Thread-safe.</summary>
sealed class ImportReport(ImportPlan plan)
{
    public const int MaxExamples = 50;

    readonly Lock gate = new();
    readonly LineFate?[] fates = new LineFate?[plan.Operations.Count];
    readonly SortedDictionary<string, int> orders = new(StringComparer.Ordinal);
    readonly List<string> refusals = [];

    /// <summary>Completed operations.</summary>
    public int Done { get; private set; }

    /// <summary>Completed operations that placed an order.</summary>
    public int OrdersDone { get; private set; }

    public TimeSpan Preparation { get; set; }

    public TimeSpan Duration { get; set; }

    public LineFate? FateOf(int place)
    {
        lock (gate) return fates[place];
    }

    public void End(int place, LineFate fate, string? example = null)
    {
        lock (gate)
        {
            fates[place] = fate;
            Done++;
            if (plan.Operations[place] is PlaceOrder) OrdersDone++;
            // An order that a later line cancels counts as cancelled only.
            if (plan.Operations[place] is CancelOrder { Sale: var sale } && fate.Class == LineClass.Cancelled)
                fates[sale] = new LineFate(LineClass.Cancelled, "order_cancelled");
            if (example is not null && refusals.Count < MaxExamples) refusals.Add(example);
        }
    }

    /// <summary>Counts the final statuses of all orders.</summary>
    public void CountOrders(IEnumerable<string> statuses)
    {
        lock (gate)
            foreach (var status in statuses) orders[status] = orders.GetValueOrDefault(status) + 1;
    }

    /// <summary>Counts lines by outcome, including unreadable lines.</summary>
    public SortedDictionary<(LineClass Class, string Why), int> Lines()
    {
        var lines = new SortedDictionary<(LineClass, string), int>();
        void Add(LineFate fate, int count) =>
            lines[(fate.Class, fate.Why)] = lines.GetValueOrDefault((fate.Class, fate.Why)) + count;

        lock (gate)
            for (var i = 0; i < fates.Length; i++)
                if (fates[i] is { } fate) Add(fate, plan.Operations[i].Lines);
        foreach (var (fate, count) in plan.Decided) Add(fate, count);
        if (plan.Bad.Count > 0) Add(new(LineClass.Bad, "unreadable"), plan.Bad.Count);
        return lines;
    }

    /// <summary>Every line of the file has exactly one outcome.</summary>
    public bool AddsUp => plan.LinesUnaccountedFor == 0 && Lines().Values.Sum() == plan.TotalLines;

    double Seconds => Math.Max(Duration.TotalSeconds, 0.001);

    public void Show(Output output)
    {
        if (output.IsJson)
        {
            Output.Json(Write);
            return;
        }
        var lines = Lines();
        output.Table(
            ["lines", "reason", "count#"],
            [.. lines.Select(pair => new[] { Name(pair.Key.Class), pair.Key.Why, Number(pair.Value) }),
                ["total", $"of {Number(plan.TotalLines)} in the file", Number(lines.Values.Sum())]]);
        output.Table(["orders", "count#"], orders.Select(pair => new[] { pair.Key, Number(pair.Value) }));
        foreach (var bad in plan.Bad.Take(MaxExamples)) output.Line($"line {bad.Number}: {bad.Why}");
        if (plan.Bad.Count > MaxExamples)
            output.Line($"… and {Number(plan.Bad.Count - MaxExamples)} more unreadable lines; --report FILE lists all");
        foreach (var refusal in refusals) output.Line(refusal);
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{OrdersDone:N0} orders, {Done - OrdersDone:N0} other operations in {Duration.TotalSeconds:F1} s: " +
            $"{OrdersDone / Seconds:F0} orders/s (and {Preparation.TotalSeconds:F1} s for products, stock and credits)"));
        output.Mark(
            AddsUp, AddsUp ? "Every line is accounted for." : "The line counts do not add up: this is a bug of the import.");
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("import", plan.Id);
        json.WriteNumber("lines", plan.TotalLines);
        json.WriteBoolean("addsUp", AddsUp);
        json.WriteStartObject("counts");
        foreach (var group in Lines().GroupBy(pair => pair.Key.Class))
        {
            json.WriteStartObject(Name(group.Key));
            foreach (var pair in group) json.WriteNumber(pair.Key.Why, pair.Value);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteStartObject("orders");
        foreach (var (status, count) in orders) json.WriteNumber(status, count);
        json.WriteEndObject();
        json.WriteNumber("operations", Done);
        json.WriteNumber("products", plan.Products.Count);
        json.WriteNumber("customers", plan.Customers.Count);
        json.WriteNumber("preparationSeconds", Math.Round(Preparation.TotalSeconds, 1));
        json.WriteNumber("seconds", Math.Round(Duration.TotalSeconds, 1));
        json.WriteNumber("ordersPerSecond", Math.Round(OrdersDone / Seconds, 1));
        json.WriteStartArray("bad");
        foreach (var bad in plan.Bad)
        {
            json.WriteStartObject();
            json.WriteNumber("line", bad.Number);
            json.WriteString("why", bad.Why);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("refusals");
        foreach (var refusal in refusals) json.WriteStringValue(refusal);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static string Name(LineClass of) => of == LineClass.LeftOut ? "left_out" : of.ToString().ToLowerInvariant();

    static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
