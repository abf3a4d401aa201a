using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.OperatorConsole;

/// <summary>Operator action on an order, read from the address, with the API call and the equivalent commands.</summary>
/// <param name="Verb">
/// <c>retry</c>, <c>compensate</c> or <c>resolve</c> of the process, <see cref="Cancel"/>, or <see cref="Adopt"/>.
/// </param>
/// <param name="OrderId">The order.</param>
/// <param name="Step">With <c>resolve</c>.</param>
/// <param name="Outcome">With <c>resolve</c>: <c>completed</c> or <c>rejected</c>.</param>
/// <param name="IsUndo">The step is being undone, so <c>resolve</c> records the outcome of the undo.</param>
public sealed record OrderAction(string Verb, string OrderId, string? Step, string? Outcome, bool IsUndo)
{
    public const string Retry = "retry";
    public const string Compensate = "compensate";
    public const string Resolve = "resolve";
    public const string Cancel = "cancel-order";
    public const string Adopt = "adopt";

    /// <summary>JSON options for displayed text: quotes and non-ASCII letters are not escaped.</summary>
    public static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static OrderAction Of(Visit visit) => new(
        visit["verb"] is Compensate or Resolve or Cancel or Adopt ? visit["verb"]! : Retry, visit.Id,
        visit["step"], visit["outcome"], visit["undo"] == "true");

    /// <summary>Address of the page that previews an action and asks for confirmation.</summary>
    public static string AddressOf(string orderId, string verb) => $"/orders/{orderId}/act?verb={verb}";

    /// <summary>Address for resolving a step.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="step">Step of the process, or an incident: both hold the step's name and the flag <c>undo</c>.</param>
    /// <param name="outcome"><c>completed</c> or <c>rejected</c>.</param>
    public static string AddressOf(string orderId, JsonElement step, string outcome) =>
        $"{AddressOf(orderId, Resolve)}&step={step.Text("step")}&outcome={outcome}{(step.Flag("undo") ? "&undo=true" : "")}";

    public string Title => Verb switch
    {
        Retry => "Retry now",
        Compensate => "Compensate",
        Cancel => "Cancel the order",
        Adopt => "Take the charge over",
        _ => $"Resolve {(IsUndo ? "undo of " : "")}{Step} as {Outcome}",
    };

    public string Meaning => Verb switch
    {
        Retry => "Sends every outstanding command again now. Timeouts of stuck steps restart.",
        Compensate => "Undoes everything. A stuck step is not awaited: it is undone, whether or not it happened.",
        Cancel => "order-service cancels the order unless it has been fulfilled. The process then undoes everything.",
        Adopt => "Creates the order's lost payment from the gateway's record of the charge. No money moves.",
        _ => "Records the outcome of the step. A payment is settled by this record, unless its gateway has reported otherwise.",
    };

    public bool IsCancel => Verb == Cancel;

    public string Service => Verb switch
    {
        Cancel => ServiceNames.Order,
        Adopt => ServiceNames.Customer,
        _ => ServiceNames.Coordinator,
    };

    public string Path => Verb switch
    {
        Cancel => $"/orders/{OrderId}/cancel",
        Adopt => $"/payments/{OrderId}/adopt",
        _ => $"/sagas/{OrderId}/{Verb}",
    };

    /// <summary>
    /// Path that previews the effect on the process, where the action itself goes to another service; otherwise null.
    /// </summary>
    public string? ProcessPath => IsCancel ? $"/sagas/{OrderId}/cancel?preview=true&by={ServiceNames.Order}" : null;

    /// <summary>Body of a preview, which requires a reason like the action.</summary>
    public JsonObject PreviewBody => Body(IsCancel ? CancelReasons.Customer : "preview");

    public JsonObject Body(string reason) => Verb == Resolve
        ? new() { ["step"] = Step, ["outcome"] = Outcome, ["reason"] = reason }
        : new() { ["reason"] = reason };

    public string CurlAt(string origin) =>
        $"curl -X POST {origin}/api/v1{Path} -H 'Content-Type: application/json' "
        + $"-d '{Body(IsCancel ? CancelReasons.Customer : "…").ToJsonString(Readable)}'";

    public string Tool => Verb switch
    {
        Resolve => $"./orderwright resolve {OrderId} {Step} {Outcome} --reason '…'",
        Cancel => $"./orderwright cancel {OrderId} --reason {CancelReasons.Customer}",
        _ => $"./orderwright {Verb} {OrderId} --reason '…'",
    };
}
