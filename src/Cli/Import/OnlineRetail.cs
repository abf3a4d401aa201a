using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Profile for the UCI "Online Retail" data set, the invoice lines of a wholesaler. An invoice is an order; <c>C…</c> invoices
/// are credit notes, <c>A…</c> invoices bad debt, and lines without a price are stock adjustments. Prices are in GBP.
/// Source: archive.ics.uci.edu/dataset/352 (CC BY 4.0).
/// </summary>
sealed class OnlineRetail : IImportProfile
{
    const string Currency = "GBP";
    const string Guest = "guest";

    // Times any quantity, an amount in pence.
    const decimal MaxPrice = 10_000_000;

    // Stock codes that are not goods. Selling one adjusts the order's total.
    static readonly Dictionary<string, (string Type, string Label)> Extras = new(StringComparer.OrdinalIgnoreCase)
    {
        ["POST"] = ("shipping", "Postage"),
        ["DOT"] = ("shipping", "Dotcom postage"),
        ["C2"] = ("shipping", "Carriage"),
        ["D"] = ("discount", "Discount"),
        ["M"] = ("fee", "Manual"),
        ["S"] = ("fee", "Samples"),
        ["BANK CHARGES"] = ("fee", "Bank charges"),
        ["AMAZONFEE"] = ("fee", "Amazon fee"),
        ["CRUK"] = ("fee", "CRUK commission"),
    };

    public string OrderColumn => "InvoiceNo";

    public IReadOnlyList<string> OptionalColumns => [];

    public IReadOnlyList<string> RequiredColumns =>
        ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

    public SourceLine? Read(int number, Fields fields, out string? why)
    {
        why = null;
        var (invoice, code, customer) = (fields["InvoiceNo"], fields["StockCode"], fields["CustomerID"]);
        if (invoice.Length == 0) why = "InvoiceNo is missing";
        else if (code.Length == 0) why = "StockCode is missing";
        else if (!int.TryParse(fields["Quantity"], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var quantity))
            why = $"Quantity is {Shown.Of(fields["Quantity"])}";
        else if (!decimal.TryParse(
            fields["UnitPrice"], NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var price))
            why = $"UnitPrice is {Shown.Of(fields["UnitPrice"])}";
        else if (Math.Abs(price) > MaxPrice) why = $"UnitPrice is {Shown.Of(fields["UnitPrice"])}, which exceeds {MaxPrice}";
        else if (quantity == 0) why = "Quantity is 0";
        else if (price < 0 && invoice[0] != 'A') why = $"UnitPrice is {fields["UnitPrice"]}";
        else
            return new SourceLine(
                number, invoice, customer.EndsWith(".0", StringComparison.Ordinal) ? customer[..^2] : customer, code,
                fields["Description"], quantity, price, Currency, "", fields["InvoiceDate"], fields["Country"]);
        return null;
    }

    public ImportPlan Plan(SourceFile file, Openings openings)
    {
        var plan = new PlanBuilder(openings);
        var sales = new SalesBook();
        // Lines of invoices written at the same time alternate in the file, so group by number, in the order of first lines.
        foreach (var invoice in plan.Complete(file).GroupBy(line => line.Order))
        {
            var lines = invoice.ToList();
            if (invoice.Key.StartsWith('A'))
                plan.Decide(new(LineClass.LeftOut, "bad_debt"), lines.Count);
            else if (invoice.Key.StartsWith('C'))
                Credit(plan, sales, invoice.Key, lines);
            else
                Sell(plan, sales, invoice.Key, lines, file.Id);
        }
        return plan.Build(file);
    }

