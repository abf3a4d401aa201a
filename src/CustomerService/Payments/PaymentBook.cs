namespace Orderwright.CustomerService.Payments;

/// <summary>
/// The payments and balances of one batch: as they were loaded, and as the decisions so far leave them.
/// Decisions are applied in order of arrival, each on what the ones before it left.
/// </summary>
public sealed class PaymentBook(
    IEnumerable<PaymentFile> loadedFiles,
    IReadOnlyDictionary<(string CustomerId, string Currency), Funds> loadedFunds)
{
    readonly Dictionary<Guid, PaymentFile> loaded = loadedFiles.ToDictionary(file => file.OrderId);
    readonly Dictionary<Guid, PaymentFile> changed = [];
    readonly Dictionary<(string CustomerId, string Currency), long> balances = [];

    public PaymentFile File(Guid orderId) =>
        changed.GetValueOrDefault(orderId) ?? loaded.GetValueOrDefault(orderId) ?? PaymentFile.Empty(orderId);

    /// <summary>Nobody's and empty where the batch did not ask for them.</summary>
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
        var file = decision.File;
        if (!ReferenceEquals(file, File(file.OrderId))) changed[file.OrderId] = file;
        if (decision.BalanceMinor is { } balance)
            balances[(file.Payment!.CustomerId!, file.Payment.Currency!)] = balance;
    }

    public IReadOnlyList<Payment> NewPayments =>
        [.. Changed.Where(file => Before(file)?.Payment is null).Select(file => file.Payment!)];

    public IReadOnlyList<Payment> ChangedPayments =>
    [
        .. Changed.Where(file => Before(file)?.Payment is { } before && !ReferenceEquals(before, file.Payment))
            .Select(file => file.Payment!),
    ];

    public IReadOnlyList<GatewayCall> ChangedCalls =>
        [.. Changed.SelectMany(file => file.Calls.Where(call => Before(file)?.Calls.Contains(call) != true))];

    public IReadOnlyList<(string CustomerId, string Currency, long AmountMinor)> ChangedBalances =>
    [
        .. balances.Where(pair => loadedFunds.GetValueOrDefault(pair.Key).AmountMinor != pair.Value)
            .Select(pair => (pair.Key.CustomerId, pair.Key.Currency, pair.Value)),
    ];

    /// <summary>What goes into the journal with these payments.</summary>
    public IReadOnlyList<Movement> Movements =>
        [.. Changed.SelectMany(file => Movement.Between(Before(file)?.Payment, file.Payment!))];

    IEnumerable<PaymentFile> Changed => changed.Values.Where(file => file.Payment is not null);

    PaymentFile? Before(PaymentFile file) => loaded.GetValueOrDefault(file.OrderId);
}
