using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>
/// A customer. Erasure removes personal data and keeps the id, because the ledger refers to the id: it is never given out
/// again. <paramref name="ErasureId"/> names the erasure, running until <paramref name="ErasedAt"/> is set.
/// </summary>
public sealed record Customer(
    string Id, string? Name, string? Email, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? ErasedAt = null, Guid? ErasureId = null);

/// <summary>A top-up of store credit; never changed or deleted. Minor units.</summary>
public sealed record Credit(
    Guid Id, string CustomerId, string Currency, long AmountMinor, string? Reference, DateTimeOffset CreatedAt);

/// <summary>Change to a customer requested over HTTP: a closed set of cases.</summary>
public abstract record CustomerChange(string CustomerId)
{
    public sealed record Put(string CustomerId, string Name, string? Email, Precondition? If)
        : CustomerChange(CustomerId);

    /// <param name="CustomerId">Customer.</param>
    /// <param name="Currency">Currency of the credit.</param>
    /// <param name="AmountMinor">Amount in minor units.</param>
    /// <param name="Reference">Reference, unique among the customer's credits.</param>
    /// <param name="ApprovedBy">Second person who approved the credit; null for none.</param>
    public sealed record AddCredit(
        string CustomerId, string Currency, long AmountMinor, string? Reference, string? ApprovedBy = null)
        : CustomerChange(CustomerId);

    public sealed record Erase(string CustomerId, Precondition? If) : CustomerChange(CustomerId);
}