    static void Sell(PlanBuilder plan, SalesBook sales, string invoice, List<SourceLine> lines, string importId)
    {
        var positive = lines.Where(line => line.Quantity > 0).ToList();
        // Without price and customer the lines are a stock adjustment; without price but with a customer, a gift.
        var isSale = positive.Any(line => line.UnitPrice > 0) || (positive.Count > 0 && lines[0].Customer.Length > 0);
        foreach (var line in isSale ? lines.Where(line => line.Quantity < 0) : lines) AdjustForStockRoom(plan, line);
        if (!isSale) return;

        var goods = positive.Where(line => !Extras.ContainsKey(line.Sku)).ToList();
        if (goods.Count == 0)
        {
            plan.Decide(new(LineClass.LeftOut, "no_goods"), positive.Count);
            return;
        }
        var customer = lines[0].Customer is { Length: > 0 } known ? Skus.Normal(known) : Guest;
        var order = new PlaceOrder(
            invoice, customer, Currency,
            [.. goods.Select((line, i) => new OrderLine(i + 1, Skus.Normal(line.Sku), line.Quantity, Pence(line.UnitPrice)))],
            [.. positive.Where(line => Extras.ContainsKey(line.Sku))
                .GroupBy(line => Extras[line.Sku], (extra, same) =>
                    (extra.Type, extra.Label, same.Sum(line => line.Quantity * Pence(line.UnitPrice) * Sign(extra.Type))))],
            customer == Guest ? new PaymentMethod(PaymentProviders.Sandbox, "tok_visa")
                : new PaymentMethod(PaymentProviders.Balance, null),
            lines[0].Date, lines[0].Country, positive.Count)
        {
            Numbers = [.. goods.Select(line => line.Number)],
        };
        if (plan.Refuse(order, importId)) return;
        foreach (var line in goods) plan.Describe(Skus.Normal(line.Sku), line.Name, Pence(line.UnitPrice), Currency);
        sales.Add(plan.Add(order), lines[0].Customer, positive, goods);
    }

    // A credit note for a complete order cancels the order; one for single goods is a return, if the customer bought them.
    static void Credit(PlanBuilder plan, SalesBook sales, string invoice, List<SourceLine> lines)
    {
        if (sales.TakeWhole(lines[0].Customer, lines) is { } sale)
        {
            plan.Add(new CancelOrder(invoice, sale, lines.Count));
            return;
        }
        foreach (var line in lines)
            if (Extras.ContainsKey(line.Sku))
                plan.Decide(new(LineClass.LeftOut, "credit_without_goods"));
            else if (line.Quantity > 0)
                plan.Decide(new(LineClass.LeftOut, "sale_on_a_credit_note"));
            else
            {
                var (from, refusal) = sales.TakeGoods(line.Customer, line.Sku, -line.Quantity);
                if (refusal is not null)
                    plan.Decide(new(LineClass.LeftOut, refusal));
                else
                    plan.Add(new AdjustStock(Note(line), Skus.Normal(line.Sku), -line.Quantity, "returned", from));
            }
    }

    static void AdjustForStockRoom(PlanBuilder plan, SourceLine line)
    {
        if (Extras.ContainsKey(line.Sku))
        {
            plan.Decide(new(LineClass.LeftOut, "no_goods"));
            return;
        }
        plan.Describe(Skus.Normal(line.Sku), "", null, Currency);
        plan.Add(new AdjustStock(
            Note(line), Skus.Normal(line.Sku), line.Quantity, StockRoomReason(line.Name, line.Quantity), []));
    }

    /// <summary>Maps the free-text description of a stock adjustment to a reason of the API.</summary>
    public static string StockRoomReason(string description, int quantity)
    {
        bool Mentions(params ReadOnlySpan<string> words)
        {
            foreach (var word in words)
                if (description.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
            return false;
        }

        if (quantity > 0)
            return Mentions("found", "check", "count") || description.Length == 0 ? "found"
                : Mentions("return", "credit") ? "returned"
                : "other";
        return Mentions(
                "damage", "wet", "rust", "mould", "crush", "smash", "broken", "crack", "faulty", "thrown", "throw", "unsaleable",
                "destroy", "smudge", "dagamed")
            ? "damaged"
            : Mentions("missing", "lost", "stolen", "short") ? "lost"
            : "other";
    }

    static long Pence(decimal? price) => (long)Math.Round((price ?? 0) * 100, MidpointRounding.AwayFromZero);

    static int Sign(string type) => type == "discount" ? -1 : 1;

    static string Note(SourceLine line) => string.Create(
        CultureInfo.InvariantCulture, $"{line.Order} line {line.Number}{(line.Name.Length > 0 ? $": {line.Name}" : "")}");
}
