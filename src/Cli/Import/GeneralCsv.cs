using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Any CSV with named columns: <c>order, customer, sku, quantity</c>, and if it has them <c>unit_price</c> (2.55; else
/// the catalogue's), <c>currency</c>, <c>payment</c> (a provider's token; else the customer's balance), <c>name</c>,
/// <c>date</c>, <c>country</c>. Lines of one order need not stand together.
/// </summary>
sealed class GeneralCsv(string currency) : IImportProfile
{
    const int MaxQuantity = 1_000_000;

    public IReadOnlyList<string> RequiredColumns => ["order", "customer", "sku", "quantity"];

    public SourceLine? Read(int number, Fields fields, out string? why)
    {
        why = null;
        var money = fields["currency"] is { Length: > 0 } said ? said.ToUpperInvariant() : currency;
        decimal? price = null;
        if (fields["order"].Length is 0 or > 64) why = "its order has not 1 to 64 characters";
        else if (fields["customer"].Length == 0) why = "it has no customer";
        else if (fields["sku"].Length == 0) why = "it has no sku";
        else if (!Currencies.IsKnown(money)) why = $"its currency is {money}, which is not one of ISO 4217";
        else if (!int.TryParse(fields["quantity"], NumberStyles.None, CultureInfo.InvariantCulture, out var quantity)
            || quantity is < 1 or > MaxQuantity)
            why = $"its quantity is {fields["quantity"]}; allowed are whole numbers from 1 to 1000000";
        else if (fields["unit_price"] is { Length: > 0 } text && (price = Price(text, money)) is null)
            why = $"its unit_price is {text}; allowed are amounts from 0 with at most {Currencies.MinorDigits(money)} decimals";
        else
            return new SourceLine(
                number, fields["order"], fields["customer"], fields["sku"], fields["name"], quantity, price, money,
                fields["payment"], fields["date"], fields["country"]);
        return null;
    }

    public ImportPlan Plan(SourceFile file, Openings openings)
    {
        var plan = new PlanBuilder(openings);
        var bad = new List<BadLine>(file.Bad);
        foreach (var order in file.Lines.GroupBy(line => line.Order))
        {
            var first = order.First();
            var lines = new List<SourceLine>();
            foreach (var line in order)
                if (Differs(first, line) is { } what)
                    bad.Add(new BadLine(
                        line.Number, $"its {what} is not that of order {first.Order}, which begins in line {first.Number}"));
                else
                    lines.Add(line);
            foreach (var line in lines) plan.Describe(Skus.Normal(line.Sku), line.Name, Minor(line), line.Currency);
            plan.Add(new PlaceOrder(
                first.Order, Skus.Normal(first.Customer), first.Currency,
                [.. lines.Select((line, i) => new OrderLine(i + 1, Skus.Normal(line.Sku), line.Quantity, Minor(line)))], [],
                first.Payment.Length > 0 ? new PaymentMethod("sandbox", first.Payment) : new PaymentMethod("balance", null),
                first.Date, first.Country, lines.Count));
        }
        var unread = bad.Select(line => line.Number);
        return plan.Build(file with { Lines = [.. file.Lines.ExceptBy(unread, line => line.Number)], Bad = bad });
    }

    static string? Differs(SourceLine first, SourceLine line) =>
        line.Customer != first.Customer ? "customer"
        : line.Currency != first.Currency ? "currency"
        : line.Payment != first.Payment ? "payment"
        : null;

    static decimal? Price(string text, string currency) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price)
        && price < 10_000_000_000m
        && decimal.Round(price, Currencies.MinorDigits(currency)) == price ? price : null;

    static long? Minor(SourceLine line) =>
        line.UnitPrice is { } price
            ? (long)(price * (decimal)Math.Pow(10, Currencies.MinorDigits(line.Currency)))
            : null;
}
