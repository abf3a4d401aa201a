using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>
/// What customer-service knows of an order's money and the process does not: until when it is held, and what a person has to
/// see to. An order is explained without it where that service is away.
/// </summary>
static class MoneyToSeeTo
{
    /// <summary>Null where the process has not asked for a payment, or nobody answers.</summary>
    public static async Task<JsonElement?> PaymentAsync(Api api, string orderId, CancellationToken cancel) =>
        await ReadAsync(api, $"/payments/{orderId}", cancel);

    /// <summary>The newest payments that a person has to see to; null when nobody answers.</summary>
    public static async Task<JsonElement?> ListAsync(Api api, int limit, CancellationToken cancel) =>
        (await ReadAsync(api, $"/payments?attention=true&limit={limit}", cancel))?.GetProperty("items");

    /// <summary>Null where there is nothing to say.</summary>
    public static string? Sentence(JsonElement payment) =>
        payment.TextOrNull("attention") is { } attention ? $"Its payment needs a person. {attention}"
        : payment.TextOrNull("captureBefore") is { } until
            ? $"Its payment is held by {payment.Text("provider")} until {until} ({Held(payment)}); "
                + "what is not captured by then is lost."
        : null;

    public static void Show(Output output, JsonElement? payments)
    {
        if (payments is not { } list)
        {
            output.Mark(null, "customer-service does not answer: whether payments need a person is not known.");
            return;
        }
        if (list.GetArrayLength() == 0) return;
        output.Line("Payments that need a person:");
        output.Table(
            ["order", "customer", "held#", "held until", "what"],
            list.EnumerateArray().Select(payment => new[]
            {
                payment.Text("orderId"), payment.Text("customerId"), Held(payment), payment.Text("captureBefore"),
                payment.Text("attention"),
            }));
    }

    static string Held(JsonElement payment) => OrderCommands.Price(
        payment.Text("voided") == "true" ? 0 : payment.Whole("authorized") - payment.Whole("captured"), payment);

    static async Task<JsonElement?> ReadAsync(Api api, string path, CancellationToken cancel)
    {
        try
        {
            return await api.GetAsync(ServiceNames.Customer, path, cancel) is { IsSuccess: true } answer ? answer.Body : null;
        }
        catch (ToolException)
        {
            return null;
        }
    }
}
