using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>What the sandbox can be told to do by the token that stands for the card.</summary>
public static class SandboxTokens
{
    public const string Visa = "tok_visa";
    public const string Declined = "tok_declined";
    public const string InsufficientFunds = "tok_insufficient_funds";
    public const string RequiresAction = "tok_requires_action";

    /// <summary>Answers after 2 s.</summary>
    public const string Slow = "tok_slow";

    /// <summary>Answers 503 once per key, then does it.</summary>
    public const string Error = "tok_error";

    /// <summary>Does it, and the answer is lost.</summary>
    public const string TimeoutAfterCharge = "tok_timeout_after_charge";

    /// <summary>The request is lost on its way, once per key.</summary>
    public const string TimeoutBeforeCharge = "tok_timeout_before_charge";
    public const string RefundFails = "tok_refund_fails";
}

/// <summary>The sandbox's own record of a card transaction. Money in minor units.</summary>
public sealed record SandboxCharge(
    string Id, string Key, Guid OrderId, string Token, string Currency, string State, long AmountMinor,
    long AuthorizedMinor, long CapturedMinor, long RefundedMinor, bool Voided, string? Code, string? Message)
{
    /// <summary>Then it can be captured no more; null: for ever.</summary>
    public DateTimeOffset? HoldsUntil { get; init; }
}

/// <summary>A request it has seen, so that a repetition under the same key gets the first answer.</summary>
/// <param name="Key">The caller's.</param>
/// <param name="Operation">What was asked.</param>
/// <param name="Outcome">
/// <c>none</c> while it was seen and not done; <c>succeeded</c>, <c>declined</c>.
/// </param>
/// <param name="Code">Of a refusal.</param>
/// <param name="Message">Of a refusal.</param>
public sealed record SandboxRequest(string Key, string Operation, string Outcome, string? Code, string? Message);

/// <summary>
/// What the sandbox does with one request. <paramref name="Lost"/>: the answer never arrives.
/// </summary>
public sealed record SandboxDecision(
    GatewayResult Result, SandboxRequest? Request = null, SandboxCharge? Charge = null, bool Lost = false);

/// <summary>
/// The sandbox as a gateway sees itself: charges by id, requests by key, nothing about our payments. Pure.
/// </summary>
public static class SandboxRules
{
    public const string Find = "find";
    public const string Approve = "approve";
    public const string Refuse = "refuse";

    const string None = "none";
    const string Succeeded = "succeeded";
    const string DeclinedOutcome = "declined";

    const string RequiresAction = "requires_action";
    const string Authorized = "authorized";
    const string Captured = "captured";
    const string Voided = "voided";
    const string Refunded = "refunded";
    const string Declined = "declined";

    /// <summary>Its own ids: the same key always makes the same one.</summary>
    public static string IdOf(string prefix, string key) =>
        $"{prefix}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 12))}";

    /// <summary>The charge that a request is about: the one it would make, or the one it names.</summary>
    public static string ChargeOf(GatewayRequest request) =>
        request.Operation == GatewayOperations.Authorize ? IdOf("ch", request.Key) : request.Reference ?? "";

    /// <summary>Does what is asked, once per key.</summary>
    /// <param name="asked">What is asked.</param>
    /// <param name="seen">The same request, if it came before.</param>
    /// <param name="charge">The charge it is about.</param>
    /// <param name="now">The sandbox's own time.</param>
    /// <param name="holdsFor">How long it holds money; null: for ever.</param>
    public static SandboxDecision Do(
        GatewayRequest asked, SandboxRequest? seen, SandboxCharge? charge, DateTimeOffset now = default,
        TimeSpan? holdsFor = null)
    {
        if (seen is not null && seen.Outcome != None) return new(Answer(asked, seen, charge));
        return asked.Operation switch
        {
            GatewayOperations.Authorize => Authorize(asked, seen, now + holdsFor),
            GatewayOperations.Capture => Capture(asked, charge, now),
            GatewayOperations.Void => Void(asked, charge),
            GatewayOperations.Refund => Refund(asked, charge),
            var other => throw new InvalidOperationException($"The sandbox knows no '{other}'."),
        };
    }

    /// <summary>What became of a request; has no effect.</summary>
    public static GatewayResult LookUp(GatewayRequest asked, SandboxRequest? seen, SandboxCharge? charge) =>
        seen is null || seen.Outcome == None
            ? new GatewayResult.NeverHappened(Final: false)
            : Answer(asked, seen, charge);

    /// <summary>
    /// What the customer did on the page of their bank; null when there is nothing to do any more.
    /// </summary>
    public static SandboxCharge? Act(SandboxCharge charge, bool approve) =>
        charge.State != RequiresAction ? null
        : approve ? charge with { State = Authorized, AuthorizedMinor = charge.AmountMinor }
        : charge with
        {
            State = Declined, Code = "authentication_failed", Message = "The customer did not approve.",
        };

    /// <summary>What an authorization has come to.</summary>
    public static GatewayResult ResultOf(SandboxCharge charge) => charge.State switch
    {
        RequiresAction =>
            new GatewayResult.ActionRequired(charge.Id, $"/api/v1/sandbox/actions/{charge.OrderId:D}"),
        Declined => new GatewayResult.Declined(charge.Code!, charge.Message!),
        Voided when charge.AuthorizedMinor == 0 =>
            new GatewayResult.Declined("cancelled", "It was cancelled before approval."),
        _ => new GatewayResult.Succeeded(charge.Id) { HoldsUntil = charge.HoldsUntil },
    };

    /// <summary>A line of its list.</summary>
    public static ListedCharge Listed(
        string id, Guid orderId, string currency, string state, long authorized, long captured, long refunded,
        DateTimeOffset createdAt) =>
        new(id, orderId, currency, state, state == Authorized ? authorized - captured : 0, captured, refunded, createdAt);

