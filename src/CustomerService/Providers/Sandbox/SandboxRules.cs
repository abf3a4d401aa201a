using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>Card tokens that select the sandbox's behaviour.</summary>
public static class SandboxTokens
{
    public const string Visa = "tok_visa";
    public const string Declined = "tok_declined";
    public const string InsufficientFunds = "tok_insufficient_funds";
    public const string RequiresAction = "tok_requires_action";

    /// <summary>Token of a card whose authorization takes 2 s.</summary>
    public const string Slow = "tok_slow";

    /// <summary>Token of a card whose first request per key fails with 503; the next request succeeds.</summary>
    public const string Error = "tok_error";

    /// <summary>Token of a card whose authorization succeeds, but the response is lost.</summary>
    public const string TimeoutAfterCharge = "tok_timeout_after_charge";

    /// <summary>Token of a card whose first request per key is lost.</summary>
    public const string TimeoutBeforeCharge = "tok_timeout_before_charge";

    public const string RefundFails = "tok_refund_fails";
}

/// <summary>Card transaction in the sandbox's own record. Amounts in minor units.</summary>
public sealed record SandboxCharge(
    string Id, string Key, Guid OrderId, string Token, string Currency, string State, long AmountMinor,
    long AuthorizedMinor, long CapturedMinor, long RefundedMinor, bool Voided, string? Code, string? Message)
{
    /// <summary>Expiry of the authorization; null for none.</summary>
    public DateTimeOffset? HoldsUntil { get; init; }
}

/// <summary>Recorded request, so that a repetition under the same key returns the first result.</summary>
/// <param name="Key">The caller's idempotency key.</param>
/// <param name="Operation">One of <see cref="GatewayOperations"/>.</param>
/// <param name="Outcome"><c>none</c> for a request received but not executed; <c>succeeded</c> or <c>declined</c>.</param>
/// <param name="Code">Reason of a refusal.</param>
/// <param name="Message">Explanation of a refusal.</param>
public sealed record SandboxRequest(string Key, string Operation, string Outcome, string? Code, string? Message);

/// <summary>Decision of the sandbox about a request; with <paramref name="Lost"/> the response never arrives.</summary>
public sealed record SandboxDecision(
    GatewayResult Result, SandboxRequest? Request = null, SandboxCharge? Charge = null, bool Lost = false);

