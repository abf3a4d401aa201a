using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.OrderService;

namespace Orderwright.Cli.Import;

/// <summary>The request that places an order of a file.</summary>
static class OrderBody
{
    /// <summary>Names of columns by the request's property.</summary>
    static readonly Dictionary<string, string> Columns = new()
    {
        ["reference"] = "order", ["customerId"] = "customer", ["unitPrice"] = "unit_price", ["payment"] = "payment",
    };

    public static JsonObject Of(PlaceOrder order, string importId)
    {
        var payment = new JsonObject { ["provider"] = order.Payment.Provider };
        if (order.Payment.Token is { } token) payment["token"] = token;
        // The import and the number of lines in the file let verify find an order that lacks a line.
        var metadata = new JsonObject
        {
            ["channel"] = "import", ["import"] = importId,
            ["importLines"] = order.FileLines.ToString(CultureInfo.InvariantCulture),
        };
        if (order.Date.Length > 0) metadata["date"] = order.Date;
        if (order.Country.Length > 0) metadata["country"] = order.Country;
        var body = new JsonObject
        {
            ["customerId"] = order.CustomerId, ["currency"] = order.Currency, ["reference"] = order.Reference,
            ["lines"] = new JsonArray([.. order.OrderLines.Select(Line)]), ["payment"] = payment, ["metadata"] = metadata,
        };
        if (order.Adjustments.Count > 0)
            body["adjustments"] = new JsonArray([.. order.Adjustments.Select(adjustment => new JsonObject
            {
                ["type"] = adjustment.Type, ["label"] = adjustment.Label, ["amount"] = adjustment.Amount,
            })]);
        return body;
    }

    /// <summary>
    /// Refusals that the server would answer to the request, by the server's own rules, each with the line of the file.
    /// </summary>
    public static IReadOnlyList<BadLine> Refusals(PlaceOrder order, string importId)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(Of(order, importId));
        if (bytes.Length > StrictJson.OrderBodyLimit)
            return [new(order.Numbers[0], $"the order exceeds {StrictJson.OrderBodyLimit} bytes", order.Reference)];
        var (request, errors) = StrictJson.Parse(bytes, OrderJson.Default.OrderRequest);
        if (request is not null) errors = OrderChecks.Refuse(request) is { } refusal ? ErrorsOf(refusal) : [];
        return [.. errors.Select(error => ToLine(order, error))];
    }

    static List<ProblemError> ErrorsOf(Answer refusal) =>
    [
        .. JsonElement.Parse(refusal.Body.Span).Items("errors").Select(error =>
            new ProblemError(error.Text("pointer"), error.Text("code"), error.Text("detail"))),
    ];

    static BadLine ToLine(PlaceOrder order, ProblemError error)
    {
        var path = error.Pointer!.Split('/');
        var isLine = path is ["", "lines", var place, ..] && int.TryParse(place, CultureInfo.InvariantCulture, out _);
        var line = isLine ? order.Numbers[int.Parse(path[2], CultureInfo.InvariantCulture)] : order.Numbers[0];
        var name = path is ["", "payment", ..] ? "payment" : path[^1];
        return new BadLine(
            line, $"{Columns.GetValueOrDefault(name, name)}: {error.Detail.TrimEnd('.')} ({error.Code})", order.Reference);
    }

    static JsonObject Line(OrderLine line)
    {
        var body = new JsonObject { ["sku"] = line.Sku, ["quantity"] = line.Quantity };
        if (line.UnitPrice is { } price) body["unitPrice"] = price;
        return body;
    }
}
