namespace Orderwright.CustomerService.Payments;

/// <summary>
/// A request to a gateway: the intent, committed before the request is sent, and later its result. A payment has at most
/// one unfinished attempt.
/// </summary>
public sealed record PaymentAttempt
{
    public required Guid OrderId { get; init; }

    /// <summary>Operation of <see cref="GatewayOperations"/>.</summary>
    public required string Operation { get; init; }

    /// <summary>1 and up per operation. A new number is a new key, hence a new request to the gateway.</summary>
    public required int Number { get; init; }

    /// <summary>Gateway of the request; only its look-ups and webhooks settle the attempt.</summary>
    public string? Provider { get; init; }

    /// <summary>State of <see cref="AttemptStates"/>.</summary>
    public required string State { get; init; }
    public required long AmountMinor { get; init; }

    /// <summary>The gateway's id of the result.</summary>
    public string? Reference { get; init; }

    /// <summary>The gateway's code for a refusal, or ours for a failure.</summary>
    public string? Code { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When to continue: end of a lease, retry, look-up or poll. Null when only an outside event continues it.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Number of times the request was sent.</summary>
    public int Sends { get; init; }

    /// <summary>Number of look-ups since the attempt has been in doubt.</summary>
    public int LookUps { get; init; }

    /// <summary>Operator who requested the attempt, or order-service for shipped goods; null for the order process.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>The reason given by <see cref="RequestedBy"/> or <see cref="ResolvedBy"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>Results of the look-ups while in doubt, oldest first.</summary>
    public IReadOnlyList<LookUp> Evidence { get; init; } = [];

    /// <summary>Operator whose resolution ended the doubt; null when the gateway's own answer did.</summary>
    public string? ResolvedBy { get; init; }

    /// <summary>Second person who approved the request or its resolution; null for none.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>
    /// Highest number of an attempt of the order process. Attempts of a payment whose history was lost are numbered above, so
    /// that no key is used a second time.
    /// </summary>
    public const int LastRegularNumber = 100;

    /// <summary>
    /// The attempt asks a gateway for a charge that our record lacks; no request of this attempt was ever sent.
    /// </summary>
    public bool IsRecovery => Operation == GatewayOperations.Authorize && Number > LastRegularNumber;

    /// <summary>Idempotency key at the gateway: the same for every repetition.</summary>
    public string Key => KeyOf(OrderId, Operation, Number);

    /// <summary>Time without an answer from which an open request counts as in doubt.</summary>
    public static readonly TimeSpan AnswerExpectedWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The outcome at the gateway is unknown: the attempt is being looked up, or its request is unanswered for longer than
    /// <see cref="AnswerExpectedWithin"/>. Statements that filter by it name the same time.
    /// </summary>
    public bool IsInDoubt(DateTimeOffset now) =>
        State == AttemptStates.InDoubt || (State == AttemptStates.Open && now - StartedAt >= AnswerExpectedWithin);

    /// <summary>The time for look-ups is over, or the gateway offers none: only a person can end the doubt.</summary>
    public bool NeedsPerson =>
        this is { State: AttemptStates.InDoubt, Evidence: [var first, ..] }
        && (DueAt is null || Evidence[^1].Last - first.First >= GatewayLimits.LookUpFor);

    /// <summary>The finished attempt: nothing about it is due any more.</summary>
    public PaymentAttempt Finished(string state, DateTimeOffset now) =>
        this with { State = state, FinishedAt = now, DueAt = null };

    public static string KeyOf(Guid orderId, string operation, int number) =>
        FormattableString.Invariant($"{orderId:D}:{operation}:{number}");

    /// <summary>Parts of one of our keys; null for anything else.</summary>
    public static (Guid OrderId, string Operation, int Number)? Parse(string key)
    {
        var parts = key.Split(':');
        return parts.Length == 3 && Guid.TryParseExact(parts[0], "D", out var orderId)
            && int.TryParse(parts[2], System.Globalization.NumberStyles.None, null, out var number)
            ? (orderId, parts[1], number)
            : null;
    }
}

/// <summary>An attempt to continue now: send the request, or look it up first because it may have been sent.</summary>
public sealed record GatewayTask(PaymentAttempt Attempt, bool LookUp);
