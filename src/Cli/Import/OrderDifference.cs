using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>A property in which an order of the file and the server's order of the same reference differ.</summary>
/// <param name="Property">Such as <c>customer</c> or <c>line</c>.</param>
/// <param name="InFile">Value in the file; null if only the server has one.</param>
/// <param name="OnServer">Value on the server; null if only the file has one.</param>
public sealed record Difference(string Property, string? InFile, string? OnServer);

/// <summary>An order that is not placed, because another order has the reference.</summary>
/// <param name="Lines">Lines of the file.</param>
/// <param name="OrderId">The server's order.</param>
/// <param name="Differences">All differences; at least one.</param>
public sealed record OrderDifference(
    string Reference, IReadOnlyList<int> Lines, string OrderId, IReadOnlyList<Difference> Differences)
{
    /// <summary>
    /// Compares customer, currency, lines (in any order) and adjustments. A line without a price in the file has the catalogue's
    /// price, which the file does not know. Empty if the order of the file is the server's order.
    /// </summary>
    public static IReadOnlyList<Difference> Between(PlaceOrder order, JsonElement existing)
    {
        var found = new List<Difference>();
        void Compare(string property, string inFile, string onServer)
        {
            if (inFile != onServer) found.Add(new(property, inFile, onServer));
        }

        Compare("customer", order.CustomerId, existing.Text("customerId"));
        Compare("currency", order.Currency, existing.Text("currency"));

        // Lines with a price first: they match one line only, where a line without a price matches any.
        var left = existing.Items("lines").ToList();
        foreach (var line in order.OrderLines.OrderBy(line => line.UnitPrice is null))
        {
            var at = left.FindIndex(other =>
                other.Text("sku") == line.Sku && other.Whole("quantity") == line.Quantity
                && (line.UnitPrice is null || other.Whole("unitPrice") == line.UnitPrice));
            if (at >= 0) left.RemoveAt(at);
            else found.Add(new("line", Text(line.Sku, line.Quantity, line.UnitPrice, order.Currency), null));
        }
        found.AddRange(left.Select(other => new Difference(
            "line", null,
            Text(other.Text("sku"), other.Whole("quantity") ?? 0, other.Whole("unitPrice"), existing.Text("currency")))));

        Compare(
            "adjustments",
            Adjustments(order.Adjustments),
            Adjustments(existing.Items("adjustments")
                .Select(other => (other.Text("type"), other.Text("label"), other.Whole("amount") ?? 0))));
        return found;
    }

    static string Text(string sku, long quantity, long? price, string currency)
    {
        var at = price is { } minor && Currencies.IsKnown(currency) ? $" at {Money.Format(minor, currency)}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{quantity} × {sku}{at}");
    }

    static string Adjustments(IEnumerable<(string Type, string Label, long Amount)> all)
    {
        var texts = all
            .Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Type} {each.Label} {each.Amount}"))
            .Order(StringComparer.Ordinal).ToList();
        return texts.Count > 0 ? string.Join(", ", texts) : "none";
    }
}
