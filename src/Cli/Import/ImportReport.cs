using System.Globalization;
using System.Text.Json;

namespace Orderwright.Cli.Import;

/// <summary>Outcome of every line, order and adjustment of an import. Thread-safe.</summary>
/// <param name="plan">Plan of the import.</param>
/// <param name="isDryRun">The plan is only checked, not executed.</param>
sealed class ImportReport(ImportPlan plan, bool isDryRun = false)
{
    public const int MaxExamples = 50;

    readonly Lock gate = new();
    readonly LineFate?[] fates = new LineFate?[plan.Operations.Count];
    readonly SortedDictionary<string, int> orders = new(StringComparer.Ordinal);
    readonly List<string> refusals = [];
    readonly List<LeftOutOrder> leftOut = [.. plan.LeftOut];
    readonly List<OrderDifference> differences = [];

    /// <summary>Completed operations.</summary>
    public int Done { get; private set; }

    /// <summary>Completed operations that placed an order.</summary>
    public int OrdersDone { get; private set; }

    public TimeSpan Preparation { get; set; }

    public TimeSpan Duration { get; set; }

    /// <summary>True once every operation has ended.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Exit code of the import (docs/how-to/import-orders.md).</summary>
    public int ExitCode =>
        !AddsUp ? Exit.Failed
        : plan.Operations.Count == 0 ? Exit.Unreadable
        : plan.Bad.Count == 0 && leftOut.Count == 0 && differences.Count == 0 ? Exit.Ok
        : Exit.Refused;

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

    /// <summary>Adds an order that the server refused.</summary>
    public void Add(LeftOutOrder order)
    {
        lock (gate) leftOut.Add(order);
    }

    /// <summary>Adds an order whose reference belongs to another order.</summary>
    public void Add(OrderDifference order)
    {
        lock (gate) differences.Add(order);
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
                else if (isDryRun) Add(new(LineClass.Checked, "dry_run"), plan.Operations[i].Lines);
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
        ShowExamples(output, "left out", leftOut.SelectMany(Sentences).ToList());
        ShowExamples(output, "different", differences.SelectMany(Sentences).ToList());
        var named = leftOut.SelectMany(order => order.Reasons).Select(bad => bad.Number).ToHashSet();
        ShowExamples(
            output, "unreadable",
            plan.Bad.Where(bad => !named.Contains(bad.Number)).Select(bad => $"line {bad.Number}: {bad.Why}").ToList());
        foreach (var refusal in refusals) output.Line(refusal);
        if (isDryRun) output.Line("Dry run: nothing was sent to the server.");
        else output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{OrdersDone:N0} orders, {Done - OrdersDone:N0} other operations in {Duration.TotalSeconds:F1} s: " +
            $"{OrdersDone / Seconds:F0} orders/s (and {Preparation.TotalSeconds:F1} s for products, stock and credits)"));
        output.Mark(ExitCode == Exit.Ok, !AddsUp ? "The line counts do not add up: this is a bug of the import."
            : leftOut.Count + differences.Count > 0
                ? $"{Number(leftOut.Count)} orders are left out and {Number(differences.Count)} differ from the server's."
            : "Every line is accounted for.");
    }

    static void ShowExamples(Output output, string kind, List<string> sentences)
    {
        foreach (var sentence in sentences.Take(MaxExamples)) output.Line(sentence);
        if (sentences.Count > MaxExamples)
            output.Line($"… and {Number(sentences.Count - MaxExamples)} more {kind}; --json FILE lists all");
    }

    static IEnumerable<string> Sentences(LeftOutOrder order) => order.Reasons.Select(reason =>
        $"order {Shown.Of(order.Reference)} is left out: line {reason.Number}: {reason.Why}");

    static IEnumerable<string> Sentences(OrderDifference order) => order.Differences.Select(difference =>
        $"order {Shown.Of(order.Reference)} differs from {order.OrderId}: {difference.Property} is "
        + $"{Shown.Of(difference.InFile ?? "missing")} in the file and "
        + $"{Shown.Of(difference.OnServer ?? "missing")} on the server");

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("import", plan.Id);
        json.WriteNumber("exitCode", ExitCode);
        json.WriteBoolean("dryRun", isDryRun);
        json.WriteBoolean("complete", IsComplete);
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
        WriteReasons(json, "bad", plan.Bad);
        lock (gate) WriteOrders(json);
        json.WriteStartArray("refusals");
        foreach (var refusal in refusals) json.WriteStringValue(refusal);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    void WriteOrders(Utf8JsonWriter json)
    {
        json.WriteStartArray("leftOut");
        foreach (var order in leftOut)
        {
            WriteStart(json, order.Reference, order.Lines);
            WriteReasons(json, "reasons", order.Reasons);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("differences");
        foreach (var order in differences)
        {
            WriteStart(json, order.Reference, order.Lines);
            json.WriteString("orderId", order.OrderId);
            json.WriteStartArray("properties");
            foreach (var difference in order.Differences)
            {
                json.WriteStartObject();
                json.WriteString("property", difference.Property);
                json.WriteString("file", difference.InFile);
                json.WriteString("server", difference.OnServer);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteStart(Utf8JsonWriter json, string reference, IReadOnlyList<int> lines)
    {
        json.WriteStartObject();
        json.WriteString("order", reference);
        json.WriteStartArray("lines");
        foreach (var line in lines) json.WriteNumberValue(line);
        json.WriteEndArray();
    }

    static void WriteReasons(Utf8JsonWriter json, string name, IReadOnlyList<BadLine> reasons)
    {
        json.WriteStartArray(name);
        foreach (var reason in reasons)
        {
            json.WriteStartObject();
            json.WriteNumber("line", reason.Number);
            json.WriteString("why", reason.Why);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static string Name(LineClass of) => of == LineClass.LeftOut ? "left_out" : of.ToString().ToLowerInvariant();

    static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
