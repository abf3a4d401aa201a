using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Who buys. An erased one keeps its id, for the ledger's sake, and nothing personal.</summary>
public sealed record Customer(
    string Id, string? Name, string? Email, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? ErasedAt = null);

/// <summary>A top-up of store credit; never changed, never deleted. Minor units.</summary>
public sealed record Credit(
    Guid Id, string CustomerId, string Currency, long AmountMinor, string? Reference, DateTimeOffset CreatedAt);

/// <summary>What the API wants done to a customer: a closed family.</summary>
public abstract record CustomerChange(string CustomerId)
{
    public sealed record Put(string CustomerId, string Name, string? Email, Precondition? If)
        : CustomerChange(CustomerId);

    public sealed record AddCredit(string CustomerId, string Currency, long AmountMinor, string? Reference)
        : CustomerChange(CustomerId);

    public sealed record Erase(string CustomerId, Precondition? If) : CustomerChange(CustomerId);
}
