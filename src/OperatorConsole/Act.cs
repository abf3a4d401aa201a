using System.Text.Json.Nodes;
using Orderwright.Contracts;

namespace Orderwright.OperatorConsole;

/// <summary>
/// What an operator is about to do to an order, as the address says it: the API call behind it, and the same for a
/// terminal.
/// </summary>
/// <param name="Verb"><c>retry, compensate, resolve</c> of the process, or <c>cancel-order</c>.</param>
/// <param name="OrderId">Whose process.</param>
/// <param name="Step">With <c>resolve</c>.</param>
/// <param name="Outcome">With <c>resolve</c>: <c>completed</c> or <c>rejected</c>.</param>
public sealed record Act(string Verb, string OrderId, string? Step, string? Outcome)
{
    public const string CancelOrder = "cancel-order";

    /// <summary>What order-service takes as a reason.</summary>
    public static Act Of(Visit visit) => new(
        visit["verb"] is "compensate" or "resolve" or CancelOrder ? visit["verb"]! : "retry", visit.Id,
        visit["step"], visit["outcome"]);

    public string Title => Verb switch
    {
        "retry" => "Retry now",
        "compensate" => "Compensate",
        CancelOrder => "Cancel the order",
        _ => $"Resolve {Step} as {Outcome}",
    };

    public string Meaning => Verb switch
    {
        "retry" => "Everything outstanding is asked again, now. What is stuck gets all its time anew.",
        "compensate" => "Everything is undone. What is stuck is not awaited but undone, whether it happened or not.",
        CancelOrder => "order-service cancels the order, unless it was fulfilled; the process then undoes everything.",
        _ => "You say what became of the step. A payment is settled by your word, unless its gateway has said otherwise.",
    };

    public bool IsOrders => Verb == CancelOrder;

    public string Service => IsOrders ? ServiceNames.Order : ServiceNames.Coordinator;

    public string Path => IsOrders ? $"/orders/{OrderId}/cancel" : $"/sagas/{OrderId}/{Verb}";

    /// <summary>What the process would do once this is done, where that is for another to say; null elsewhere.</summary>
    public string? Next => IsOrders ? $"/sagas/{OrderId}/cancel?preview=true&by={ServiceNames.Order}" : null;

    /// <summary>A reason that a preview takes.</summary>
    public JsonObject ALook => Body(IsOrders ? CancelReasons.Customer : "a look");

    public JsonObject Body(string reason) => Verb == "resolve"
        ? new() { ["step"] = Step, ["outcome"] = Outcome, ["reason"] = reason }
        : new() { ["reason"] = reason };

    public string CurlAt(string origin) =>
        $"curl -X POST {origin}/api/v1{Path} -H 'Content-Type: application/json' "
        + $"-d '{Body(IsOrders ? CancelReasons.Customer : "…").ToJsonString(Readable)}'";

    public string Tool => Verb switch
    {
        "resolve" => $"./orderwright resolve {OrderId} {Step} {Outcome} --reason '…'",
        CancelOrder => $"./orderwright cancel {OrderId} --reason customer",
        _ => $"./orderwright {Verb} {OrderId} --reason '…'",
    };

    /// <summary>JSON as people write it, for the shell.</summary>
    public static readonly System.Text.Json.JsonSerializerOptions Readable =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
