using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Profile for CSV files with the columns <c>order, customer, sku, quantity</c> and optionally <c>unit_price</c> (such as 2.55;
/// default: the catalogue's), <c>currency</c>, <c>payment</c> (a sandbox token; default: the customer's balance), <c>name</c>,
/// <c>date</c>, <c>country</c>. Lines of an order need not be adjacent.
/// </summary>
sealed class GeneralCsv(string currency) : IImportProfile
{
    const int MaxQuantity = 1_000_000;

    public IReadOnlyList<string> RequiredColumns => ["order", "customer", "sku", "quantity"];

    public SourceLine? Read(int number, Fields fields, out string? why)
    {
        why = null;
        var money = fields["currency"] is { Length: > 0 } code ? code.ToUpperInvariant() : currency;
        decimal? price = null;
        if (fields["order"].Length is 0 or > 64) why = "order must have 1 to 64 characters";
        else if (fields["customer"].Length == 0) why = "customer is missing";
        else if (fields["sku"].Length == 0) why = "sku is missing";
        else if (!Currencies.IsKnown(money)) why = $"currency is {money}; allowed are ISO 4217 codes";
        else if (!int.TryParse(fields["quantity"], NumberStyles.None, CultureInfo.InvariantCulture, out var quantity)
            || quantity is < 1 or > MaxQuantity)
            why = $"quantity is {fields["quantity"]}; allowed are whole numbers from 1 to 1000000";
        else if (fields["unit_price"] is { Length: > 0 } text && (price = Price(text, money)) is null)
            why = $"unit_price is {text}; allowed are amounts from 0 with at most {Currencies.MinorDigits(money)} decimals";
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
                if (Difference(first, line) is { } column)
                    bad.Add(new BadLine(
                        line.Number, $"{column} differs from that of order {first.Order} in line {first.Number}"));
                else
                    lines.Add(line);
            foreach (var line in lines) plan.Describe(Skus.Normal(line.Sku), line.Name, Minor(line), line.Currency);
            plan.Add(new PlaceOrder(
                first.Order, Skus.Normal(first.Customer), first.Currency,
                [.. lines.Select((line, i) => new OrderLine(i + 1, Skus.Normal(line.Sku), line.Quantity, Minor(line)))], [],
                first.Payment.Length > 0 ? new PaymentMethod(PaymentProviders.Sandbox, first.Payment)
                    : new PaymentMethod(PaymentProviders.Balance, null),
                first.Date, first.Country, lines.Count));
        }
        var unread = bad.Select(line => line.Number);
        return plan.Build(file with { Lines = [.. file.Lines.ExceptBy(unread, line => line.Number)], Bad = bad });
    }

    static string? Difference(SourceLine first, SourceLine line) =>
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
