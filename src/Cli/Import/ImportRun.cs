using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Executes a plan through the public API. Every request has a key derived from the file and the line, so that an interrupted
/// or repeated import detects completed operations and executes the others.
/// </summary>
sealed class ImportRun(Patience patience, Ledger ledger, ImportPlan plan, ImportReport report)
{
    const int WaitSeconds = 30;
    static readonly string[] Undecided = [OrderStatuses.Pending, OrderStatuses.CancelPending];

    // By the operation's place in the plan.
    readonly ConcurrentDictionary<int, (string Id, string Status)> placed = new();

    public async Task RunAsync(int inFlight, CancellationToken cancel)
    {
        await new Schedule(inFlight).RunAsync(plan.Operations, ExecuteAsync, cancel);
        report.CountOrders(placed.Values.Select(order => order.Status));
    }

    async Task ExecuteAsync(int place, CancellationToken cancel)
    {
        var (fate, example) = plan.Operations[place] switch
        {
            PlaceOrder order => await PlaceAsync(place, order, cancel),
            CancelOrder cancellation => await CancelAsync(cancellation, cancel),
            AdjustStock adjustment => await AdjustAsync(adjustment, cancel),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is not an operation of an import."),
        };
        report.End(place, fate, example);
        patience.Completed();
    }

    async Task<(LineFate, string?)> PlaceAsync(int place, PlaceOrder order, CancellationToken cancel)
    {
        var body = OrderBody.Of(order, plan.Id);
        // The body is a part of the key: the file read with other options is another request.
        var reply = await patience.SendAsync(
            HttpMethod.Post, ServiceNames.Order, "/orders", cancel, body,
            RequestKey.Of(plan.Id, "order", body.ToJsonString()), WaitSeconds);
        JsonElement decided;
        if (reply.IsSuccess)
            decided = await DecidedAsync(reply.Body, cancel);
        else if (reply.Code == "duplicate_reference" && reply.Body.TextOrNull("orderId") is { } first)
        {
            var existing = await GetAsync(first, cancel);
            if (OrderDifference.Between(order, existing) is { Count: > 0 } differences)
            {
                report.Add(new OrderDifference(order.Reference, order.Numbers, first, differences));
                return (new(LineClass.Refused, "order_differs"), null);
            }
            decided = await DecidedAsync(existing, cancel);
        }
        else
        {
            report.Add(new LeftOutOrder(order.Reference, order.Numbers, [new(order.Numbers[0], reply.Error!, order.Reference)]));
            return Refused(null, reply);
        }
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
        var reply = await patience.SendAsync(
            HttpMethod.Post, ServiceNames.Order, $"/orders/{sale.Id}/cancel", cancel,
            new() { ["reason"] = CancelReasons.Customer }, RequestKey.Of(plan.Id, "cancel", cancellation.Note));
        // A 409 may stem from a cancellation by an earlier run, so the order's status decides.
        var order = await DecidedAsync(await GetAsync(sale.Id, cancel), cancel);
        placed[cancellation.Sale] = (sale.Id, order.Text("status"));
        return order.Text("status") == OrderStatuses.Cancelled
            ? (new(LineClass.Cancelled, "cancellation"), null)
            : Refused(cancellation.Note, reply);
    }

    async Task<(LineFate, string?)> AdjustAsync(AdjustStock adjustment, CancellationToken cancel)
    {
        if (adjustment.Sales.Any(sale => report.FateOf(sale)?.Class != LineClass.Ordered))
            return (new(LineClass.LeftOut, "sale_was_refused"), null);
        var reply = await ledger.AdjustAsync(adjustment.Sku, adjustment.Delta, adjustment.Reason, adjustment.Note, cancel);
        return reply.IsSuccess
            ? (new(LineClass.Adjusted, adjustment.Reason), null)
            : Refused(adjustment.Note, reply);
    }

    static (LineFate, string?) Refused(string? subject, ApiReply reply) => (
        new(LineClass.Refused, reply.Code.Length > 0 ? reply.Code : $"http_{reply.Status}"),
        subject is null ? null : $"{subject}: {reply.Error}");

    /// <summary>Polls until the order is decided, or its cancellation is complete.</summary>
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
        (await patience.GetAsync(ServiceNames.Order, $"/orders/{id}", cancel)).OrThrow().Body;
}
