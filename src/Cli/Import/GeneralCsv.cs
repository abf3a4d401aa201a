using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Profile for CSV files with the columns <c>order, customer, sku, quantity</c> and optionally <c>unit_price</c> (such as 2.55;
/// default: the catalogue's), <c>currency</c>, <c>payment</c> (a sandbox token; default: the customer's balance), <c>name</c>,
/// <c>date</c>, <c>country</c>. Lines of an order need not be adjacent.
/// </summary>
/// <param name="currency">Currency of lines without one.</param>
/// <param name="mark">Decimal mark of all numbers; by default taken from the numbers, where only one reading exists.</param>
/// <param name="fillDown">
/// Takes empty columns of an order from the order's first line, and an empty order from the line above.
/// </param>
sealed class GeneralCsv(string currency, DecimalMark mark = DecimalMark.Detect, bool fillDown = false) : IImportProfile
{
    // Columns of the order, not of the line.
    static readonly string[] OrderColumns = ["order", "customer", "currency", "payment", "date", "country"];

    static readonly decimal[] Scales = [1, 10, 100, 1_000];

    DecimalMark found;

    public string OrderColumn => "order";

    public IReadOnlyList<string> RequiredColumns => ["order", "customer", "sku", "quantity"];

    public IReadOnlyList<string> OptionalColumns => ["unit_price", "currency", "payment", "name", "date", "country"];

    public IReadOnlyList<CsvRecord> Prepare(IReadOnlyList<CsvRecord> records, CsvColumns columns)
    {
        found = Numbers.Detect(records.Where(record => record.Why is null)
            .SelectMany(record => new[] { columns.Of(record, "quantity"), columns.Of(record, "unit_price") }));
        return fillDown ? FilledDown(records, columns) : records;
    }

    public SourceLine? Read(int number, Fields fields, out string? why)
    {
        var money = fields["currency"] is { Length: > 0 } code ? code.ToUpperInvariant() : currency;
        var faults = new List<string>();
        foreach (var column in RequiredColumns)
            if (fields[column].Length == 0) faults.Add($"{column} is missing{Advice(column)}");
        if (!Currencies.IsKnown(money)) faults.Add($"currency is {Shown.Of(money)}; allowed are ISO 4217 codes");
        var quantity = fields["quantity"].Length > 0 ? Quantity(fields["quantity"], faults) : 0;
        var price = fields["unit_price"].Length > 0 ? Price(fields["unit_price"], money, faults) : null;
        why = faults.Count > 0 ? string.Join("; ", faults) : null;
        return why is not null
            ? null
            : new SourceLine(
                number, fields["order"], fields["customer"], fields["sku"], fields["name"], quantity, price, money,
                fields["payment"], fields["date"], fields["country"]);
    }

    public ImportPlan Plan(SourceFile file, Openings openings)
    {
        // Without --derive the codes belong to existing products and customers, so no code is changed.
        Func<string, string> id = openings.Derive ? Skus.Normal : code => code;
        var plan = new PlanBuilder(openings);
        var fileLines = file.Lines.Select(line => line.Order).Concat(file.Bad.Select(bad => bad.Order))
            .CountBy(order => order).ToDictionary();
        file = file with { Bad = [.. file.Bad.Concat(Contradictions(file)).OrderBy(bad => bad.Number)] };
        file = file with { Lines = [.. file.Lines.ExceptBy(file.Bad.Select(bad => bad.Number), line => line.Number)] };
        foreach (var lines in plan.Complete(file).GroupBy(line => line.Order).Select(order => order.ToList()))
        {
            var first = lines[0];
            var order = new PlaceOrder(
                first.Order, id(first.Customer), first.Currency,
                [.. lines.Select((line, i) => new OrderLine(i + 1, id(line.Sku), line.Quantity, Minor(line)))], [],
                first.Payment.Length > 0 ? new PaymentMethod(PaymentProviders.Sandbox, first.Payment)
                    : new PaymentMethod(PaymentProviders.Balance, null),
                first.Date, first.Country, lines.Count)
            {
                Numbers = [.. lines.Select(line => line.Number)], FileLines = fileLines[first.Order],
            };
            if (plan.Refuse(order, file.Id)) continue;
            foreach (var line in lines) plan.Describe(id(line.Sku), line.Name, Minor(line), line.Currency);
            plan.Add(order);
        }
        return plan.Build(file);
    }

    static List<CsvRecord> FilledDown(IReadOnlyList<CsvRecord> records, CsvColumns columns)
    {
        var filled = new List<CsvRecord>(records.Count);
        var firsts = new Dictionary<string, CsvRecord>();
        // Empty after an unreadable line, which may have begun another order.
        var above = "";
        foreach (var record in records)
        {
            if (record.Why is not null)
            {
                above = "";
                filled.Add(record);
                continue;
            }
            var order = columns.Of(record, "order") is { Length: > 0 } own ? own : above;
            above = order;
            if (order.Length == 0 || firsts.TryAdd(order, record))
            {
                filled.Add(record);
                continue;
            }
            var fields = (string[])record.Fields.Clone();
            foreach (var column in OrderColumns)
                if (columns.Index.TryGetValue(column, out var at) && fields[at].Length == 0)
                    fields[at] = columns.Of(firsts[order], column);
            filled.Add(record with { Fields = fields });
        }
        return filled;
    }

    static IEnumerable<BadLine> Contradictions(SourceFile file) =>
        from order in file.Lines.GroupBy(line => line.Order)
        let first = order.First()
        from line in order
        let column = Difference(first, line)
        where column is not null
        select new BadLine(
            line.Number, $"{column} differs from that of order {Shown.Of(first.Order)} in line {first.Number}", first.Order);

    static string? Difference(SourceLine first, SourceLine line) =>
        line.Customer != first.Customer ? "customer"
        : line.Currency != first.Currency ? "currency"
        : line.Payment != first.Payment ? "payment"
        : null;

    string Advice(string column) =>
        !fillDown && OrderColumns.Contains(column) ? ": --fill-down takes the value from the order's first line" : "";

    // The API's own rules check the ranges.
    int Quantity(string text, List<string> faults)
    {
        var number = Numbers.Read(text, mark, found, out var why);
        if (number is { } whole && decimal.Truncate(whole) == whole && whole <= int.MaxValue) return (int)whole;
        faults.Add($"quantity is {Shown.Of(text)}: {why ?? "not a whole number within range"}");
        return 0;
    }

    decimal? Price(string text, string money, List<string> faults)
    {
        var number = Numbers.Read(text, mark, found, out var why);
        if (number is { } price && Currencies.IsKnown(money))
        {
            var digits = Currencies.MinorDigits(money);
            if (decimal.Round(price, digits) == price && price <= long.MaxValue / Scales[digits]) return price;
            why = string.Create(
                CultureInfo.InvariantCulture,
                $"{money} has {digits} decimals, and amounts up to {long.MaxValue / Scales[digits]}");
        }
        if (why is not null) faults.Add($"unit_price is {Shown.Of(text)}: {why}");
        return null;
    }

    static long? Minor(SourceLine line) =>
        line.UnitPrice is { } price ? (long)(price * Scales[Currencies.MinorDigits(line.Currency)]) : null;
}