/// <summary>Rules of the sandbox as a gateway: charges and requests, nothing about our payments. Pure.</summary>
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

    /// <summary>The sandbox's id for a key: the same key always yields the same id.</summary>
    public static string IdOf(string prefix, string key) =>
        $"{prefix}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 12))}";

    /// <summary>Id of the charge that a request creates or refers to.</summary>
    public static string ChargeOf(GatewayRequest request) =>
        request.Operation == GatewayOperations.Authorize ? IdOf("ch", request.Key) : request.Reference ?? "";

    /// <summary>Executes a request, once per key.</summary>
    /// <param name="request">Request to execute.</param>
    /// <param name="previous">Record of an earlier request under the same key.</param>
    /// <param name="charge">Charge concerned.</param>
    /// <param name="now">Time of the sandbox.</param>
    /// <param name="holdsFor">Lifetime of authorizations; null for no limit.</param>
    public static SandboxDecision Execute(
        GatewayRequest request, SandboxRequest? previous, SandboxCharge? charge, DateTimeOffset now = default,
        TimeSpan? holdsFor = null)
    {
        if (previous is not null && previous.Outcome != None) return new(FirstResult(request, previous, charge));
        return request.Operation switch
        {
            GatewayOperations.Authorize => Authorize(request, previous, now + holdsFor),
            GatewayOperations.Capture => Capture(request, charge, now),
            GatewayOperations.Void => Void(request, charge),
            GatewayOperations.Refund => Refund(request, charge),
            var other => throw new InvalidOperationException($"The sandbox has no operation '{other}'."),
        };
    }

    /// <summary>Looks up the result of a request, without any effect.</summary>
    public static GatewayResult LookUp(GatewayRequest request, SandboxRequest? previous, SandboxCharge? charge) =>
        previous is null || previous.Outcome == None
            ? new GatewayResult.NeverHappened(Final: false)
            : FirstResult(request, previous, charge);

    /// <summary>Applies the customer's decision on the page of the bank; null when no decision is pending.</summary>
    public static SandboxCharge? ApplyAction(SandboxCharge charge, bool approve) =>
        charge.State != RequiresAction ? null
        : approve ? charge with { State = Authorized, AuthorizedMinor = charge.AmountMinor }
        : charge with
        {
            State = Declined, Code = "authentication_failed", Message = "The customer did not approve.",
        };

    /// <summary>Current result of an authorization.</summary>
    public static GatewayResult ResultOf(SandboxCharge charge) => charge.State switch
    {
        RequiresAction =>
            new GatewayResult.ActionRequired(charge.Id, $"/api/v1/sandbox/actions/{charge.OrderId:D}"),
        Declined => new GatewayResult.Declined(charge.Code!, charge.Message!),
        Voided when charge.AuthorizedMinor == 0 =>
            new GatewayResult.Declined("cancelled", "The payment was cancelled before approval."),
        _ => new GatewayResult.Succeeded(charge.Id) { HoldsUntil = charge.HoldsUntil },
    };

    /// <summary>Entry in the sandbox's list of charges.</summary>
    public static ListedCharge Listed(
        string id, Guid orderId, string currency, string state, long authorized, long captured, long refunded,
        DateTimeOffset createdAt) =>
        new(id, orderId, currency, state, state == Authorized ? authorized - captured : 0, captured, refunded, createdAt);

    /// <summary>Cursor into the list, which is sorted by creation time and id.</summary>
    public static string WriteCursor(DateTimeOffset time, string id) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.ToUnixTimeMilliseconds()} {id}");

    /// <summary>Parses a cursor. Throws <see cref="FormatException"/> unless <see cref="WriteCursor"/> wrote the text.</summary>
    public static (DateTimeOffset Time, string Id) ReadCursor(string cursor) =>
        cursor.Split(' ', 2) is [var milliseconds, var id]
        && long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            ? (DateTimeOffset.FromUnixTimeMilliseconds(time), id)
            : throw new FormatException($"\"{cursor}\" is not a cursor of the list.");

    static GatewayResult FirstResult(GatewayRequest request, SandboxRequest previous, SandboxCharge? charge) =>
        previous.Operation == GatewayOperations.Authorize ? ResultOf(charge!)
        : previous.Outcome == Succeeded ? new GatewayResult.Succeeded(IdOf(previous.Operation, request.Key))
        : new GatewayResult.Declined(previous.Code!, previous.Message!);

    static SandboxDecision Authorize(GatewayRequest request, SandboxRequest? previous, DateTimeOffset? holdsUntil)
    {
        var token = request.Token ?? "";
        if (previous is null && token == SandboxTokens.Error)
            return new(new GatewayResult.Unavailable("503 Service Unavailable"), Record(request, None));
        if (previous is null && token == SandboxTokens.TimeoutBeforeCharge)
            return new(new GatewayResult.Unknown("lost in transit"), Record(request, None), Lost: true);

        var charge = new SandboxCharge(
            IdOf("ch", request.Key), request.Key, request.OrderId, token, request.Currency, Declined, request.AmountMinor,
            AuthorizedMinor: 0, CapturedMinor: 0, RefundedMinor: 0, Voided: false, Code: null, Message: null)
        {
            HoldsUntil = holdsUntil,
        };
        charge = token switch
        {
            SandboxTokens.RequiresAction => charge with { State = RequiresAction },
            SandboxTokens.Visa or SandboxTokens.Slow or SandboxTokens.Error or SandboxTokens.TimeoutAfterCharge
                or SandboxTokens.TimeoutBeforeCharge or SandboxTokens.RefundFails =>
                charge with { State = Authorized, AuthorizedMinor = request.AmountMinor },
            SandboxTokens.InsufficientFunds =>
                charge with { Code = "insufficient_funds", Message = "The card's account does not cover the amount." },
            SandboxTokens.Declined => charge with { Code = "card_declined", Message = "The card was declined." },
            _ => charge with { Code = "unknown_token", Message = "The sandbox does not know the token." },
        };
        return new(
            ResultOf(charge), Record(request, charge.State == Declined ? DeclinedOutcome : Succeeded), charge,
            Lost: token == SandboxTokens.TimeoutAfterCharge);
    }

    static SandboxDecision Capture(GatewayRequest request, SandboxCharge? charge, DateTimeOffset now) =>
        charge is null ? Decline(request, "no_such_charge", "The charge does not exist.")
        : charge.HoldsUntil <= now ? Decline(request, "authorization_expired", "The authorization has expired.")
        : charge.State != Authorized ? Decline(request, "not_capturable", $"The charge is {charge.State}.")
        : request.AmountMinor > charge.AuthorizedMinor - charge.CapturedMinor
            ? Decline(request, "amount_too_large", "The amount exceeds the held amount.")
        : Succeed(request, charge with
        {
            // The last capture releases the rest.
            State = request.IsLast || request.AmountMinor == charge.AuthorizedMinor - charge.CapturedMinor
                ? Captured
                : Authorized,
            CapturedMinor = charge.CapturedMinor + request.AmountMinor,
        });

    static SandboxDecision Void(GatewayRequest request, SandboxCharge? charge) =>
        charge is null ? Decline(request, "no_such_charge", "The charge does not exist.")
        : charge is { State: Authorized, CapturedMinor: > 0 }
            ? Succeed(request, charge with
            {
                State = charge.RefundedMinor == charge.CapturedMinor ? Refunded : Captured, Voided = true,
            })
        : charge.State is Authorized or RequiresAction ? Succeed(request, charge with { State = Voided, Voided = true })
        : Decline(request, "not_voidable", $"The charge is {charge.State}.");

    static SandboxDecision Refund(GatewayRequest request, SandboxCharge? charge)
    {
        if (charge is null) return Decline(request, "no_such_charge", "The charge does not exist.");
        if (charge.Token == SandboxTokens.RefundFails)
            return Decline(request, "refund_refused", "The card's bank refused the refund.");
        var refunded = checked(charge.RefundedMinor + request.AmountMinor);
        return refunded > charge.CapturedMinor
            ? Decline(request, "amount_too_large", "The refunds would exceed the captured amount.")
            : Succeed(request, charge with
            {
                State = charge.State == Authorized ? Authorized : refunded == charge.CapturedMinor ? Refunded : Captured,
                RefundedMinor = refunded,
            });
    }

    static SandboxDecision Succeed(GatewayRequest request, SandboxCharge charge) =>
        new(new GatewayResult.Succeeded(IdOf(request.Operation, request.Key)), Record(request, Succeeded), charge);

    static SandboxDecision Decline(GatewayRequest request, string code, string message) =>
        new(
            new GatewayResult.Declined(code, message),
            Record(request, DeclinedOutcome) with { Code = code, Message = message });

    static SandboxRequest Record(GatewayRequest request, string outcome) =>
        new(request.Key, request.Operation, outcome, null, null);
}
