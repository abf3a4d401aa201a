using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>Operator's action on an order.</summary>
/// <param name="Verb">One of the constants of this type.</param>
/// <param name="Step">Step to resolve, for <see cref="Resolve"/>.</param>
/// <param name="Outcome"><c>completed</c> or <c>rejected</c>, for <see cref="Resolve"/>.</param>
/// <param name="IsUndo">The undo of the step is outstanding, not the step.</param>
public sealed record Repair(string Verb, string? Step = null, string? Outcome = null, bool IsUndo = false)
{
    public const string Retry = "retry";
    public const string Compensate = "compensate";
    public const string Resolve = "resolve";

    /// <summary>Cancellation of the order at order-service.</summary>
    public const string Cancel = "cancel";

    public bool IsCompleted => Outcome == StepStates.Completed;
}

/// <summary>Replies of the services about an order, which the effect of a <see cref="Repair"/> depends on.</summary>
public sealed record OrderFacts(JsonElement Saga, ApiReply Order, ApiReply Payment, ApiReply Reservation)
{
    static readonly string[] OpenAttempts =
        [AttemptStates.Open, AttemptStates.Retry, AttemptStates.InDoubt, AttemptStates.Waiting];

    /// <summary>Reads the facts of an order.</summary>
    /// <param name="get">Reads a path of a service.</param>
    /// <param name="orderId">The order.</param>
    public static async Task<OrderFacts> LoadAsync(Func<string, string, Task<ApiReply>> get, string orderId)
    {
        var id = Uri.EscapeDataString(orderId);
        var replies = await Task.WhenAll(
            get(ServiceNames.Coordinator, $"/sagas/{id}"), get(ServiceNames.Order, $"/orders/{id}"),
            get(ServiceNames.Customer, $"/payments/{id}"), get(ServiceNames.Stock, $"/reservations?orderId={id}"));
        return new(replies[0].Body, replies[1], replies[2], replies[3]);
    }

    /// <summary>Steps and undos without a final reply, in the order of their first attempts.</summary>
    public IEnumerable<JsonElement> Outstanding => Saga.Items("timeline").Where(step => step.Text("phase")
        is StepStates.Asked or StepStates.Waiting or StepStates.InDoubt or StepStates.Stuck);

    /// <summary>Completed steps are being undone, or will be.</summary>
    public bool IsUndoing => Saga.Part("reason") is not null;

    public string Customer => Saga.TextOrNull("customerId") ?? Order.Body.TextOrNull("customerId") ?? "the customer";

    public string Currency => Saga.TextOrNull("currency") ?? Order.Body.Text("currency");

    /// <summary>Total of the order; null until priced.</summary>
    public long? Total => Saga.Whole("total") ?? Order.Body.Whole("total");

    public string Gateway => Payment.Body.TextOrNull("provider") ?? "the payment provider";

    /// <summary>Money taken and not returned, in minor units.</summary>
    public long Taken => (Payment.Body.Whole("captured") ?? 0) - (Payment.Body.Whole("refunded") ?? 0);

    /// <summary>Money held and not taken.</summary>
    public long Held => Payment.Body.Flag("voided") ? 0
        : (Payment.Body.Whole("authorized") ?? 0) - (Payment.Body.Whole("captured") ?? 0);

    /// <summary>The unfinished attempt at the gateway, of which a payment has at most one.</summary>
    public JsonElement? Attempt => Payment.Body.Items("attempts").Where(attempt => OpenAttempts.Contains(attempt.Text("state")))
        .Select(attempt => (JsonElement?)attempt).LastOrDefault();

    /// <summary>Goods of the order in words: <c>2 × MUG-01, 1 × TEA-05</c>.</summary>
    public string Goods
    {
        get
        {
            var lines = Reservation.Items.SelectMany(reservation => reservation.Items("lines")).ToList();
            if (lines.Count == 0) lines = [.. Order.Body.Items("lines")];
            return lines.Count == 0 ? "the goods"
                : string.Join(", ", lines.Take(3).Select(line => $"{line.Text("quantity")} × {line.Text("sku")}"))
                    + (lines.Count > 3 ? $" and {lines.Count - 3} more" : "");
        }
    }

    /// <summary>State of the reserved goods; null without a reservation.</summary>
    public string? GoodsState => Reservation.Items.Select(reservation => reservation.TextOrNull("state")).FirstOrDefault();

    public string Money(long minor) => Currencies.IsKnown(Currency) ? Contracts.Money.Format(minor, Currency) : "an amount";
}