    /// <summary>Where its list goes on: by when charges were made, then by id.</summary>
    public static string WriteCursor(DateTimeOffset time, string id) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.ToUnixTimeMilliseconds()} {id}");

    /// <summary>Throws <see cref="FormatException"/> for what was not written by <see cref="WriteCursor"/>.</summary>
    public static (DateTimeOffset Time, string Id) ReadCursor(string cursor) =>
        cursor.Split(' ', 2) is [var milliseconds, var id]
        && long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            ? (DateTimeOffset.FromUnixTimeMilliseconds(time), id)
            : throw new FormatException($"\"{cursor}\" is no place in the list.");

    static GatewayResult Answer(GatewayRequest asked, SandboxRequest seen, SandboxCharge? charge) =>
        seen.Operation == GatewayOperations.Authorize ? ResultOf(charge!)
        : seen.Outcome == Succeeded ? new GatewayResult.Succeeded(IdOf(seen.Operation, asked.Key))
        : new GatewayResult.Declined(seen.Code!, seen.Message!);

    static SandboxDecision Authorize(GatewayRequest asked, SandboxRequest? seen, DateTimeOffset? holdsUntil)
    {
        var token = asked.Token ?? "";
        if (seen is null && token == SandboxTokens.Error)
            return new(new GatewayResult.Unavailable("503 Service Unavailable"), Seen(asked, None));
        if (seen is null && token == SandboxTokens.TimeoutBeforeCharge)
            return new(new GatewayResult.Unknown("lost on its way"), Seen(asked, None), Lost: true);

        var charge = new SandboxCharge(
            IdOf("ch", asked.Key), asked.Key, asked.OrderId, token, asked.Currency, Declined, asked.AmountMinor,
            AuthorizedMinor: 0, CapturedMinor: 0, RefundedMinor: 0, Voided: false, Code: null, Message: null)
        {
            HoldsUntil = holdsUntil,
        };
        charge = token switch
        {
            SandboxTokens.RequiresAction => charge with { State = RequiresAction },
            SandboxTokens.Visa or SandboxTokens.Slow or SandboxTokens.Error or SandboxTokens.TimeoutAfterCharge
                or SandboxTokens.TimeoutBeforeCharge or SandboxTokens.RefundFails =>
                charge with { State = Authorized, AuthorizedMinor = asked.AmountMinor },
            SandboxTokens.InsufficientFunds =>
                charge with { Code = "insufficient_funds", Message = "The card's account does not cover the amount." },
            SandboxTokens.Declined => charge with { Code = "card_declined", Message = "The card was declined." },
            _ => charge with { Code = "unknown_token", Message = "The sandbox knows no such token." },
        };
        return new(
            ResultOf(charge), Seen(asked, charge.State == Declined ? DeclinedOutcome : Succeeded), charge,
            Lost: token == SandboxTokens.TimeoutAfterCharge);
    }

    static SandboxDecision Capture(GatewayRequest asked, SandboxCharge? charge, DateTimeOffset now) =>
        charge is null ? Decline(asked, "no_such_charge", "There is no such charge.")
        : charge.HoldsUntil <= now ? Decline(asked, "authorization_expired", "The money is not held any more.")
        : charge.State != Authorized ? Decline(asked, "not_capturable", $"The charge is {charge.State}.")
        : asked.AmountMinor > charge.AuthorizedMinor - charge.CapturedMinor
            ? Decline(asked, "amount_too_large", "More than is held.")
        : Done(asked, charge with
        {
            // After the last one nothing can be captured any more, whatever is left of it.
            State = asked.IsLast || asked.AmountMinor == charge.AuthorizedMinor - charge.CapturedMinor
                ? Captured
                : Authorized,
            CapturedMinor = charge.CapturedMinor + asked.AmountMinor,
        });

    static SandboxDecision Void(GatewayRequest asked, SandboxCharge? charge) =>
        charge is null ? Decline(asked, "no_such_charge", "There is no such charge.")
        : charge is { State: Authorized, CapturedMinor: > 0 }
            ? Done(asked, charge with
            {
                State = charge.RefundedMinor == charge.CapturedMinor ? Refunded : Captured, Voided = true,
            })
        : charge.State is Authorized or RequiresAction ? Done(asked, charge with { State = Voided, Voided = true })
        : Decline(asked, "not_voidable", $"The charge is {charge.State}.");

    static SandboxDecision Refund(GatewayRequest asked, SandboxCharge? charge)
    {
        if (charge is null) return Decline(asked, "no_such_charge", "There is no such charge.");
        if (charge.Token == SandboxTokens.RefundFails)
            return Decline(asked, "refund_refused", "The card's bank refused the refund.");
        var refunded = checked(charge.RefundedMinor + asked.AmountMinor);
        return refunded > charge.CapturedMinor
            ? Decline(asked, "amount_too_large", "More than was captured.")
            : Done(asked, charge with
            {
                State = charge.State == Authorized ? Authorized : refunded == charge.CapturedMinor ? Refunded : Captured,
                RefundedMinor = refunded,
            });
    }

    static SandboxDecision Done(GatewayRequest asked, SandboxCharge charge) =>
        new(new GatewayResult.Succeeded(IdOf(asked.Operation, asked.Key)), Seen(asked, Succeeded), charge);

    static SandboxDecision Decline(GatewayRequest asked, string code, string message) =>
        new(
            new GatewayResult.Declined(code, message),
            Seen(asked, DeclinedOutcome) with { Code = code, Message = message });

    static SandboxRequest Seen(GatewayRequest asked, string outcome) =>
        new(asked.Key, asked.Operation, outcome, null, null);
}
