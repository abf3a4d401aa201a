using System.Globalization;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>Calls to gateways whose outcome is unknown, in words.</summary>
public static class InDoubt
{
    /// <summary>The attempt of a payment whose outcome is unknown; null if none is.</summary>
    public static JsonElement? AttemptOf(JsonElement payment) => payment.Items("attempts")
        .Where(attempt => attempt.Flag("inDoubt")).Select(attempt => (JsonElement?)attempt).LastOrDefault();

    /// <summary>Sentence for a payment in doubt; null for any other payment.</summary>
    public static string? Sentence(JsonElement payment)
    {
        if (AttemptOf(payment) is not { } attempt) return null;
        var amount = attempt.Whole("amount") is { } minor && Currencies.IsKnown(payment.Text("currency"))
            ? Money.Format(minor, payment.Text("currency")) : "an amount";
        var since = attempt.Time("startedAt") is { } at
            ? $" since {at.UtcDateTime.ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}" : "";
        return $"In doubt: {payment.Text("provider")} was asked to {attempt.Text("operation")} {amount} and has not told the "
            + $"outcome{since}. It may have happened; it is looked up, and never repeated or undone on a guess.";
    }
}
