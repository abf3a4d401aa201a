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
/// <param name="Outcome">
/// With <c>resolve</c>: <c>completed</c> or <c>rejected</c>; null while the operator still has to choose.
/// </param>
/// <param name="Undo">
/// With <c>resolve</c>: whether the undo of the step is resolved. The coordinator refuses the action if the other one is
/// outstanding. Null for either.
/// </param>
public sealed record OrderAction(string Verb, string OrderId, string? Step, string? Outcome, bool? Undo)
{
    public const string Retry = Repair.Retry;
    public const string Compensate = Repair.Compensate;
    public const string Resolve = Repair.Resolve;
    public const string Cancel = "cancel-order";
    public const string Adopt = "adopt";

    /// <summary>JSON options for displayed text: quotes and non-ASCII letters are not escaped.</summary>
    public static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static OrderAction Of(Visit visit) => new(
        visit["verb"] is Compensate or Resolve or Cancel or Adopt ? visit["verb"]! : Retry, visit.Id,
        visit["step"], visit["outcome"], visit["undo"] is { } undo ? undo == "true" : null);

    /// <summary>Address of the page that previews an action and asks for confirmation.</summary>
    public static string AddressOf(string orderId, string verb) => $"/orders/{orderId}/act?verb={verb}";

    /// <summary>Address for resolving a step.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="step">Step of the process, or an incident: both hold the step's name and the flag <c>undo</c>.</param>
    /// <param name="outcome"><c>completed</c> or <c>rejected</c>; null for a page that asks.</param>
    public static string AddressOf(string orderId, JsonElement step, string? outcome) =>
        $"{AddressOf(orderId, Resolve)}&step={step.Text("step")}{(outcome is null ? "" : $"&outcome={outcome}")}"
        + $"&undo={(step.Flag("undo") ? "true" : "false")}";

    /// <summary>
    /// The outcome that a step can be resolved with; null where the operator chooses. An undo and a step after the confirmation
    /// have to be done in the end, unless a payment is in doubt.
    /// </summary>
    /// <param name="step">Step of the process, or an incident.</param>
    public static string? OnlyOutcomeOf(JsonElement step)
    {
        var isForwardOnly = step.Text("step") is StepNames.CommitStock or StepNames.CapturePayment;
        var isPaymentInDoubt = step.Text("step") is StepNames.AuthorizePayment or StepNames.CapturePayment
            && (step.Text("phase") == StepStates.InDoubt || step.Text("code") is ReasonCodes.InDoubt or ReasonCodes.CannotTell);
        return (step.Flag("undo") || isForwardOnly) && !isPaymentInDoubt ? StepStates.Completed : null;
    }

    /// <summary>Address of the action that is recommended for an incident, or for the failed process of an order.</summary>
    public static string AddressOf(string orderId, JsonElement incident, Recommendation recommended) =>
        recommended.Verb switch
        {
            Repair.Resolve => AddressOf(orderId, incident, OnlyOutcomeOf(incident)),
            Repair.Cancel => AddressOf(orderId, Cancel),
            var verb => AddressOf(orderId, verb),
        };

    public string Title => Verb switch
    {
        Retry => "Retry now",
        Compensate => "Compensate",
        Cancel => "Cancel the order",
        Adopt => "Take the charge over",
        _ => $"Resolve {(Undo == true ? "undo of " : "")}{Step}{(Outcome is null ? "" : $" as {Outcome}")}",
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

    /// <summary>The operator still has to choose the outcome.</summary>
    public bool AsksForOutcome => Verb == Resolve && Outcome is null;

    /// <summary>A payment may be recorded with its reference at the gateway, or at the bank.</summary>
    public bool TakesReference => Verb == Resolve && Outcome == StepStates.Completed
        && Step is StepNames.AuthorizePayment or StepNames.CapturePayment;

    /// <summary>The action for <see cref="RepairEffect"/>; null for an action without an effect on the process.</summary>
    /// <param name="facts">The order, whose outstanding step decides where the address does not.</param>
    public Repair? RepairOf(OrderFacts facts) => Verb switch
    {
        Adopt => null,
        Cancel => new(Repair.Cancel),
        _ => new(
            Verb, Step, Outcome,
            Undo ?? facts.Outstanding.Any(step => step.Text("step") == Step && step.Flag("undo"))),
    };

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

    /// <summary>Body of the API call.</summary>
    /// <param name="reason">The operator's words.</param>
    /// <param name="reference">Reference of a payment; blank for none.</param>
    public JsonObject Body(string reason, string reference = "")
    {
        if (Verb != Resolve) return new() { ["reason"] = reason };
        var body = new JsonObject { ["step"] = Step, ["outcome"] = Outcome, ["reason"] = reason };
        if (Undo is { } undo) body["undo"] = undo;
        if (TakesReference && !string.IsNullOrWhiteSpace(reference)) body["reference"] = reference.Trim();
        return body;
    }

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
