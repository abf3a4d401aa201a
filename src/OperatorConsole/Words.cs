using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http.Approvals;

namespace Orderwright.OperatorConsole;

/// <summary>Formats of the console: durations, amounts, counts, ids and states.</summary>
public static class Words
{
    // States of a payment's captures and refunds.
    const string MovementSettled = "settled";
    const string MovementUnknown = "unknown";

    // States that only the console shows.
    public const string Incident = "incident";
    public const string Overdue = "overdue";
    public const string OutOfStock = "out of stock";
    public const string LowStock = "low";
    public const string NoConsumer = "none";
    public const string Failing = "failing";

    public static string Span(TimeSpan span) => span.Duration() switch
    {
        { TotalSeconds: < 1 } short_ => $"{(int)short_.TotalMilliseconds} ms",
        { TotalSeconds: < 100 } seconds => $"{(int)seconds.TotalSeconds} s",
        { TotalMinutes: < 100 } minutes => $"{(int)minutes.TotalMinutes} min",
        { TotalHours: < 48 } hours => $"{(int)hours.TotalHours} h",
        var days => $"{(int)days.TotalDays} d",
    };

    /// <summary>Measured duration in milliseconds; values from 1 to 100 s have a decimal.</summary>
    public static string Time(double ms) => ms < 1_000 ? $"{Number(ms, "0")} ms" : ms < 100_000 ? $"{Number(ms / 1_000)} s"
        : Span(TimeSpan.FromMilliseconds(ms));

    /// <summary>Timestamp for machines.</summary>
    public static string Iso(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Timestamp for tooltips.</summary>
    public static string Utc(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Time of day in UTC.</summary>
    public static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Amount in minor units with its currency; a dash if either is missing.</summary>
    public static string Money(JsonElement of, string name) => Money(of.Whole(name), of.Text("currency"));

    /// <inheritdoc cref="Money(JsonElement, string)"/>
    public static string Money(long? minor, string currency) =>
        minor is { } amount && Currencies.IsKnown(currency) ? Contracts.Money.Format(amount, currency) : "–";

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Count with its noun: "1 attempt", "3 attempts".</summary>
    public static string Count(long number, string noun) => $"{Count(number)} {noun}{(number == 1 ? "" : "s")}";

    public static string Number(double number, string format = "0.#") => number.ToString(format, CultureInfo.InvariantCulture);

    public static string Share(double share) => share.ToString("0.# %", CultureInfo.InvariantCulture);

    /// <summary>Last twelve digits of an id.</summary>
    public static string ShortId(string id) => Contracts.ShortId.Marked(id);

    /// <summary>Name of a step, or of its undo.</summary>
    public static string Step(JsonElement of) => (of.Flag("undo") ? "undo of " : "") + of.Text("step");

    /// <summary>Label of a published state.</summary>
    public static string State(string state) => state switch
    {
        StepStates.Asked => "in progress",
        StepStates.InDoubt => "in doubt",
        SagaFilters.RolledBack => "rolled back",
        BulkOutcomes.WentOn => "recovered",
        BulkOutcomes.StuckAgain => "still failing",
        BulkOutcomes.Undecided => "unchanged",
        BulkOutcomes.Acted => "acted on",
        BulkOutcomes.NotYet => "not acted on",
        BulkStates.Rest => "running",
        DifferenceKinds.ByHand => "resolved by an operator",
        DifferenceKinds.MissingThere => "missing at the gateway",
        _ => state.Replace('_', ' '),
    };

    /// <summary>CSS class of a state: <c>good</c>, <c>bad</c>, <c>busy</c>, <c>wait</c> or <c>off</c>.</summary>
    public static string Tone(string state) => state switch
    {
        OrderStatuses.Confirmed or OrderStatuses.Completed or PaymentStatuses.Paid or FulfilmentStatuses.Fulfilled
            or PaymentStates.Authorized or PaymentStates.Captured or AttemptStates.Succeeded or ReservationStates.Committed
            or MovementSettled or BulkStates.Done or BulkOutcomes.WentOn or ReconciliationStates.Agrees
            or DeliveryStates.Delivered or EndpointStates.Active or ApprovalStates.Approved => "good",
        OrderStatuses.Rejected or SagaStates.Failed or StepStates.Stuck or StepStates.GivenUp or PaymentStates.Declined
            or PaymentStates.UndoFailed or BulkOutcomes.StuckAgain or ReconciliationStates.Differs
            or MovementUnknown or EndpointStates.Disabled or Failing or Incident or Overdue or OutOfStock
            or NoConsumer => "bad",
        SagaStates.Waiting or StepStates.InDoubt or AttemptStates.InDoubt or PaymentStates.ActionRequired
            or OrderStatuses.CancelPending or BulkStates.Stopping or BulkStates.Stopped or BulkOutcomes.Undecided
            or LowStock => "wait",
        SagaStates.Running or SagaStates.Compensating or StepStates.Asked or OrderStatuses.Pending
            or PaymentStates.Authorizing or PaymentStates.Capturing or PaymentStates.Voiding or PaymentStates.Refunding
            or ReservationStates.Held or FulfilmentStatuses.PartiallyFulfilled or BulkStates.Canary or BulkStates.Rest
            or BulkOutcomes.Acted or ReconciliationStates.Listing or ReconciliationStates.Comparing => "busy",
        _ => "off",
    };
}
