using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Verification.Healing;

/// <summary>Progress of a saga, as far as a comparison needs it: read from the columns <c>steps</c> and <c>facts</c>.</summary>
/// <param name="IsPivoted">The order was confirmed.</param>
/// <param name="IsUndoing">The saga has a reason to compensate.</param>
/// <param name="Payment">Totals of the payment, as of the last reply.</param>
/// <param name="Phases">Phase of each step begun, by name; one of <see cref="StepStates"/>.</param>
/// <param name="CancelReason">Reason of a cancellation; null for none.</param>
public sealed record SagaProgressRow(
    bool IsPivoted, bool IsUndoing, PaymentTotals Payment, IReadOnlyDictionary<string, string> Phases,
    string? CancelReason = null)
{
    /// <summary>True once a step has completed.</summary>
    public bool HasDone(string step) => Phases.GetValueOrDefault(step) == StepStates.Completed;

    /// <summary>True once the command of a step was sent.</summary>
    public bool HasBegun(string step) => Phases.ContainsKey(step);

    public static SagaProgressRow Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var phases = new Dictionary<string, string>();
        if (root.TryGetProperty("steps", out var steps))
            foreach (var step in steps.EnumerateObject())
                if (step.Value.TryGetProperty("do", out var leg)) phases[step.Name] = leg[0].GetString()!;
        return new(
            root.TryGetProperty("pivoted", out var pivoted) && pivoted.GetBoolean(), root.TryGetProperty("reason", out _),
            root.TryGetProperty("payment", out var payment) ? Totals(payment) : PaymentTotals.None, phases,
            Text(root, "cancelReason"));
    }

    /// <summary>Reads the order that a saga carries.</summary>
    public static OrderPlaced ReadOrder(string json)
    {
        using var document = JsonDocument.Parse(json);
        var facts = document.RootElement;
        return new(
            facts.GetProperty("customerId").GetString()!, facts.GetProperty("currency").GetString()!,
            OrderLinesJson.Read(facts.GetProperty("lines").GetRawText()),
            facts.TryGetProperty("adjustments", out var adjustments) ? adjustments.GetInt64() : 0,
            new PaymentMethod(facts.GetProperty("provider").GetString()!, Text(facts, "token")),
            facts.TryGetProperty("maySetPrice", out var may) && may.GetBoolean(), Text(facts, "capture"),
            Text(facts, "channel") ?? Text(facts, "merchant"), Text(facts, "reference"));
    }

    // [authorized, captured, refunded, voided, version]; the last two only when true and above 0.
    static PaymentTotals Totals(JsonElement payment)
    {
        var (voided, version) = (false, 0L);
        for (var i = 3; i < payment.GetArrayLength(); i++)
            if (payment[i].ValueKind == JsonValueKind.Number) version = payment[i].GetInt64();
            else voided = payment[i].GetBoolean();
        return new(payment[0].GetInt64(), payment[1].GetInt64(), payment[2].GetInt64(), voided, version);
    }

    static string? Text(JsonElement facts, string name) =>
        facts.TryGetProperty(name, out var value) ? value.GetString() : null;
}
