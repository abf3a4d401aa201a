namespace Orderwright.CustomerService.Payments;

/// <summary>What a gateway is asked to do; part of the deterministic key.</summary>
public static class GatewayOperations
{
    public const string Authorize = "authorize";
    public const string Capture = "capture";
    public const string Void = "void";
    public const string Refund = "refund";
}

/// <summary>Values of an attempt's <c>state</c>.</summary>
public static class CallStates
{
    /// <summary>
    /// The intent is stored; whether the gateway has heard of it, only the one who calls knows.
    /// </summary>
    public const string Open = "open";

    /// <summary>It certainly did not happen; it is called again, under the same key, when due.</summary>
    public const string Retry = "retry";

    /// <summary>
    /// It may have happened; it is looked up when due, and never repeated or undone by guess.
    /// </summary>
    public const string InDoubt = "in_doubt";

    /// <summary>The customer has to act; it is looked up when due, in case the webhook gets lost.</summary>
    public const string Waiting = "waiting";
    public const string Succeeded = "succeeded";
    public const string Declined = "declined";

    /// <summary>Given up, as far as is known without effect.</summary>
    public const string Failed = "failed";
}

/// <summary>
/// One attempt at a gateway: the intent that is committed before the call, and what came of it. A payment has
/// at most one that is not finished.
/// </summary>
public sealed record GatewayCall
{
    public required Guid OrderId { get; init; }

    /// <summary>One of <see cref="GatewayOperations"/>.</summary>
    public required string Operation { get; init; }

    /// <summary>
    /// 1 and up per operation. A new number is a new key, which a gateway takes for a new request.
    /// </summary>
    public required int N { get; init; }

    /// <summary>The gateway that is asked; only its look-ups and webhooks settle it.</summary>
    public string? Provider { get; init; }

    /// <summary>One of <see cref="CallStates"/>.</summary>
    public required string State { get; init; }
    public required long AmountMinor { get; init; }

    /// <summary>The gateway's own id of what this did.</summary>
    public string? Reference { get; init; }

    /// <summary>The gateway's own code of a refusal.</summary>
    public string? Code { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>
    /// When to take it up again: the end of a lease, a retry, a look-up, a poll. Null: not by itself.
    /// </summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; init; }

    /// <summary>How often it was looked up while in doubt.</summary>
    public int Probes { get; init; }

    /// <summary>
    /// The operator who asked for it, or order-service for what was shipped; null for what the process asked for.
    /// </summary>
    public string? AskedBy { get; init; }

    /// <summary>In the operator's own words.</summary>
    public string? Reason { get; init; }

    /// <summary>What look-ups said while it was in doubt; oldest first.</summary>
    public IReadOnlyList<LookUp> LookUps { get; init; } = [];

    /// <summary>The operator whose word ended the doubt; null for what the gateway said itself.</summary>
    public string? ResolvedBy { get; init; }

    /// <summary>What we call it at the gateway: the same for every repetition.</summary>
    public string Key => KeyOf(OrderId, Operation, N);

    public static string KeyOf(Guid orderId, string operation, int n) =>
        FormattableString.Invariant($"{orderId:D}:{operation}:{n}");

    /// <summary>The parts of a key of ours, or null when it is none.</summary>
    public static (Guid OrderId, string Operation, int N)? Parse(string key)
    {
        var parts = key.Split(':');
        return parts.Length == 3 && Guid.TryParseExact(parts[0], "D", out var orderId)
            && int.TryParse(parts[2], System.Globalization.NumberStyles.None, null, out var n)
            ? (orderId, parts[1], n)
            : null;
    }
}

/// <summary>
/// An attempt that is to be taken up now: called, or looked up first because it may have been called.
/// </summary>
public sealed record GatewayTask(GatewayCall Call, bool LookUp);
