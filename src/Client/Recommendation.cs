using System.Collections.Frozen;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>
/// The action that helps against the cause of an incident, by the incident's code. The console's buttons, its bulk actions and
/// the command line follow this one table.
/// </summary>
/// <param name="Verb">An action of <see cref="Repair"/>, or a verb of the command line.</param>
/// <param name="Reason">Why this action, and what to do before it. One or two sentences.</param>
/// <param name="Page">Runbook: name of a page in <c>docs/operations/incidents</c>.</param>
public sealed record Recommendation(string Verb, string Reason, string Page)
{
    const string Adopt = "adopt";
    const string Capture = "capture";
    const string Heal = "heal";
    const string Ship = "ship";

    // A code without an entry comes from a participant of the operator's own.
    const string OtherCodes = "incidents";

    /// <summary>Recommendations by code.</summary>
    public static FrozenDictionary<string, Recommendation> ByCode { get; } = new Dictionary<string, Recommendation>
    {
        [ReasonCodes.InDoubt] = new(
            Repair.Resolve,
            "The look-ups found nothing conclusive, so another retry finds nothing either. Search the gateway's dashboard for "
                + "the key, then record the result.",
            ReasonCodes.InDoubt),
        [ReasonCodes.CannotTell] = new(
            Repair.Resolve,
            "The gateway cannot tell the outcome. Search its dashboard for the key, then record the result.",
            ReasonCodes.InDoubt),
        [ReasonCodes.RefundFailed] = new(
            Repair.Resolve,
            "The gateway refused to return the money, and refuses a retry for the same cause. Return the money another way, "
                + "then record it.",
            ReasonCodes.RefundFailed),
        [ReasonCodes.AttemptsExhausted] = new(
            Repair.Retry,
            "The participant did not complete the step within its time. Once the service or the gateway is back, a retry "
                + "completes it.",
            ReasonCodes.AttemptsExhausted),
        [ReasonCodes.PaymentDeclined] = new(
            Repair.Retry,
            "The gateway declined the capture. Retry once; if the capture is declined again, cancel the order.",
            ReasonCodes.PaymentDeclined),
        [ReasonCodes.InsufficientFunds] = new(
            Repair.Retry,
            "The account did not cover the capture. Retry once; if the capture is declined again, cancel the order.",
            ReasonCodes.InsufficientFunds),
        [ReasonCodes.NotAuthorized] = new(
            Repair.Cancel,
            "No money is secured for the order, so a retry is refused again. Cancel the order and let the customer order again.",
            ReasonCodes.NotAuthorized),
        [ReasonCodes.AlreadyUndone] = new(
            Repair.Cancel,
            "Money or goods were returned outside the process, so a retry is refused again.",
            ReasonCodes.AlreadyUndone),
        [ReasonCodes.OutOfStock] = new(
            Repair.Retry,
            "The goods of the confirmed order are missing. Count or receive them, then retry; otherwise cancel the order.",
            ReasonCodes.OutOfStock),
        ["capture_failed"] = new(
            Capture, "The gateway declined the capture for shipped goods. Check its message, then capture again.",
            "capture_failed"),
        ["hold_ending"] = new(
            Ship, "The authorization expires soon: ship and capture, or cancel the order, before the money is lost.",
            "hold_ending"),
        ["hold_ended"] = new(
            Repair.Cancel, "The gateway no longer holds the money, so the customer has to pay again.", "hold_ended"),
        [ReasonCodes.NotAllocated] = new(
            Heal, "stock-service has lost the allocation of the shipped goods; healing allocates them again.",
            ReasonCodes.NotAllocated),
        [ReasonCodes.UnknownPayment] = new(
            Adopt, "customer-service has lost the payment; take over the charge that the gateway recorded.",
            ReasonCodes.UnknownPayment),
    }.ToFrozenDictionary();

    /// <summary>Recommendation for a code.</summary>
    public static Recommendation Of(string code) => ByCode.GetValueOrDefault(code) ?? new(
        Repair.Retry, "The participant refused a step that has to be done. Remove the cause its message names, then retry.",
        OtherCodes);

    /// <summary>Recommendation for an incident, or for the failed process of an order; null for any other process.</summary>
    /// <param name="saga">Item of <c>/incidents</c>, or the reply of <c>/sagas/{orderId}</c>.</param>
    public static Recommendation? For(JsonElement saga)
    {
        if (saga.TextOrNull("state") is { } state && state != SagaStates.Failed) return null;
        var found = Of(saga.Text("code"));
        var isUndoing = saga.Flag("compensating") || saga.Part("reason") is not null;
        return found.Verb == Repair.Cancel && isUndoing
            ? found with
            {
                Verb = Repair.Compensate,
                Reason = "The order is cancelled, and its undo waits for the stuck step. Compensating goes on without the step.",
            }
            : found;
    }

    /// <summary>Path of the runbook in the repository.</summary>
    public string Runbook => $"docs/operations/incidents/{Page}.md";

    /// <summary>Command for an incident, with the operator's words left open.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="step">The stuck step.</param>
    /// <param name="undo">The undo of the step is stuck, which can only be resolved as completed.</param>
    public string CommandFor(string orderId, string step, bool undo) => Verb switch
    {
        Repair.Resolve =>
            $"./orderwright resolve {orderId} {step} {(undo ? StepStates.Completed : "completed|rejected")} --reason '…'",
        Capture => $"POST /api/v1/payments/{orderId}/capture",
        Repair.Cancel => $"./orderwright cancel {orderId}",
        Heal => "./orderwright heal",
        Ship => $"./orderwright ship {orderId}",
        _ => $"./orderwright {Verb} {orderId} --reason '…'",
    };
}
