using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Decision about one change; unchanged parts are null.</summary>
public sealed record CustomerDecision(Answer Answer, Customer? Customer = null, Credit? Credit = null);

/// <summary>Changes to customers and their store credit. Pure.</summary>
public static class CustomerRules
{
    /// <summary>Highest balance, just below the largest integer that JSON numbers represent exactly in every language.</summary>
    public const long MaxBalanceMinor = 1_000_000_000_000_000;

    public static CustomerDecision Put(CustomerChange.Put put, Customer? existing, DateTimeOffset now)
    {
        var living = existing is { ErasedAt: null } ? existing : null;
        if (put.If is { } condition && !condition.Holds(living?.Version)) return new(Precondition.Failed());
        if (living is not null && living.Name == put.Name && living.Email == put.Email)
            return new(Respond(StatusCodes.Status200OK, living));
        var customer = new Customer(
            put.CustomerId, put.Name, put.Email, (existing?.Version ?? 0) + 1, living?.CreatedAt ?? now, now);
        return new(
            Respond(living is null ? StatusCodes.Status201Created : StatusCodes.Status200OK, customer), customer);
    }

    /// <param name="add">The requested top-up.</param>
    /// <param name="existing">The customer, erased or not; null when unknown.</param>
    /// <param name="balanceMinor">Balance in the credit's currency.</param>
    /// <param name="referenceUsed">True when the customer already has a credit with this reference.</param>
    /// <param name="id">Id of the new credit.</param>
    /// <param name="now">The batch's time.</param>
    public static CustomerDecision AddCredit(
        CustomerChange.AddCredit add, Customer? existing, long balanceMinor, bool referenceUsed, Guid id,
        DateTimeOffset now)
    {
        if (existing is not { ErasedAt: null }) return new(Problem.NotFound("customer"));
        if (referenceUsed)
            return new(Problem.Conflict(
                "duplicate_reference", "This customer already has a credit with this reference; nothing was added."));
        if (add.AmountMinor > MaxBalanceMinor - balanceMinor)
            return new(Problem.Conflict("balance_out_of_range", $"The balance would exceed {MaxBalanceMinor}."));
        var credit = new Credit(id, add.CustomerId, add.Currency, add.AmountMinor, add.Reference, now);
        return new(
            Answer.Json(StatusCodes.Status201Created, CreditResponse.Of(credit), CustomerJson.Default.CreditResponse),
            Credit: credit);
    }

    /// <summary>Removes name and email permanently. The id stays in the ledger, and may be used again.</summary>
    public static CustomerDecision Erase(
        CustomerChange.Erase erase, Customer? existing, bool hasOpenOrders, DateTimeOffset now)
    {
        if (existing is not { ErasedAt: null }) return new(Problem.NotFound("customer"));
        if (erase.If is { } condition && !condition.Holds(existing.Version)) return new(Precondition.Failed());
        if (hasOpenOrders)
            return new(Problem.Conflict("open_orders", "A payment of this customer is not settled yet."));
        return new(
            Answer.NoContent(),
            existing with
            {
                Name = null, Email = null, Version = existing.Version + 1, UpdatedAt = now, ErasedAt = now,
            });
    }

    public static Answer Respond(int status, Customer customer) =>
        Answer.Json(
            status, CustomerResponse.Of(customer), CustomerJson.Default.CustomerResponse,
            status == StatusCodes.Status201Created ? $"/api/v1/customers/{customer.Id}" : null, customer.Version);
}
