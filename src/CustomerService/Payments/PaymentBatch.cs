namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Payments and balances of one batch: as loaded, and as changed by the decisions so far. Decisions apply in order of
/// arrival, each to the result of the previous ones.
/// </summary>
public sealed class PaymentBatch(
    IEnumerable<PaymentCase> loadedCases,
    IReadOnlyDictionary<(string CustomerId, string Currency), Funds> loadedFunds)
{
    readonly Dictionary<Guid, PaymentCase> loaded = loadedCases.ToDictionary(paymentCase => paymentCase.OrderId);
    readonly Dictionary<Guid, PaymentCase> changed = [];
    readonly Dictionary<(string CustomerId, string Currency), long> balances = [];

    readonly Dictionary<Guid, (long Captured, long Refunded)> journaled = [];

    public PaymentCase Case(Guid orderId) =>
        changed.GetValueOrDefault(orderId) ?? loaded.GetValueOrDefault(orderId) ?? PaymentCase.Empty(orderId);

    /// <summary>Funds of a customer in a currency; unknown and empty when not loaded with the batch.</summary>
    public Funds FundsOf(string? customerId, string? currency)
    {
        if (customerId is null || currency is null) return default;
        var funds = loadedFunds.GetValueOrDefault((customerId, currency));
        return balances.TryGetValue((customerId, currency), out var amount)
            ? funds with { AmountMinor = amount }
            : funds;
    }

    public void Apply(PaymentDecision decision)
    {
        var after = decision.Case;
        if (!ReferenceEquals(after, Case(after.OrderId))) changed[after.OrderId] = after;
        if (decision.BalanceMinor is { } balance)
            balances[(after.Payment!.CustomerId!, after.Payment.Currency!)] = balance;
    }

    public IReadOnlyList<Payment> NewPayments =>
        [.. Changed.Where(after => Before(after)?.Payment is null).Select(after => after.Payment!)];

    public IReadOnlyList<Payment> ChangedPayments =>
    [
        .. Changed.Where(after => Before(after)?.Payment is { } before && !ReferenceEquals(before, after.Payment))
            .Select(after => after.Payment!),
    ];

    public IReadOnlyList<PaymentAttempt> ChangedAttempts =>
        [.. Changed.SelectMany(after => after.Attempts.Where(attempt => Before(after)?.Attempts.Contains(attempt) != true))];

    public IReadOnlyList<(string CustomerId, string Currency, long AmountMinor)> ChangedBalances =>
    [
        .. balances.Where(pair => loadedFunds.GetValueOrDefault(pair.Key).AmountMinor != pair.Value)
            .Select(pair => (pair.Key.CustomerId, pair.Key.Currency, pair.Value)),
    ];

    /// <summary>Journal entries to save with the payments.</summary>
    public IReadOnlyList<JournalEntry> JournalEntries =>
        [.. Changed.SelectMany(after => JournalEntry.Between(JournaledBefore(after), after.Payment!))];

    /// <summary>
    /// Amounts of an order in the journal, for a payment whose row was lost: the journal may have kept what the row has not.
    /// </summary>
    public void Knows(Guid orderId, long capturedMinor, long refundedMinor) =>
        journaled[orderId] = (capturedMinor, refundedMinor);

    /// <summary>Amounts of an order in the journal, as loaded for a lost payment; zero for others.</summary>
    public (long Captured, long Refunded) JournaledOf(Guid orderId) => journaled.GetValueOrDefault(orderId);

    /// <summary>
    /// The result, or a doubt when the gateway's record of a lost payment has less than the journal, which never shrinks.
    /// </summary>
    public GatewayResult Checked(Guid orderId, GatewayResult result) =>
        result is GatewayResult.Listed { Charge: var charge } && journaled.TryGetValue(orderId, out var known)
        && (known.Captured > charge.CapturedMinor || known.Refunded > charge.RefundedMinor)
            ? new GatewayResult.Unknown(
                $"The journal has {known.Captured} captured and {known.Refunded} refunded; the gateway's charge "
                + $"{charge.Reference} has {charge.CapturedMinor} and {charge.RefundedMinor}.")
            { IsAnswer = true }
            : result;

    IEnumerable<PaymentCase> Changed => changed.Values.Where(after => after.Payment is not null);

    Payment? JournaledBefore(PaymentCase after) => journaled.TryGetValue(after.OrderId, out var known)
        ? after.Payment! with { CapturedMinor = known.Captured, RefundedMinor = known.Refunded }
        : Before(after)?.Payment;

    PaymentCase? Before(PaymentCase after) => loaded.GetValueOrDefault(after.OrderId);
}
