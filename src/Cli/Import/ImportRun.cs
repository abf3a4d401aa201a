using System.Collections.Concurrent;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli.Import;

/// <summary>
/// Carries a plan out through the public API. Every request has a key made from the file and the line, so that an
/// interrupted or repeated import finds what is done and does the rest.
/// </summary>
sealed class ImportRun(Patience patience, Ledger ledger, ImportPlan plan, ImportReport report)
{
    const int WaitSeconds = 30;
    static readonly string[] Undecided = [OrderStatuses.Pending, OrderStatuses.CancelPending];

    // Of each order that was placed: its id and how it stands.
    readonly ConcurrentDictionary<int, (string Id, string Status)> placed = new();

    public async Task RunAsync(int inFlight, CancellationToken cancel)
    {
        await new Schedule(inFlight).RunAsync(plan.Operations, CarryOutAsync, cancel);
        report.CountOrders(placed.Values.Select(order => order.Status));
    }

    async Task CarryOutAsync(int place, CancellationToken cancel)
    {
        var (fate, example) = plan.Operations[place] switch
        {
            PlaceOrder order => await PlaceAsync(place, order, cancel),
            CancelOrder cancellation => await CancelAsync(cancellation, cancel),
            AdjustStock adjustment => await AdjustAsync(adjustment, cancel),
            var other => throw new InvalidOperationException($"Nobody carries out {other.GetType().Name}."),
        };
        report.End(place, fate, example);
        patience.Moved();
    }

    async Task<(LineFate, string?)> PlaceAsync(int place, PlaceOrder order, CancellationToken cancel)
    {
        var answer = await patience.AskAsync(
            HttpMethod.Post, ServiceNames.Order, "/orders", JsonBody.Of(json => Write(json, order)),
            RequestKey.Of(plan.Id, "order", order.Reference), WaitSeconds, cancel);
        JsonElement decided;
        if (answer.IsSuccess)
            decided = await DecidedAsync(answer.Body, cancel);
        else if (answer.Code == "duplicate_reference" && answer.Body.TextOrNull("orderId") is { } first)
            decided = await DecidedAsync(await GetAsync(first, cancel), cancel);
        else
            return Refused($"order {order.Reference}", answer);
        var status = decided.Text("status");
        placed[place] = (decided.Text("id"), status);
        return (status switch
        {
            OrderStatuses.Confirmed or OrderStatuses.Completed => new(LineClass.Ordered, "confirmed"),
            OrderStatuses.Cancelled => new(LineClass.Cancelled, "order_cancelled"),
            _ => new LineFate(LineClass.Refused, decided.Part("reason")?.TextOrNull("code") ?? status),
        }, null);
    }

    async Task<(LineFate, string?)> CancelAsync(CancelOrder cancellation, CancellationToken cancel)
    {
        if (!placed.TryGetValue(cancellation.Sale, out var sale)
            || sale.Status is not (OrderStatuses.Confirmed or OrderStatuses.Cancelled))
            return (new(LineClass.LeftOut, "sale_was_refused"), null);
        var answer = await patience.AskAsync(
            HttpMethod.Post, ServiceNames.Order, $"/orders/{sale.Id}/cancel",
            JsonBody.Of(json => json.WriteString("reason", "customer")),
            RequestKey.Of(plan.Id, "cancel", cancellation.Note), 0, cancel);
        // A 409 may mean that an earlier run has cancelled it: how the order stands decides.
        var order = await DecidedAsync(await GetAsync(sale.Id, cancel), cancel);
        placed[cancellation.Sale] = (sale.Id, order.Text("status"));
        return order.Text("status") == OrderStatuses.Cancelled
            ? (new(LineClass.Cancelled, "cancellation"), null)
            : Refused(cancellation.Note, answer);
    }

    async Task<(LineFate, string?)> AdjustAsync(AdjustStock adjustment, CancellationToken cancel)
    {
        if (adjustment.Sales.Any(sale => report.FateOf(sale)?.Class != LineClass.Ordered))
            return (new(LineClass.LeftOut, "sale_was_refused"), null);
        var answer = await ledger.AdjustAsync(adjustment.Sku, adjustment.Delta, adjustment.Reason, adjustment.Note, cancel);
        return answer.IsSuccess
            ? (new(LineClass.Adjusted, adjustment.Reason), null)
            : Refused(adjustment.Note, answer);
    }

    static (LineFate, string?) Refused(string what, ApiAnswer answer) =>
        (new(LineClass.Refused, answer.Code.Length > 0 ? answer.Code : $"http_{answer.Status}"), $"{what}: {answer.Detail}");

    /// <summary>Asks until the order is decided and everything that had to be undone is.</summary>
    async Task<JsonElement> DecidedAsync(JsonElement order, CancellationToken cancel)
    {
        for (var attempt = 0; Undecided.Contains(order.Text("status")); attempt++)
        {
            await patience.PauseAsync(
                Math.Min(attempt, 5), null, $"Order {order.Text("id")} is still {order.Text("status")}.", cancel);
            order = await GetAsync(order.Text("id"), cancel);
        }
        return order;
    }

    async Task<JsonElement> GetAsync(string id, CancellationToken cancel) =>
        (await patience.AskAsync(HttpMethod.Get, ServiceNames.Order, $"/orders/{id}", null, null, 0, cancel)).OrThrow().Body;

    static void Write(Utf8JsonWriter json, PlaceOrder order)
    {
        json.WriteString("customerId", order.CustomerId);
        json.WriteString("currency", order.Currency);
        json.WriteString("reference", order.Reference);
        json.WriteStartArray("lines");
        foreach (var line in order.OrderLines)
        {
            json.WriteStartObject();
            json.WriteString("sku", line.Sku);
            json.WriteNumber("quantity", line.Quantity);
            if (line.UnitPrice is { } price) json.WriteNumber("unitPrice", price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (order.Adjustments.Count > 0)
        {
            json.WriteStartArray("adjustments");
            foreach (var (type, label, amount) in order.Adjustments)
            {
                json.WriteStartObject();
                json.WriteString("type", type);
                json.WriteString("label", label);
                json.WriteNumber("amount", amount);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("payment");
        json.WriteString("provider", order.Payment.Provider);
        if (order.Payment.Token is { } token) json.WriteString("token", token);
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        json.WriteString("channel", "import");
        if (order.Date.Length > 0) json.WriteString("date", order.Date);
        if (order.Country.Length > 0) json.WriteString("country", order.Country);
        json.WriteEndObject();
    }
}
