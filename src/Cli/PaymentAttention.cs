using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// Facts known to customer-service alone: expiries of authorizations, and payments in need of an operator. While
/// customer-service is unavailable, verbs omit the facts.
/// </summary>
static class PaymentAttention
{
    /// <summary>The payment of an order; null before a payment is requested, or while customer-service is unavailable.</summary>
    public static Task<JsonElement?> PaymentAsync(ApiClient client, string orderId, CancellationToken cancel) =>
        ReadAsync(client, $"/payments/{orderId}", cancel);

    /// <summary>The newest payments in need of an operator; null while customer-service is unavailable.</summary>
    public static async Task<JsonElement?> ListAsync(ApiClient client, int limit, CancellationToken cancel) =>
        (await ReadAsync(client, $"/payments?attention=true&limit={limit}", cancel))?.GetProperty("items");

    /// <summary>
    /// Orders whose payment is in doubt; none while customer-service is unavailable, and for a caller without the scope.
    /// </summary>
    public static async Task<HashSet<string>> InDoubtAsync(ApiClient client, CancellationToken cancel) =>
        await ReadAsync(client, "/payments?inDoubt=true&limit=200", cancel) is { } page
            ? [.. page.Items().Select(payment => payment.Text("orderId"))] : [];

    /// <summary>The payment's state in a sentence; null for an unremarkable payment.</summary>
    public static string? Sentence(JsonElement payment) =>
        payment.TextOrNull("attention") is { } attention ? $"The payment needs attention. {attention}"
        : payment.TextOrNull("captureBefore") is { } until
            ? $"The payment is held by {payment.Text("provider")} until {until} ({Held(payment)}); "
                + "capture it before then, or the authorization is lost."
        : null;

    public static void Show(Output output, JsonElement? payments)
    {
        if (payments is not { } list)
        {
            output.Mark(null, "customer-service is unavailable: there may be payments that need attention.");
            return;
        }
        if (list.GetArrayLength() == 0) return;
        output.Line("Payments that need attention:");
        output.Table(
            ["order", "customer", "held#", "held until", "attention"],
            list.EnumerateArray().Select(payment => new[]
            {
                output.Id(payment.Text("orderId")), payment.Text("customerId"), Held(payment), payment.Text("captureBefore"),
                payment.Text("attention"),
            }));
    }

    static string Held(JsonElement payment) => OrderCommands.Price(
        payment.Flag("voided") ? 0 : payment.Whole("authorized") - payment.Whole("captured"), payment);

    static async Task<JsonElement?> ReadAsync(ApiClient client, string path, CancellationToken cancel) =>
        await client.GetAsync(ServiceNames.Customer, path, cancel) is { IsSuccess: true } reply ? reply.Body : null;
}
